"""Reading the log: its events in the order of recording, the events of one stream, and where it ends.

Whatever reads events refuses with EventUnreadable where the bytes of one are no event, or one of another stream.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row
from pydantic import ValidationError

from ledger.errors import EventUnreadable
from ledger.events import EVENTS, AnyEvent, read_event
from ledger.misfits import misfits

# Any connection will do, whatever its rows look like: these functions make cursors of their own.
Connection = psycopg.Connection[Any]

PAGE_EVENTS = 1_000
FIRST_EVENTS_BACK = 16


class RecordedEvent(NamedTuple):
    """An event with what the recorder gave it: its position in the log and when it was recorded (UTC)."""

    position: int
    recorded_at: datetime
    event: AnyEvent


class StoredRow(NamedTuple):
    """An event as it is stored, not yet read."""

    position: int
    originator_id: str
    topic: str
    state: bytes


class LogEnd(NamedTuple):
    """The last position of the log and when it was recorded; position 0 and no time while the log is empty."""

    position: int
    recorded_at: datetime | None


_EVENTS = "select notification_id, recorded_at, topic, state from events"
_ROWS = """
select notification_id, originator_id, topic, state from events
where notification_id > %s order by notification_id limit %s
"""
_POSITION_AT = """
with recursive search (before, after) as (
    select 0::bigint, coalesce(max(notification_id), 0) + 1 from events
    union all
    select case when recorded_at <= %(moment)s then notification_id else before end,
           case when recorded_at <= %(moment)s then after else notification_id end
    from search join events on notification_id = (before + after) / 2
    where after - before > 1
)
select max(before) from search
"""
_VERSION_AT = """
with recursive search (before, after) as (
    select 0::bigint, coalesce(max(originator_version), 0) + 1 from events where originator_id = %(stream)s
    union all
    select case when notification_id <= %(position)s then originator_version else before end,
           case when notification_id <= %(position)s then after else originator_version end
    from search join events on originator_id = %(stream)s and originator_version = (before + after) / 2
    where after - before > 1
)
select max(before) from search
"""


def read_log(connection: Connection, after: int, limit: int, until: int | None = None) -> list[RecordedEvent]:
    """Up to `limit` events of all streams after a position, in order, none beyond the position `until`."""
    query = f"{_EVENTS} where notification_id > %s and notification_id <= %s order by notification_id limit %s"
    return list(_read(connection, query, [after, 2**63 - 1 if until is None else until, limit]))


def read_half(connection: Connection, after: int, until: int, half: int) -> list[RecordedEvent]:
    """The events after a position up to another, in order, of the streams whose names the server hashes to a half."""
    query = f"{_EVENTS} where notification_id > %s and notification_id <= %s and {half_of('originator_id')} = %s"
    return list(_read(connection, f"{query} order by notification_id", [after, until, half]))


def half_of(column: str) -> str:
    """The SQL for the half of all streams, 0 or 1, that the stream named in a column belongs to."""
    return f"hashtext({column}) & 1"


def read_rows(connection: Connection, after: int, limit: int) -> list[StoredRow]:
    """Like `read_log`, for who looks into few of the events."""
    rows = _cursor(connection).execute(_ROWS, [after, limit], prepare=True)
    return [StoredRow(*row) for row in rows]


def read_stream(
    connection: Connection,
    account_id: str,
    *,
    after_version: int = 0,
    until_position: int | None = None,
    limit: int | None = None,
) -> list[RecordedEvent]:
    """The events of one account (or of @exchange or @prices) in order, none recorded beyond `until_position`."""
    query = f"{_EVENTS} where originator_id = %s and originator_version > %s order by originator_version limit %s"
    return list(_of_stream(account_id, _read(connection, query, [account_id, after_version, limit], until_position)))


def stream_pages(
    connection: Connection, account_id: str, after_version: int, until_version: int
) -> Iterator[list[RecordedEvent]]:
    """The events of one stream after a version up to another, in order, in pages of at most PAGE_EVENTS events."""
    query = f"{_EVENTS} where originator_id = %s and originator_version > %s and originator_version <= %s"
    ordered = f"{query} order by originator_version limit {PAGE_EVENTS}"
    while page := list(_of_stream(account_id, _read(connection, ordered, [account_id, after_version, until_version]))):
        yield page
        after_version = page[-1].event.version


def stream_back(connection: Connection, account_id: str, until_version: int) -> Iterator[RecordedEvent]:
    """The events of one stream from a version back to its first, the last one first, in pages that grow."""
    query = f"{_EVENTS} where originator_id = %s and originator_version <= %s order by originator_version desc limit %s"
    limit = FIRST_EVENTS_BACK
    while page := list(_of_stream(account_id, _read(connection, query, [account_id, until_version, limit]))):
        yield from page
        until_version, limit = page[-1].event.version - 1, min(4 * limit, PAGE_EVENTS)


def read_versions(connection: Connection, account_id: str, versions: Sequence[int]) -> list[RecordedEvent]:
    """The events of one stream that have these versions, in order."""
    query = f"{_EVENTS} where originator_id = %s and originator_version = any(%s) order by originator_version"
    return list(_of_stream(account_id, _read(connection, query, [account_id, list(versions)])))


def read_streams(connection: Connection, account_ids: Sequence[str], until_position: int) -> list[RecordedEvent]:
    """The events of several streams, stream by stream and each in order, none recorded beyond `until_position`."""
    query = f"{_EVENTS} where originator_id = any(%s) order by originator_id, originator_version"
    return list(_read(connection, query, [list(account_ids)], until_position))


def read_positions(connection: Connection, positions: Sequence[int]) -> list[RecordedEvent]:
    """The events at these positions, in order of position; positions beyond the log's end are left out."""
    return list(
        _read(connection, f"{_EVENTS} where notification_id = any(%s) order by notification_id", [list(positions)])
    )


