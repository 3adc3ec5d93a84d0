"""What a liquidation did to the insurance fund: its balance before and after each event that posts to it."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from ledger.events import DeficitCovered, InsuranceFunded, InsuranceWithdrawn, LiquidationCompleted
from ledger.log import PAGE_EVENTS, Connection, RecordedEvent, read_positions, read_topics
from ledger.money import VALUATION_ASSET, ZERO, plain
from ledger.postings import INSURANCE, postings
from projections.progress import standings

TOPICS = [kind.TOPIC for kind in (InsuranceFunded, InsuranceWithdrawn, LiquidationCompleted, DeficitCovered)]
PLACES = """
select position from projections.audit_trail where topic = any(%s) and position <= %s order by position
"""


def fund_through(connection: Connection, events: Iterable[RecordedEvent]) -> dict[str, Any]:
    """The fund before the first of a liquidation's events, after each that posts to it, and after the last.

    `uncovered` of a deficit is the part that the fund did not hold: it goes below zero by it. Sums are of the log; the
    audit trail, where it is there, only says where its events stand.
    """
    recorded = list(events)
    own = {one.position for one in recorded}
    balances: dict[str, Decimal] = {}
    before: dict[str, Decimal] | None = None
    steps, uncovered = [], ZERO
    for one in _fund_events(connection, recorded[-1].position):
        if one.position >= recorded[0].position and before is None:
            before = balances.copy()
        moved = _moved(one)
        if one.position in own and moved:
            lacking = _lacking(one, balances.get(VALUATION_ASSET, ZERO))
            uncovered += lacking
            steps.append({"position": one.position, "topic": one.event.TOPIC, "uncovered": plain(lacking)})
        for asset, amount in moved.items():
            balances[asset] = balances.get(asset, ZERO) + amount
        if one.position in own and moved:
            changes = {
                asset: {"change": plain(more), "balance": plain(balances[asset])} for asset, more in moved.items()
            }
            steps[-1]["assets"] = changes
    return {
        "before": _told(balances if before is None else before),
        "after": _told(balances),
        "uncovered": plain(uncovered),
        "steps": steps,
    }


def _lacking(recorded: RecordedEvent, there: Decimal) -> Decimal:
    """What the fund cannot pay of a deficit out of what it holds."""
    event = recorded.event
    return event.value - min(event.value, max(there, ZERO)) if isinstance(event, DeficitCovered) else ZERO


def _moved(recorded: RecordedEvent) -> dict[str, Decimal]:
    moved: dict[str, Decimal] = {}
    for line in postings(recorded.event):
        if line.book is INSURANCE:
            moved[line.asset] = moved.get(line.asset, ZERO) + line.amount
    return moved


def _told(balances: dict[str, Decimal]) -> dict[str, str]:
    return {asset: plain(amount) for asset, amount in sorted(balances.items())}


def _fund_events(connection: Connection, until: int) -> Iterator[RecordedEvent]:
    """All that ever posted to the fund up to a position, in log order."""
    trail = standings(connection).get("audit_trail")
    if trail is None or trail.obstacle("audit_trail") is not None or trail.position < until:
        yield from read_topics(connection, TOPICS, until)
        return
    places = [place for (place,) in connection.execute(PLACES, [TOPICS, until]).fetchall()]
    for start in range(0, len(places), PAGE_EVENTS):
        yield from read_positions(connection, places[start : start + PAGE_EVENTS])
