"""Keeps folds by business time of accounts in which something was entered late, and tells until when they hold."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

from ledger.log import RecordedEvent
from ledger.postgres import Connection
from projections.accounts.dated import EVENTS_BETWEEN, Base, by_date, kept_fold, missing, written
from projections.writing import Writes

COLUMNS = {
    "account_id": "text",
    "dated_to": "timestamptz",
    "position": "bigint",
    "version": "bigint",
    "state": "jsonb",
}
# A fold that holds no more since an earlier event is left as it is.
BELONGS_BEFORE = """
with late as (
    select * from unnest(%s::text[], %s::timestamptz[], %s::bigint[]) as late (account_id, effective_at, position)
)
update account_folds as fold set valid_to = (
    select min(late.position) from late
    where late.account_id = fold.account_id and late.effective_at < fold.dated_to and late.position > fold.position
)
from (select account_id, min(effective_at) as earliest from late group by account_id) as first
where fold.account_id = first.account_id and fold.dated_to > first.earliest and valid_to is null
"""


class Late(NamedTuple):
    """An event whose order counts, and that was entered late."""

    account_id: str
    effective_at: datetime
    position: int


class Due(NamedTuple):
    """An event after which folds of its account are to be kept; its events up to there are dated up to `dated_to`."""

    account_id: str
    dated_to: datetime
    position: int
    version: int


def keep_folds(connection: Connection, steps: Sequence[Late | Due]) -> None:
    """Takes what happened in log order: folds that hold no more are told so, and new ones are made."""
    late: list[Late] = []
    for step in steps:
        if isinstance(step, Late):
            late.append(step)
        else:
            _belongs_before(connection, late)
            late = []
            writes = Writes()
            writes.append("account_folds", COLUMNS, list(_folds(connection, step)))
            writes.write(connection)
    _belongs_before(connection, late)


def _belongs_before(connection: Connection, late: Sequence[Late]) -> None:
    if late:
        connection.execute(BELONGS_BEFORE, [list(column) for column in zip(*late, strict=True)])


def _folds(connection: Connection, due: Due) -> Iterator[tuple[Any, ...]]:
    """The folds since the last one that holds: each so many events by date, and of all."""
    base = kept_fold(connection, due.account_id, due.position, due.dated_to)
    recorded = missing(connection, due.account_id, base, due.version, ())
    throughs = _Throughs(base, recorded)
    ordered = by_date(recorded)
    taken = 0
    for one, following in zip(ordered, [*ordered[1:], None], strict=True):
        base.state.take(one.event, one.position)  # type: ignore[arg-type]
        taken += 1
        dated_to = one.event.effective_at
        is_whole = following is None or following.event.effective_at > dated_to
        if is_whole and (taken >= EVENTS_BETWEEN or following is None):
            yield due.account_id, dated_to, due.position, throughs.version(dated_to), written(base.state)
            taken = 0


class _Throughs:
    """Up to which version all events are dated up to a time, of those that follow a base."""

    def __init__(self, base: Base, recorded: Sequence[RecordedEvent]) -> None:
        self._versions = [base.version, *(one.event.version for one in recorded)]
        self._dated_to = list(accumulate((one.event.effective_at for one in recorded), max))

    def version(self, until: datetime) -> int:
        """In log order the latest date so far never decreases."""
        return self._versions[bisect_right(self._dated_to, until)]
