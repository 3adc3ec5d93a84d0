"""Which events of an account count at a business time, of those known at a log position."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.postgres import Connection
from projections.dating import LATE, Dated, across

# The last event of the account up to the position with which all are dated up to the time.
THROUGH = """
select version.position, version.version, version.dated_to from (
    select position from account_versions
    where account_id = %(account_id)s and dated_to <= %(until)s
    order by dated_to desc, position desc
    limit 1
) as dated
cross join lateral (
    select position, version, dated_to from account_versions
    where account_id = %(account_id)s and position <= least(%(position)s, dated.position)
    order by position desc
    limit 1
) as version
"""
# The offset keeps the planner from walking all that was ever entered late.
BEYOND = f"""
select late.position, late.ordered from {LATE} cross join lateral (
    select position, ordered from account_versions
    where account_id = %(account_id)s and lateness > 0 and lateness = class.lateness
      and effective_at >= class.earliest and effective_at <= %(moment)s and dated_to > %(moment)s
      and position <= %(position)s
    offset 0
) as late
order by late.position
"""
FIRST_OUT_OF_ORDER = """
select position from account_versions
where account_id = %s and lateness > 0 and ordered and position <= %s
order by position
limit 1
"""


class Counted(NamedTuple):
    """All events of an account up to the position `through`, which has that version, and those at `beyond`, in order.

    `is_disordered` says whether one of those beyond should have come before others.
    """

    through: int
    version: int
    beyond: Sequence[int]
    is_disordered: bool

    @property
    def dated(self) -> Dated:
        return Dated(self.through, self.beyond)


class LastDated(NamedTuple):
    """The last event of an account with which all are dated up to a time; position and version 0: there is none."""

    position: int
    version: int
    dated_to: datetime | None


def counted(connection: Connection, position: int, account_id: str, until: datetime) -> Counted:
    """The events of an account dated up to a business time, of those known at the position."""
    last = last_dated(connection, position, account_id, until)
    asked = {"account_id": account_id, "position": position, **across(until)}
    beyond = connection.execute(BEYOND, asked).fetchall()
    places, ordered = [place for place, _ in beyond], any(one for _, one in beyond)
    return Counted(last.position, last.version, places, ordered)


def last_dated(connection: Connection, position: int, account_id: str, until: datetime) -> LastDated:
    """The last event of an account up to a position with which all are dated up to a business time."""
    asked = {"account_id": account_id, "position": position, "until": until}
    row = connection.execute(THROUGH, asked).fetchone()
    return LastDated(0, 0, None) if row is None else LastDated(*row)


def first_out_of_order(connection: Connection, position: int, account_id: str) -> int | None:
    """The first event of an account up to a position that was entered late and should have come before others."""
    row = connection.execute(FIRST_OUT_OF_ORDER, [account_id, position]).fetchone()
    return None if row is None else int(row[0])
