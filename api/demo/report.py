"""What the demo prints when the play is over: the story, calls, liquidations, the insurance fund, the trial balance."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from api.command_line.screen import out, say, table_of
from api.demo.play import DemoFailed, Played
from api.demo.scenario import Scenario
from api.demo.story import Loss, Story, bucket_rows, held, opening_words, pool_rows
from api.demo.two_traders import CAROL, IVAN, MARGIN, SPARE
from ledger.money import plain
from projections.liquidations.queries import insurance, liquidations, margin_calls, uncovered_deficits
from projections.questions.levels import count_by_band
from projections.snapshot import Snapshot
from projections.trial_balance.queries import trial_balance

ROWS_SHOWN = 12
MOST_ROWS = 100_000


def print_play(scenario: Scenario, played: Played, topics: Counter[str], seconds: float) -> None:
    """How much was recorded, of which kinds, and what was refused."""
    vectors = len(scenario.vectors)
    say(f"\n{topics.total():,} events over {vectors:,} price vectors in {seconds:.1f} s")
    kinds = ", ".join(f"{topic} {count:,}" for topic, count in topics.most_common())
    say(f"recorded: {kinds}")
    if played.refusals:
        refused = ", ".join(f"{code} {count}" for code, count in sorted(played.refusals.items()))
        say(f"refused of {played.commands:,} commands that people sent: {refused}")


def print_story(scenario: Scenario, story: Story) -> None:
    """The two traders side by side, and what each lost."""
    pair, quote = scenario.first.pair, scenario.first.quote
    out().rule("Carol and Ivan: the same trade, hers on the cross pool, his in a bucket", align="left")
    say(opening_words(scenario))
    say(
        f"Each has {plain(MARGIN)} {quote} of margin, {plain(SPARE)} {quote} to spare in spot, and savings in "
        f"{scenario.last.base}. Carol's savings lie in her cross pool with the margin. Ivan's margin lies in the "
        f"bucket of {pair}; half of his savings lie in spot, half in a cross pool of his own.\n"
    )
    columns = ["", "position", pair, "assets", "debt", "level", "band", "holds"]
    out().print(table_of("Carol's cross pool", columns, pool_rows(story.moments), right=range(1, 6)))
    out().print(table_of("Ivan's bucket", columns, bucket_rows(story.moments, pair), right=range(1, 6)))
    for name, found in ((CAROL, story.carol_liquidations), (IVAN, story.ivan_liquidations)):
        for one in found[:2]:
            say(f"\n{name}: {explained(one)}")
    say("")
    for line in _conclusion(scenario, story):
        say(line)


def _conclusion(scenario: Scenario, story: Story) -> Iterator[str]:
    quote = scenario.first.quote
    bucket, pool = story.bucket, story.pool
    yield f"Ivan's bucket was worth {_change(bucket, quote)}. {_end(story.ivan_liquidations)}"
    ivan = story.moments[-1].ivan
    rest = f"spot {held(ivan['spot'])}; cross {held(ivan['cross']['assets'])}"
    yield f"All else of his is what it was before the trade, to the digit: {rest}."
    yield f"Carol's pool was worth {_change(pool, quote)}. {_end(story.carol_liquidations)}"
    if story.ivan_liquidations and pool.lost > bucket.lost:
        yield (
            f"After the bucket was gone the pool paid on with everything in it, {scenario.last.base} too: "
            f"{plain(pool.lost - bucket.lost)} {quote} more than isolated margin."
        )


def _change(loss: Loss, quote: str) -> str:
    changed = f"{plain(loss.lost)} lost" if loss.lost >= 0 else f"{plain(-loss.lost)} gained"
    return f"{plain(loss.before)} {quote} and is worth {plain(loss.after)}: {changed}"


def _end(found: Sequence[Any]) -> str:
    return "It was liquidated." if found else "It was not liquidated."


def explained(one: dict[str, Any]) -> str:
    """A liquidation in sentences: why, at which prices, what was sold, repaid, charged, covered and left."""
    started, done = one["started"], one["completed"]
    prices = ", ".join(f"{pair} {mark['price']}" for pair, mark in started["prices"].items())
    level = f"level {started['level']} at or below {started['liquidation_level']}"
    owed = f"{started['assets']} against {started['debt']} owed"
    why = f"{one['liquidation_id']}, {one['wallet']}: {level} ({owed}) at {prices}."
    if done is None:
        return f"{why} It is still running."
    return (
        f"{why} Sold {_amounts(done['sold'])}; repaid {_amounts(done['repaid'])}; fee {_amounts(done['fee'])}; "
        f"covered by the insurance fund {_amounts(done['covered'])}; left {_amounts(done['left'])}."
    )


def _amounts(amounts: dict[str, str]) -> str:
    written = [f"{plain(Decimal(amount))} {asset}" for asset, amount in amounts.items() if Decimal(amount)]
    return " + ".join(written) or "nothing"


def print_calls(snapshot: Snapshot) -> None:
    """Who was called, at which level and line."""
    found = margin_calls(snapshot.connection, snapshot.position, limit=MOST_ROWS)
    out().rule(f"Margin calls: {len(found)}", align="left")
    columns = ["time (UTC)", "account", "wallet", "level", "at or below", "assets", "debt", "prices"]
    rows = (
        (
            _time(call["effective_at"]),
            call["account_id"],
            call["wallet"],
            call["level"],
            plain(call["threshold"]),
            plain(call["assets"]),
            plain(call["debt"]),
            ", ".join(f"{pair} {mark['price']}" for pair, mark in call["prices"].items()),
        )
        for call in found[:ROWS_SHOWN]
    )
    out().print(table_of(None, columns, rows, right=(3, 4, 5, 6)))
    _print_how_many_more(found)


def print_liquidations(snapshot: Snapshot) -> None:
    """Which wallets were closed out, why, and with what result."""
    found = liquidations(snapshot.connection, snapshot.position, limit=MOST_ROWS)
    out().rule(f"Liquidations: {len(found)}", align="left")
    columns = [
        "time (UTC)",
        "liquidation",
        "wallet",
        "level",
        "at or below",
        "sold",
        "repaid",
        "fee",
        "covered",
        "left",
    ]
    out().print(table_of(None, columns, (_liquidation_row(one) for one in found[:ROWS_SHOWN]), right=(3, 4)))
    _print_how_many_more(found)
    bands = count_by_band(snapshot.connection, snapshot.position)
    counted = ", ".join(f"{count} {band}" for band, count in bands.items() if count)
    say(f"wallets that owe at the end: {counted or 'none'}")
    if running := [one["liquidation_id"] for one in found if one["completed"] is None]:
        raise DemoFailed(f"liquidations of the house are still running: {', '.join(running)}")


def _liquidation_row(one: dict[str, Any]) -> Iterable[str]:
    started, done = one["started"], one["completed"] or {}
    parts = (_amounts(done.get(part, {})) for part in ("sold", "repaid", "fee", "covered", "left"))
    level, line = started["level"], started["liquidation_level"]
    return _time(one["started_at"]), one["liquidation_id"], one["wallet"], level, line, *parts


def _print_how_many_more(found: Sequence[Any]) -> None:
    if len(found) > ROWS_SHOWN:
        say(f"and {len(found) - ROWS_SHOWN} more")


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def print_insurance(snapshot: Snapshot) -> None:
    """What the fund holds, and what it could not cover."""
    out().rule("Insurance fund", align="left")
    for asset, balance in sorted(insurance(snapshot.connection, snapshot.position).items()):
        short = f": an uncovered deficit of {plain(-balance)}" if balance < 0 else ""
        say(f"{plain(balance)} {asset}{short}")
    deficits = uncovered_deficits(snapshot.connection, snapshot.position, limit=MOST_ROWS)
    for one in deficits[:ROWS_SHOWN]:
        say(f"{one['liquidation_id']} left {plain(one['uncovered'])} uncovered of {plain(one['value'])}")
    _print_how_many_more(deficits)
    if not deficits:
        say("no uncovered deficit")


def print_trial_balance(snapshot: Snapshot) -> None:
    """The books of every asset, and their sum, which must be zero."""
    found = trial_balance(snapshot.connection, snapshot.position)
    assets = list(found)
    books = sorted({book for one in found.values() for book in one["books"]})
    out().rule(f"Trial balance at position {snapshot.position}", align="left")
    rows: list[tuple[str, ...]] = [
        (book, *(plain(found[asset]["books"].get(book, Decimal(0))) for asset in assets)) for book in books
    ]
    rows.append(("total", *(plain(found[asset]["total"]) for asset in assets)))
    out().print(table_of(None, ["book", *assets], rows, right=range(1, len(assets) + 1)))
    if any(found[asset]["total"] for asset in assets):
        raise DemoFailed("the trial balance is not zero")
