"""A question's view of the projections: one database snapshot, at the one log position that all its parts are of."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
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
BEGIN = f"""
begin isolation level repeatable read read only;
set local search_path to {LIVE}, public;
set local timezone to 'UTC';
lock table public.projection_swaps in access share mode
"""


class AsOf(NamedTuple):
    """The point that a question asks about: a log position, a recorded time or an effective time."""

    kind: Literal["position", "recorded_at", "effective_at"]
    value: int | datetime


class Snapshot(NamedTuple):
    """A consistent view: every query on `connection` that is asked as of `position` answers from the same events.

    `as_of` is None for a question about now. Where it names an effective time, `position` says what was known.
    """

    connection: Connection
    position: int
    as_of: AsOf | None

    @property
    def effective_at(self) -> datetime | None:
        """The effective time asked for, if one was."""
        if self.as_of is not None and isinstance(self.as_of.value, datetime) and self.as_of.kind == "effective_at":
            return self.as_of.value
        return None


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
    with `stale` it takes what they have. Ends with the context. Refuses with Malformed: more than one point asked for,
    or one beyond the log's end; with ProjectionsBehind: the projections were not there in time.
    """
    question = _Question(as_of(position, recorded_at, effective_at), min_position, stale, timeout_seconds, names)
    if isinstance(source, ConnectionPool):
        with source.connection() as connection, _snapshot(connection, question) as snapshot:
            yield snapshot
    else:
        with _snapshot(source, question) as snapshot:
            yield snapshot


class _Question(NamedTuple):
    as_of: AsOf | None
    min_position: int | None
    stale: bool
    timeout_seconds: float
    names: Sequence[str]


def as_of(position: int | None, recorded_at: datetime | None, effective_at: datetime | None) -> AsOf | None:
    """The one point that is given, None if none is; Malformed where there are more."""
    asked: list[AsOf] = []
    if position is not None:
        asked.append(AsOf("position", position))
    if recorded_at is not None:
        asked.append(AsOf("recorded_at", recorded_at))
    if effective_at is not None:
        asked.append(AsOf("effective_at", effective_at))
    if len(asked) > 1:
        kinds = " and ".join(one.kind for one in asked)
        raise Malformed(f"{kinds} were given together; a question is as of one point")
    return asked[0] if asked else None


@contextmanager
def _snapshot(connection: Connection, question: _Question) -> Iterator[Snapshot]:
    # The transaction is begun by a statement of our own, which psycopg leaves alone in this mode.
    before, connection.autocommit = connection.autocommit, True
    try:
        least = _begin(connection, question)
        yield Snapshot(connection, _position(connection, question.as_of, least), question.as_of)
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
    as_of, end = question.as_of, log_end(connection).position
    point = end if as_of is None or as_of.kind == "effective_at" else _point(connection, as_of, end)
    return max(point, question.min_position or 0)


def _point(connection: Connection, as_of: AsOf, end: int) -> int:
    if isinstance(as_of.value, datetime):
        return position_at(connection, as_of.value)
    if as_of.value > end:
        raise Malformed(f"position {as_of.value} is asked for, the log ends at {end}; ask as of a position up to that")
    return as_of.value


def _position(connection: Connection, as_of: AsOf | None, least: int) -> int:
    if as_of is None or as_of.kind == "effective_at":
        return least
    return min(_point(connection, as_of, log_end(connection).position), least)


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
