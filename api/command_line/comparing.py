"""`ledger diff ACCOUNT`: what changed between two points, by which events, and how much of it came from what."""

import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, cast

import typer

from api.answers import json_of, moment
from api.command_line.looking import logged_url
from api.command_line.points import POINT, POINT_HELP, point_of, wallet_of
from api.command_line.screen import Exit, note, out, say, stop, table_of
from ledger.errors import ProjectionsBehind
from ledger.margin import LEVEL_SCALE
from ledger.postgres import SERVICE, connect
from ledger.shown_texts import texts_shown
from ledger.wallets import Balance
from projections.questions.differences import differences_answer
from projections.questions.tally import Shown
from projections.snapshot import AsOf, open_snapshot

FIGURES = {"equity": "equity", "margin_level": "margin level", "collateral_margin_level": "collateral level"}
CROSSINGS = {"from_none": "from none (a debt began)", "to_none": "to none (a debt ended)"}


def diff(
    account: Annotated[str, typer.Argument(help="An account.")],
    first: Annotated[
        str | None, typer.Option("--from", metavar=POINT, help=f"From {POINT_HELP}; the account's opening if left out.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar=POINT, help="Up to a point of the same kind; now if left out.")
    ] = None,
    effective: Annotated[bool, typer.Option("--effective", help="Times are business times.")] = False,
    wallet: Annotated[str | None, typer.Option(help="Only this wallet: spot, cross or isolated:BTC/USDT.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Show events after the one at this position.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="How many events to show; all are counted.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what changed between two points of an account: balances, positions, equity and levels, by event and cause.

    Parts of a level have 8 decimals and add up to the difference that is shown; where a debt began or ended between,
    the level that began or ended is a part of its own. Reads the projections. Ends with 1 if the events do not explain
    the difference.
    """
    if effective and first is None and last is None:
        stop("--effective says what the times of --from and --to are, and neither is given", Exit.USAGE)
    start, end = point_of(first, effective=effective), point_of(last, effective=effective)
    found = _answer(account, start, end, Shown(None if wallet is None else wallet_of(wallet), after, limit))
    if as_json:
        say(json_of(found, indent=2))
    else:
        _print(found)
    for one in found["unexplained"]:
        note(f"the events do not explain it: {json_of(one)}")
    if found["unexplained"]:
        raise typer.Exit(Exit.DIFFERENCE)


def _answer(account: str, first: AsOf | None, last: AsOf | None, shown: Shown) -> dict[str, Any]:
    asked = {} if last is None else {last.kind: last.value}
    with connect(logged_url("diff", [account]), application_name="ledger diff", role=SERVICE) as connection:
        try:
            with open_snapshot(connection, **asked) as snapshot:  # type: ignore[arg-type]
                found = differences_answer(snapshot, account, first, shown, last=last, most_events=sys.maxsize)
                return cast(dict[str, Any], texts_shown(snapshot.connection, found))
        except ProjectionsBehind as refusal:
            stop(refusal.detail)


def _print(found: dict[str, Any]) -> None:
    counts = found["counts"]
    topics = ", ".join(f"{count} {topic}" for topic, count in counts["topics"].items())
    say(f"{found['account_id']} from {_point(found['from'])} to {_point(found['to'])}")
    say(f"{counts['events']} events{f': {topics}' if topics else ''}\n")
    _print_balances(found)
    for name, wallet in found["wallets"].items():
        _print_causes(name, wallet)
    _print_events(found)
    for setting in found["settings"]:
        say(f"#{setting['position']} {setting['topic']} {setting.get('scope', setting.get('asset', ''))}")


def _point(state: dict[str, Any]) -> str:
    """Where a state stands, as it was asked for."""
    stated = state["as_of"] or {}
    at = stated.get("recorded_at") or stated.get("effective_at")
    return f"position {state['position']}" if at is None else f"{moment(at)} (position {state['position']})"


def _print_balances(found: dict[str, Any]) -> None:
    rows = [
        (name, asset, part, *amounts.values())
        for name, wallet in found["wallets"].items()
        for asset, parts in wallet["assets"].items()
        for part, amounts in parts.items()
        if amounts["change"] != "0"
    ]
    rows += [
        (position["wallet"], position["pair"], figure.replace("_", " "), *position[figure].values())
        for position in found["positions"]
        for figure in ("quantity", "cost", "realised_profit")
        if position[figure]["change"] != "0"
    ]
    if rows:
        out().print(table_of(None, ["wallet", "of", "part", "from", "to", "change"], rows, right=(3, 4, 5)))
    else:
        say("no balance and no position changed\n")


def _print_causes(name: str, wallet: dict[str, Any]) -> None:
    """A column for each figure of a margin wallet: where it stood, what each cause added, where it stands."""
    if "lacks_price_at" in wallet:
        say(f"{name}: a price was lacking at position {wallet['lacks_price_at']}, so equity and levels are not known\n")
        return
    figures = {figure: wallet[figure] for figure in FIGURES if figure in wallet}
    rows = list(_cause_rows(figures))
    if rows:
        ends = [[end, *((one[end] or "none") for one in figures.values())] for end in ("from", "to")]
        columns = [name, *(FIGURES[figure] for figure in figures)]
        out().print(table_of(None, columns, [ends[0], *rows, ends[1]], right=range(1, len(columns))))


def _cause_rows(figures: dict[str, Any]) -> Iterator[list[str]]:
    parts = {figure: dict(told["by_cause"]) for figure, told in figures.items()}
    for figure, told in figures.items():
        parts[figure] |= {words: told[way]["levels"] for way, words in CROSSINGS.items() if way in told}
    for cause in {cause: None for of_figure in parts.values() for cause in of_figure}:
        added = [of_figure.get(cause, "") for of_figure in parts.values()]
        if any(amount not in ("", "0") for amount in added):
            yield [str(cause), *(_part(figure, amount) for figure, amount in zip(figures, added, strict=True))]


def _part(figure: str, amount: str) -> str:
    """What a cause added: an amount of equity as it is, of a level with its 8 decimals."""
    return _signed(amount) if figure == "equity" or amount in ("", "0") else f"{Decimal(amount):+.{LEVEL_SCALE}f}"


def _signed(amount: str) -> str:
    return amount if amount in ("", "0") or amount.startswith("-") else f"+{amount}"


def _print_events(found: dict[str, Any]) -> None:
    rows = [
        (
            f"#{event['position']}",
            f"{event['effective_at'][:19].replace('T', ' ')}",
            event["topic"],
            ", ".join(_change(change) for change in event["changes"]),
            ", ".join(
                f"{wallet} {level['before'] or 'none'} -> {level['after'] or 'none'}"
                for wallet, level in event["margin_levels"].items()
                if level["before"] != level["after"]
            ),
        )
        for event in found["events"]
    ]
    if rows:
        out().print(table_of(None, ["event", "counts from", "topic", "changed", "margin level"], rows))
    if found["next"] is not None:
        say(f"more events follow: --after {found['next']} shows them, --limit more of them at once")


def _change(change: dict[str, str]) -> str:
    parts = [f"{part} {_signed(change[part])}" for part in Balance._fields if part in change]
    return f"{change['wallet']} {change['asset']} {' '.join(parts)}"
