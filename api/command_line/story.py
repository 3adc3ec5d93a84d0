"""An explanation as it is printed: a sentence, then tables of how it came about, what was done, and the checks."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from api.command_line.screen import out, say, table_of, tell
from ledger.money import plain
from ledger.wallets import Balance

SUMS = {
    "sold": "sold",
    "bought": "bought",
    "repaid": "repaid",
    "covered": "covered",
    "left": "left",
    "owed": "still owed",
}
FIGURE = re.compile(r"-?[0-9]+\.[0-9]+")
CHARGES = {"interest": "interest", "fee": "fee", "trade_fees": "fees of fills"}


def print_story(found: Mapping[str, Any]) -> None:
    """Prints an explanation as the question answers it."""
    tell(found["sentence"])
    say(_verdict(found))
    _print_wallet("the wallet just before", found["before"])
    _print_events("the last events that led there", found["last_events"])
    _print_path(found)
    _print_prices(found["prices"])
    if found["kind"] == "liquidation":
        _print_events("what was done", found["steps"])
        _print_outcome(found["outcome"])
        _print_fund(found["insurance"])
        _print_wallet("the wallet in the end", found["after"])
    _print_checks(found)


def _verdict(found: Mapping[str, Any]) -> str:
    count, wrong = len(found["checks"]), found["disagreements"]
    if not wrong:
        return f"Every number agrees: {count} were worked out again.\n"
    return f"{wrong} OF {count} NUMBERS DO NOT AGREE with what they come to when they are worked out again.\n"


def _print(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]], right: Iterable[int] = ()) -> None:
    out().print(table_of(title, columns, rows, right))


def _print_wallet(title: str, wallet: Mapping[str, Any]) -> None:
    columns = [*Balance._fields, "net"]
    rows = [(asset, *(parts[column] for column in columns)) for asset, parts in wallet["assets"].items()]
    _print(title, ["asset", *columns], rows, right=range(1, 6))
    level, lines = wallet["margin_level"] or "none", wallet["lines"]
    sums = f"assets {wallet['total_assets']}, debt {wallet['total_debt']}, equity {wallet['equity']}"
    tier = "" if wallet["tier"] is None else f", tier {wallet['tier']}"
    judged = (
        f"call line {lines['margin_call']}, liquidation line {lines['liquidation']}, {wallet['max_leverage']}x{tier}"
    )
    say(f"  {sums}; level {level}, {wallet['band']}; {judged}\n")


def _print_events(title: str, events: Iterable[Mapping[str, Any]]) -> None:
    rows = [
        (
            f"#{one['position']}",
            _time(one["effective_at"]),
            one["topic"],
            _stated(one),
            ", ".join(map(_change, one["changes"])),
        )
        for one in events
    ]
    if rows:
        _print(title, ["event", "counts from", "topic", "states", "changed in the wallet"], rows)


def _stated(event: Mapping[str, Any]) -> str:
    """What the events of a liquidation state, in words; those of others are told by what they changed."""
    told = {name: _plainly(value) for name, value in event.items()}
    match event["topic"]:
        case "liquidation.filled":
            paid = "{interest} interest and {principal} of {debt_asset} at {debt_price}"
            return ("{taken} {asset} at {asset_price} pays " + paid).format_map(told)
        case "deficit.covered":
            return "the fund pays {value} for {asset} at {price}".format_map(told)
        case "liquidation.completed":
            return "repaid for {repaid_value}; fee {fee_rate} of it, {fee_value}".format_map(told)
        case "liquidation.started" | "margin.called":
            return "level {level}: {assets} / {debt}".format_map(told)
        case "trade.booked":
            return "{side} {quantity} {pair} at {price}, fee {fee} {fee_asset}".format_map(told)
        case _:
            return ""


def _plainly(value: Any) -> Any:
    """A figure as it is written in answers; what is none stays as it is."""
    return plain(Decimal(value)) if isinstance(value, str) and FIGURE.fullmatch(value) else value


def _change(change: Mapping[str, str]) -> str:
    parts = [f"{part} {_signed(change[part])}" for part in Balance._fields if part in change]
    return f"{change['asset']} {' '.join(parts)}"


def _signed(amount: str) -> str:
    return amount if amount.startswith("-") else f"+{amount}"


def _print_path(found: Mapping[str, Any]) -> None:
    path, crossing = found["path"], found["crossing"]
    steps = [path["start"], *path["steps"]]
    rows = [_path_row(one, crossing) for one in steps]
    columns = ["position", "counts from", "through", "assets", "debt", "level", "line", "band", ""]
    _print(f"the level since {_time(path['since'])}", columns, rows, right=(3, 4, 5, 6))
    if path["note"] is not None:
        say(f"  {path['note']}\n")
    if crossing is not None and crossing["position"] not in {one["position"] for one in steps}:
        at = _time(crossing["effective_at"])
        say(f"  the line was crossed at #{crossing['position']}, of {at}, before these steps\n")


def _path_row(one: Mapping[str, Any], crossing: Mapping[str, Any] | None) -> list[str | None]:
    crossed = crossing is not None and crossing["position"] == one["position"]
    through = one["topic"]
    if "prices" in one:
        moved = [f"{pair} {change['from'] or 'none'} -> {change['to']}" for pair, change in one["prices"].items()]
        through = ", ".join(moved)
    place = [f"#{one['position']}", _time(one["effective_at"]), through or "the state before"]
    level = one["level"] or ("unpriced" if one["total_assets"] is None else "none")
    judged = [level, one["line"], one["band"], "<- crossed the line" if crossed else ""]
    return [*place, one["total_assets"], one["total_debt"], *judged]


def _print_prices(prices: Mapping[str, Mapping[str, Any]]) -> None:
    rows = [
        (
            pair,
            one["price"],
            _time(one["effective_at"]),
            one["version"],
            "not in the log" if one["position"] is None else f"#{one['position']}",
            "yes" if one["values_the_wallet"] else "",
        )
        for pair, one in prices.items()
    ]
    if rows:
        columns = ["pair", "price", "of", "vector", "marked at", "values the wallet"]
        _print("the prices that it was decided on", columns, rows, right=(1, 3))


def _print_outcome(outcome: Mapping[str, Any]) -> None:
    rows = [*_sums(SUMS, outcome), *_sums(CHARGES, outcome["charged"])]
    if rows:
        _print("what it comes to", ["", "asset", "amount", "value"], rows, right=(2, 3))
    if outcome["lost_to_rounding"] != "0":
        say(f"  the house took {outcome['lost_to_rounding']} in value more than it credited, by rounding\n")


def _sums(names: Mapping[str, str], told: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for name, words in names.items():
        for asset, one in told[name].items():
            yield (words, asset, one["amount"], one["value"])


def _print_fund(fund: Mapping[str, Any]) -> None:
    rows = [
        (f"#{step['position']}", step["topic"], asset, _signed(one["change"]), one["balance"], step["uncovered"])
        for step in fund["steps"]
        for asset, one in step["assets"].items()
    ]
    if rows:
        columns = ["event", "topic", "asset", "change", "the fund then", "uncovered"]
        _print("the insurance fund", columns, rows, right=(3, 4, 5))
    before = ", ".join(f"{amount} {asset}" for asset, amount in fund["before"].items()) or "nothing"
    say(f"  before it the fund held {before}\n")


def _print_checks(found: Mapping[str, Any]) -> None:
    for one in found["decisions"]:
        asked = one["command"] or "a command that is not kept"
        result = "the same bytes" if one["agrees"] else "OTHER EVENTS"
        say(f"  {asked} at #{one['position']}, known by {one['known_by'] or 'nothing'}, decided again gives {result}")
    rows = [
        (
            f"#{one['position']}",
            one["name"],
            _short(one["stated"]),
            _short(one["recomputed"]),
            "yes" if one["agrees"] else "NO",
        )
        for one in found["checks"]
    ]
    _print("every number again", ["event", "number", "stated", "worked out again", "agrees"], rows)


def _short(text: str | None) -> str | None:
    """A long sum of bytes by its beginning; the JSON has it whole."""
    return text if text is None or len(text) != 64 or " " in text else f"{text[:16]}..."


def _time(at: datetime | str | None) -> str:
    return "" if at is None else str(at)[:19].replace("T", " ")
