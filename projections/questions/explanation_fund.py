"""What a liquidation did to the insurance fund: its balance before and after each event that posts to it."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ledger.events import DeficitCovered, InsuranceFunded, InsuranceWithdrawn, LiquidationCompleted
from ledger.insurance import uncovered_part
from ledger.log import PAGE_EVENTS, Connection, RecordedEvent, read_positions, read_topics
from ledger.money import VALUATION_ASSET, ZERO, plain
from ledger.postings import INSURANCE, postings
from projections.progress import standings

TOPICS = [kind.TOPIC for kind in (InsuranceFunded, InsuranceWithdrawn, LiquidationCompleted, DeficitCovered)]
PLACES = """
select position from projections.audit_trail where topic = any(%s) and position <= %s order by position
"""


def fund_through(connection: Connection, events: Sequence[RecordedEvent]) -> dict[str, Any]:
    """The fund before the first of a liquidation's events, after each that posts to it, and after the last.

    `uncovered` of a deficit is the part that the fund did not hold: it goes below zero by it. Sums are of the log; the
    audit trail, where it is there, only says where its events stand.
    """
    first, last = events[0].position, events[-1].position
    own = {one.position for one in events}
    balances: dict[str, Decimal] = {}
    before = balances.copy()
    steps = []
    for one in _fund_events(connection, last):
        moved, there = _moved(one), balances.get(VALUATION_ASSET, ZERO)
        for asset, amount in moved.items():
            balances[asset] = balances.get(asset, ZERO) + amount
        if one.position < first:
            before = balances.copy()
        elif one.position in own and moved:
            steps.append(_step(one, moved, balances, _lacking(one, there)))
    uncovered = sum((Decimal(step["uncovered"]) for step in steps), ZERO)
    return {"before": _told(before), "after": _told(balances), "uncovered": plain(uncovered), "steps": steps}


def _step(
    recorded: RecordedEvent, moved: Mapping[str, Decimal], balances: Mapping[str, Decimal], lacking: Decimal
) -> dict[str, Any]:
    changes = {asset: {"change": plain(more), "balance": plain(balances[asset])} for asset, more in moved.items()}
    return {
        "position": recorded.position,
        "topic": recorded.event.TOPIC,
        "uncovered": plain(lacking),
        "assets": changes,
    }


def _lacking(recorded: RecordedEvent, there: Decimal) -> Decimal:
    """What the fund cannot pay of a deficit out of what it holds."""
    event = recorded.event
    return uncovered_part(event.value, there) if isinstance(event, DeficitCovered) else ZERO


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