def read_topics(connection: Connection, topics: Sequence[str], until_position: int) -> Iterator[RecordedEvent]:
    """The events under these topics up to a position, in log order; walks the log, as no index of it knows topics."""
    query = f"{_EVENTS} where topic = any(%s) and notification_id <= %s order by notification_id"
    return _read(connection, query, [list(topics), until_position])


def log_end(connection: Connection) -> LogEnd:
    """The last position of the log and when it was recorded."""
    row = (
        _cursor(connection)
        .execute("select notification_id, recorded_at from events order by notification_id desc limit 1", prepare=True)
        .fetchone()
    )
    return LogEnd(0, None) if row is None else LogEnd(row[0], row[1].astimezone(UTC))


def position_at(connection: Connection, recorded_at: datetime) -> int:
    """The last position recorded at or before a time, 0 if none; found by halving, as recorded_at never decreases."""
    row = _cursor(connection).execute(_POSITION_AT, {"moment": recorded_at}).fetchone()
    return int(row[0]) if row else 0


def version_at(connection: Connection, account_id: str, position: int) -> int:
    """The version of a stream at a log position, 0 before its first event; found by halving, as neither has gaps."""
    row = _cursor(connection).execute(_VERSION_AT, {"stream": account_id, "position": position}).fetchone()
    return int(row[0]) if row else 0


def read_at(position: int, topic: str, state: bytes) -> AnyEvent:
    """The event that is stored at a position; EventUnreadable, which names the position, where it is none."""
    try:
        return read_event(topic, state)
    except Exception as error:  # Whatever a validator raises at such bytes.
        why = f"event {position} cannot be read: {_in_words(topic, error)}"
        raise EventUnreadable(why, position=position) from error


def _in_words(topic: str, error: Exception) -> str:
    if topic not in EVENTS:
        return f"no kind of event has the topic {topic!r}"
    found = [f"{type(error).__name__}: {error}"]
    if isinstance(error, ValidationError):
        # An event may hold what is not to be told.
        found = [misfits(error.errors(), hidden=None)]
    return f"its bytes are no {topic} ({'; '.join(found)})"


def _read(
    connection: Connection, query: str, parameters: Sequence[Any], until: int | None = None
) -> Iterator[RecordedEvent]:
    """The events that a query finds, none beyond the position `until`."""
    for position, recorded_at, topic, state in _cursor(connection).execute(query, parameters, prepare=True):
        # Filtered here, so that no plan ever walks the log by position to find one stream.
        if until is None or position <= until:
            yield RecordedEvent(position, recorded_at.astimezone(UTC), read_at(position, topic, state))


def _of_stream(account_id: str, events: Iterable[RecordedEvent]) -> Iterator[RecordedEvent]:
    """The events of a stream; EventUnreadable where one says that it is another's, so that nobody takes it for one."""
    for one in events:
        if one.event.account_id != account_id:
            why = f"event {one.position} cannot be read: it is stored as one of {account_id}, "
            raise EventUnreadable(f"{why}its bytes say {one.event.account_id}", position=one.position)
        yield one


def _cursor(connection: Connection) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.cursor(binary=True, row_factory=tuple_row)
