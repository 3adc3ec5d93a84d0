"""`ledger status`: the log's end, how far projections and the risk engine are, prices, whether the books balance."""

from datetime import UTC, datetime

import typer

from api.command_line.database import readable_url
from api.command_line.screen import Exit, out, say, table_of
from api.risk_standing import Led, read_engine
from ledger.errors import Unavailable
from ledger.events import HeldPrice
from ledger.log import LogEnd, log_end
from ledger.money import plain
from ledger.postgres import SERVICE, Connection, connect
from projections.questions.feeds import READS, feeds
from projections.questions.liquidations import overdue_now
from projections.rebuild import left_over
from projections.runner import ProjectionStatus
from projections.runner import status as projection_status
from projections.snapshot import open_snapshot
from projections.trial_balance.queries import trial_balance


def status() -> None:
    """Show the log's end, each projection's position and lag, where it stands still, since when and why, the risk
    engine, copies that a killed rebuild left, prices that are held or stay behind the newest vector, overdue
    liquidations, and the trial balance.

    Ends with 1 where a projection was never started, stands still or is beyond the log's end, or a book does not
    balance.
    """
    with connect(readable_url(), application_name="ledger status", role=SERVICE) as connection:
        end = log_end(connection)
        found = projection_status(connection)
        engine, copies = read_engine(connection), left_over(connection)
        connection.rollback()
        _print_log(end)
        _print_projections(found)
        _print_left_over(copies)
        _print_engine(engine, end)
        _print_prices(connection)
        _print_overdue(connection)
        balanced = _print_trial_balance(connection)
    if not balanced or any(one.error is not None for one in found):
        raise typer.Exit(Exit.DIFFERENCE)


def _print_log(end: LogEnd) -> None:
    if end.recorded_at is None:
        say("the log is empty")
        return
    age = (datetime.now(UTC) - end.recorded_at).total_seconds()
    say(f"the log ends at position {end.position}, recorded {end.recorded_at:%Y-%m-%d %H:%M:%S} UTC ({age:,.0f} s ago)")


def _print_projections(found: list[ProjectionStatus]) -> None:
    rows = (
        (
            one.name,
            one.position,
            one.lag,
            one.leader or (one.leader_pid and f"session {one.leader_pid}"),
            one.failed_at and f"{one.failed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            one.error,
        )
        for one in found
    )
    titles = ["projection", "position", "lag", "led by", "still since", "error"]
    out().print(table_of(None, titles, rows, right=(1, 2)))


def _print_left_over(copies: list[str]) -> None:
    """The copies that nobody works on: they take room, and harm nothing."""
    if copies:
        say(f"left over by a rebuild or verification that was killed: {', '.join(copies)}; the next rebuild drops them")


def _print_engine(engine: Led, end: LogEnd) -> None:
    """How far the risk engine has examined, what asks and waits for it, and who leads it."""
    leader = f"led by {engine.leader}, session {engine.leader_pid}"
    if engine.leader_pid is None:
        leader = "nobody leads it, so nothing is examined: ledger serve or ledger risk runs it"
    if engine.stand is None:
        say(f"risk engine: never stepped; {leader}")
        return
    stand = engine.stand
    asking = ", ".join(f"{count:,} {band}" for band, count in sorted(stand.asking.items())) or "none"
    stepped_at = "" if stand.stepped_at is None else f" at {stand.stepped_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    say(
        f"risk engine: examined up to position {stand.position} of {end.position}; {stand.watched:,} wallets owe, "
        f"asking to be examined: {asking}; waiting for it: {stand.waiting:,}, for interest: {stand.uncharged:,}; "
        f"last step{stepped_at}, {stand.step_seconds:.3f} s; {leader}"
    )


def _print_prices(connection: Connection) -> None:
    """How old the newest price is, the pairs that are further behind it than they may be, and what is held."""
    try:
        with open_snapshot(connection, stale=True, names=READS) as snapshot:
            found = feeds(snapshot.connection, snapshot.position, datetime.now(UTC))
    except Unavailable:
        return
    if not found:
        return
    newest = min(feed.age_seconds for feed in found)
    say(f"prices of {len(found)} pairs, the newest {newest:,.0f} s old")
    for feed in found:
        if feed.is_behind:
            say(f"price of {feed.pair}: {feed.behind_seconds:,.0f} s behind it, may be {feed.max_age_seconds:,} s")
        for row in feed.held:
            say(f"price of {feed.pair}: {_held(row.price)}")


def _print_overdue(connection: Connection) -> None:
    """How many liquidations run beyond the time limit of their external execution."""
    try:
        with open_snapshot(connection, stale=True, names=("liquidations", "market")) as snapshot:
            overdue = overdue_now(snapshot.connection, snapshot.position)
    except Unavailable:
        return
    if overdue:
        say(f"{overdue:,} external liquidations are overdue: GET /v1/liquidations?overdue=true lists them")


def _held(price: HeldPrice) -> str:
    return (
        f"{price.price:f} of {price.effective_at:%Y-%m-%d %H:%M:%S} UTC by {price.source} is held, for it lies further "
        f"than {price.price_jump_limit:f} of it from {price.last.price:f}; confirm_price or reject_price"
    )


def _print_trial_balance(connection: Connection) -> bool:
    """The sum of all books of each asset, as far as all projections have come; whether each is zero."""
    try:
        with open_snapshot(connection, stale=True) as snapshot:
            found = trial_balance(snapshot.connection, snapshot.position)
            position = snapshot.position
    except Unavailable as refusal:
        say(f"trial balance: not known ({refusal.detail})")
        return True
    wrong = {asset: one["total"] for asset, one in found.items() if one["total"]}
    if not wrong:
        say(f"trial balance at position {position}: zero for all of {len(found)} assets")
    for asset, total in wrong.items():
        say(f"trial balance at position {position}: {plain(total)} {asset}, which must be zero")
    return not wrong
