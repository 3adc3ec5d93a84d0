"""What the demo prints when the play is over: the story, calls, liquidations, the insurance fund, the trial balance."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from api.command_line.screen import out, table_of, tell
from api.demo.liquidated import (
    LIQUIDATION_COLUMNS,
    LIQUIDATION_COLUMNS_EXPLAINED,
    explained,
    liquidation_row,
    prices_of,
    time_of,
    told_apart,
)
from api.demo.play import DemoFailed, Played
from api.demo.scenario import Scenario
from api.demo.story import Loss, Story, bucket_rows, held, opening_words, pool_rows
from api.demo.two_traders import CAROL, IVAN, MARGIN, SPARE
from ledger.money import VALUATION_ASSET, plain
from projections.liquidations.queries import insurance, liquidations, margin_calls, uncovered_deficits
from projections.questions.levels import count_by_band
from projections.snapshot import Snapshot
from projections.trial_balance.queries import trial_balance

ROWS_SHOWN = 12
MOST_ROWS = 100_000


def print_play(scenario: Scenario, played: Played, topics: Counter[str], seconds: float) -> None:
    """How much was recorded, of which kinds, and what was refused."""
    vectors = len(scenario.vectors)
    tell(f"\n{topics.total():,} events over {vectors:,} price vectors in {seconds:.1f} s")
    rows = ((topic, f"{count:,}") for topic, count in topics.most_common())
    out().print(table_of(None, ["recorded", "events"], rows, right=[1]))
    if played.refusals:
        refused = ", ".join(f"{code} {count}" for code, count in sorted(played.refusals.items()))
        tell(f"refused of {played.commands:,} commands that people sent: {refused}")


def print_story(scenario: Scenario, story: Story) -> None:
    """The two traders side by side, and what each lost."""
    pair, quote = scenario.first.pair, scenario.first.quote
    out().rule("Carol and Ivan: the same trade, hers on the cross pool, his in a bucket", align="left")
    tell(opening_words(scenario))
    tell(
        f"Each has {plain(MARGIN)} {quote} of margin, {plain(SPARE)} {quote} to spare in spot, and savings in "
        f"{scenario.last.base}. Carol's savings lie in her cross pool with the margin. Ivan's margin lies in the "
        f"bucket of {pair}; half of his savings lie in spot, half in a cross pool of his own.\n"
    )
    columns = ["", "position", pair, "assets", "debt", "level", "band", "holds"]
    out().print(table_of("Carol's cross pool", columns, pool_rows(story.moments), right=range(1, 6)))
    out().print(table_of("Ivan's bucket", columns, bucket_rows(story.moments, pair), right=range(1, 6)))
    for name, found in ((CAROL, story.carol_liquidations), (IVAN, story.ivan_liquidations)):
        for one in found[:2]:
            tell(f"\n{name}: {explained(one)}")
    tell("")
    for line in _conclusion(scenario, story):
        tell(line)


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


def print_calls(snapshot: Snapshot) -> None:
    """Who was called, at which level and line."""
    found = margin_calls(snapshot.connection, snapshot.position, limit=MOST_ROWS)
    out().rule(f"Margin calls: {len(found)}", align="left")
    tell(
        f"A wallet is called when its level, its assets divided by its debt (both in {VALUATION_ASSET} at these "
        "prices), is at or below the margin-call line of its tier, which stands beside the level."
    )
    columns = ["time (UTC)", "account", "wallet", "level", "at or below", "assets", "debt", "prices"]
    rows = (
        (
            time_of(call["effective_at"]),
            call["account_id"],
            call["wallet"],
            call["level"],
            plain(call["threshold"]),
            plain(call["assets"]),
            plain(call["debt"]),
            prices_of(call["prices"], "\n"),
        )
        for call in found[:ROWS_SHOWN]
    )
    out().print(table_of(None, columns, rows, right=(3, 4, 5, 6)))
    _print_how_many_more(found)


def print_liquidations(snapshot: Snapshot) -> None:
    """Which wallets were closed out, why, and with what result."""
    found = liquidations(snapshot.connection, snapshot.position, limit=MOST_ROWS)
    out().rule(f"Liquidations: {len(found)}", align="left")
    tell(LIQUIDATION_COLUMNS_EXPLAINED)
    shown = (told_apart(snapshot, one) for one in found[:ROWS_SHOWN])
    out().print(table_of(None, LIQUIDATION_COLUMNS, map(liquidation_row, shown), right=[2]))
    _print_how_many_more(found)
    bands = count_by_band(snapshot.connection, snapshot.position)
    counted = ", ".join(f"{count} {band}" for band, count in bands.items() if count)
    tell(f"wallets that owe at the end: {counted or 'none'}")
    if running := [one["liquidation_id"] for one in found if one["completed"] is None]:
        raise DemoFailed(f"liquidations of the house are still running: {', '.join(running)}")


def _print_how_many_more(found: Sequence[Any]) -> None:
    if len(found) > ROWS_SHOWN:
        tell(f"and {len(found) - ROWS_SHOWN} more")


def print_insurance(snapshot: Snapshot) -> None:
    """What the fund holds, and what it could not cover."""
    out().rule("Insurance fund", align="left")
    for asset, balance in sorted(insurance(snapshot.connection, snapshot.position).items()):
        short = f": an uncovered deficit of {plain(-balance)}" if balance < 0 else ""
        tell(f"{plain(balance)} {asset}{short}")
    deficits = uncovered_deficits(snapshot.connection, snapshot.position, limit=MOST_ROWS)
    for one in deficits[:ROWS_SHOWN]:
        tell(f"{one['liquidation_id']} left {plain(one['uncovered'])} uncovered of {plain(one['value'])}")
    _print_how_many_more(deficits)
    if not deficits:
        tell("no uncovered deficit")


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
