"""A question's view of the projections: one database snapshot, at the one log position that all its parts are of."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from psycopg_pool import ConnectionPool

from ledger.errors import Malformed, ProjectionsBehind
from ledger.log import log_end, position_at
from ledger.postgres import Connection
from projections.catalogue import ALL
from projections.progress import standings
from projections.tables import LIVE

TIMEOUT_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.002
LAST_PAUSE_SECONDS = 0.05
NEVER_STARTED = -1

# The lock comes first: a snapshot is taken by the first query after it, and so never before a swap that it waited for.
# Questions read in the order of an index, as much as they need: a plan that gathers all first would grow with history.
BEGIN = f"""
begin isolation level repeatable read read only;
set local search_path to {LIVE}, public;
set local timezone to 'UTC';
set local datestyle to 'ISO';
lock table public.projection_swaps in access share mode;
set local enable_bitmapscan to off
"""


class AsOf(NamedTuple):
    """A point that changes are told from or to: a log position, a recorded time or an effective time."""

    kind: Literal["position", "recorded_at", "effective_at"]
    value: int | datetime


class Snapshot(NamedTuple):
    """A consistent view: every query on `connection` that is asked as of `position` answers from the same events.

    The position says what was known. With an `effective_at`, what is asked for is what of that counts up to then.
    """

    connection: Connection
    position: int
    effective_at: datetime | None


@contextmanager
def open_snapshot(
    source: ConnectionPool[Connection] | Connection,
    *,
    position: int | None = None,
    recorded_at: datetime | None = None,
    effective_at: datetime | None = None,
    min_position: int | None = None,
    stale: bool = False,
    timeout_seconds: float = TIMEOUT_SECONDS,
    names: Sequence[str] = ALL,
) -> Iterator[Snapshot]:
    """Opens a read-only snapshot of the projections `names` (all, unless the question reads only some).

    It has everything recorded before the call, and at least `min_position`, and waits for the projections until it has;
    with `stale` it takes what they have. Ends with the context. A position or a recorded time says what was known, and
    may be asked together with an effective time. Refuses with Malformed: both of the two, or a position beyond the
    log's end; with ProjectionsBehind: the projections were not there in time.
    """
    if position is not None and recorded_at is not None:
        raise Malformed("position and recorded_at were given together; each says what was known, state one of them")
    known = recorded_at if position is None else position
    question = _Question(known, effective_at, min_position, stale, timeout_seconds, names)
    if isinstance(source, ConnectionPool):
        with source.connection() as connection, _snapshot(connection, question) as snapshot:
            yield snapshot
    else:
        with _snapshot(source, question) as snapshot:
            yield snapshot


class _Question(NamedTuple):
    """`known` is the position or the recorded time of what was known; None: now."""

    known: int | datetime | None
    effective_at: datetime | None
    min_position: int | None
    stale: bool
    timeout_seconds: float
    names: Sequence[str]


def as_of(
    position: int | None, recorded_at: datetime | None, effective_at: datetime | None, prefix: str = ""
) -> AsOf | None:
    """The one point that is given, None if none is; Malformed, by their names with the prefix, where there are more."""
    asked: list[AsOf] = []
    if position is not None:
        asked.append(AsOf("position", position))
    if recorded_at is not None:
        asked.append(AsOf("recorded_at", recorded_at))
    if effective_at is not None:
        asked.append(AsOf("effective_at", effective_at))
    if len(asked) > 1:
        names = " and ".join(f"{prefix}{one.kind}" for one in asked)
        raise Malformed(f"{names} were given together; they are one end of what is told, state one of them")
    return asked[0] if asked else None


@contextmanager
def _snapshot(connection: Connection, question: _Question) -> Iterator[Snapshot]:
    # The transaction is begun by a statement of our own, which psycopg leaves alone in this mode.
    before, connection.autocommit = connection.autocommit, True
    try:
        least = _begin(connection, question)
        yield Snapshot(connection, _position(connection, question.known, least), question.effective_at)
    finally:
        if not connection.closed:
            connection.rollback()
            connection.autocommit = before


def _begin(connection: Connection, question: _Question) -> int:
    """Begins anew, each time with a fresh snapshot, until the projections are where the question needs them."""
    deadline = time.monotonic() + question.timeout_seconds
    pause = FIRST_PAUSE_SECONDS
    connection.execute(BEGIN)
    needed = 0 if question.stale else _needed(connection, question)
    while (least := _least_position(connection, question.names, needed)) < needed:
        connection.rollback()
        if time.monotonic() >= deadline:
            raise _too_late(question, least, needed)
        time.sleep(pause)
        pause = min(2 * pause, LAST_PAUSE_SECONDS)
        connection.execute(BEGIN)
    return least


def _too_late(question: _Question, least: int, needed: int) -> ProjectionsBehind:
    if least == NEVER_STARTED:
        return ProjectionsBehind("the projections were never started; ledger serve or ledger project runs them")
    return ProjectionsBehind(
        f"the projections stand at position {least}, the question needs {needed}, and they did not come so far "
        f"within {question.timeout_seconds:g} s; ask again, or with stale=true for what they have"
    )


def _needed(connection: Connection, question: _Question) -> int:
    """How far the projections must be: as far as the point asked for, else as the log was when the question came."""
    end = log_end(connection).position
    point = end if question.known is None else _point(connection, question.known, end)
    return max(point, question.min_position or 0)


def _point(connection: Connection, known: int | datetime, end: int) -> int:
    if isinstance(known, datetime):
        _require_past(connection, known)
        return position_at(connection, known)
    if known > end:
        raise Malformed(f"position {known} is asked for, the log ends at {end}; ask as of a position up to that")
    return known


def _require_past(connection: Connection, recorded_at: datetime) -> None:
    """What will be recorded up to a time that is yet to come cannot be told; the log may be ahead of the clock."""
    row = connection.execute(
        "select greatest(clock_timestamp(), (select recorded_at from events order by notification_id desc limit 1))"
    ).fetchone()
    if row is not None and recorded_at > row[0]:
        raise Malformed(
            f"recorded_at {recorded_at.isoformat()} is asked for, which lies ahead of the database's clock at "
            f"{row[0].astimezone(UTC).isoformat()}; ask as of a time up to that"
        )


def _position(connection: Connection, known: int | datetime | None, least: int) -> int:
    return least if known is None else min(_point(connection, known, log_end(connection).position), least)


def _least_position(connection: Connection, names: Sequence[str], needed: int) -> int:
    """The position that all projections have reached; ProjectionsBehind where one will not come to the one needed."""
    known = standings(connection)
    for name in names:
        if name not in known:
            return NEVER_STARTED
        obstacle = known[name].obstacle(name)
        if obstacle is not None and (known[name].position < needed or known[name].error is None):
            raise ProjectionsBehind(obstacle)
    return min((known[name].position for name in names), default=needed)
