"""Which events of the whole log count at a business time, of those known at a log position."""

from datetime import datetime
from typing import Any

from ledger.postgres import Connection
from projections.dating import LATE, Dated, across

PRICES, OTHERS = "account_id = '@prices'", "account_id <> '@prices'"
THROUGH = """
select position from audit_trail where {which} and dated_to <= %(until)s order by dated_to desc, position desc limit 1
"""
# The offset keeps the planner from walking all that was ever entered late.
BEYOND = f"""
select late.position from {LATE} cross join lateral (
    select position from audit_trail
    where lateness > 0 and lateness = class.lateness and effective_at >= class.earliest
      and effective_at <= %(moment)s and dated_to > %(moment)s and position <= %(position)s and {{which}}
    offset 0
) as late
order by late.position
"""


def dated_events(connection: Connection, position: int, until: datetime) -> Dated:
    """All events but prices that are dated up to a business time, of those known at the position."""
    return _dated(connection, position, until, OTHERS)


def dated_trail(connection: Connection, position: int, until: datetime) -> Dated:
    """The same and prices; up to `through` there may be both later dated events and later dated prices."""
    events, prices = (_dated(connection, position, until, which) for which in (OTHERS, PRICES))
    through = max(events.through, prices.through)
    beyond = sorted(place for place in (*events.beyond, *prices.beyond) if place > through)
    return Dated(through, beyond)


def _dated(connection: Connection, position: int, until: datetime, which: str) -> Dated:
    asked: dict[str, Any] = {"position": position, "until": until, **across(until)}
    row = connection.execute(THROUGH.format(which=which), asked).fetchone()
    beyond = connection.execute(BEYOND.format(which=which), asked).fetchall()
    return Dated(min(row[0], position) if row else 0, [place for (place,) in beyond])
