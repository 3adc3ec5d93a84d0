"""Adjustments with their status, and what was reversed by what, as of a log position and a business time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from projections.dating import END
from projections.projector import Connection
from projections.rows import rows_of

ADJUSTMENTS = """
select * from (
    select account_id, adjustment_id, wallet, asset, amount, reason_code, reason, proposed_by, proposed_position,
           proposed_at,
           case when decided then decided_as else 'proposed' end as status,
           case when decided then decided_by end as decided_by,
           case when decided then decided_position end as decided_position,
           case when decided then decided_at end as decided_at
    from adjustments
    cross join lateral (
        select coalesce(decided_position <= %(position)s and decided_at <= %(until)s::timestamptz, false) as decided
    ) as known
    where proposed_position <= %(position)s and proposed_at <= %(until)s::timestamptz and proposed_position > %(after)s
      and proposed_position < %(before)s
      and (%(status)s::text is distinct from 'proposed' or decided_as is null or decided_position > %(position)s
           or decided_at > %(until)s::timestamptz)
      and (%(account_id)s::text is null or account_id = %(account_id)s)
) as adjustment
where %(status)s::text is null or status = %(status)s
order by proposed_position {order}
limit %(limit)s
"""
REVERSALS = """
select reversed_position, reversed_version, reversed_topic, position, version, effective_at from reversals
where (reversed_position = any(%(positions)s) or position = any(%(positions)s))
  and position <= %(position)s and effective_at <= %(until)s::timestamptz
"""
POSTED = """
select decided_position as position, adjustment_id, reason_code, proposed_position from adjustments
where decided_as = 'posted' and decided_position = any(%(positions)s)
"""


def adjustments(
    connection: Connection,
    position: int,
    *,
    status: str | None = None,
    account_id: str | None = None,
    after: int = 0,
    before: int = END,
    limit: int = 100,
    newest_first: bool = False,
    effective_at: datetime | None = None,
) -> list[dict[str, Any]]:
    """Adjustments proposed between two positions, in that order or from the last back, with their status then."""
    asked = {"position": position, "status": status, "account_id": account_id, "limit": limit}
    query = ADJUSTMENTS.format(order="desc" if newest_first else "asc")
    bounds = {"after": after, "before": before, "until": effective_at or "infinity"}
    return rows_of(connection, query, {**asked, **bounds})


def reversals_at(
    connection: Connection, position: int, positions: Sequence[int], effective_at: datetime | None = None
) -> list[dict[str, Any]]:
    """The reversals known at a position that stand at some positions, or reversed what stands there."""
    asked = {"position": position, "positions": list(positions), "until": effective_at or "infinity"}
    return rows_of(connection, REVERSALS, asked)


def adjustments_posted_at(connection: Connection, positions: Sequence[int]) -> list[dict[str, Any]]:
    """Ids and reason codes of the adjustments posted at some positions, and where each was proposed."""
    return rows_of(connection, POSTED, {"positions": list(positions)})
