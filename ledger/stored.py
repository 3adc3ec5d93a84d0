"""The log and its keys as they are stored, bytes and all: read out in order, and put into a database that has none."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, NamedTuple
from uuid import uuid4

from psycopg.rows import tuple_row

from ledger.log import Connection

ROWS_AT_ONCE = 2_000
"""How many rows are on their way from the server at a time."""

_EVENTS = """
select notification_id, recorded_at, originator_id, originator_version, topic, state from public.events
where notification_id > %(after)s and notification_id <= %(until)s
"""
_OF_STREAMS = " and originator_id = any(%(streams)s)"
# A key belongs to the last event that it names: up to a position of the log, events and keys are then whole together.
_KEYS = """
select account_id, key, content::text, first_position, last_position from public.idempotency_keys
where last_position > %(after)s and last_position <= %(until)s
order by last_position, account_id collate "C", key collate "C"
"""
_COPY_EVENTS = """
copy public.events (notification_id, recorded_at, originator_id, originator_version, topic, state)
from stdin (format binary)
"""
_COPY_KEYS = "copy public.idempotency_keys (account_id, key, content, first_position, last_position) from stdin"


_BEGINNING_OF_TIMES = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEAD, _LENGTH = Struct(">hiqiqiqi"), Struct(">i")


class StoredEvent(NamedTuple):
    """A row of the log: what the recorder gave an event, and its bytes."""

    position: int
    recorded_at: datetime
    stream: str
    version: int
    topic: str
    state: bytes

    @property
    def leaf(self) -> bytes:
        """The event's leaf in the tree that seals the log, the same that `sealing.read_leaves` has of the server."""
        stream, topic = self.stream.encode(), self.topic.encode()
        recorded_at = (self.recorded_at - _BEGINNING_OF_TIMES) // _MICROSECOND
        head = _HEAD.pack(6, 8, self.position, 8, recorded_at, 8, self.version, len(stream))
        return b"".join((head, stream, _LENGTH.pack(len(topic)), topic, _LENGTH.pack(len(self.state)), self.state))


class StoredKey(NamedTuple):
    """A used key: the command's content (None of a further key) and the events that it names, first and last."""

    account_id: str
    key: str
    content: str | None
    first_position: int
    last_position: int


def stored_events(
    connection: Connection, after: int, until: int, streams: Sequence[str] | None = None
) -> Iterator[StoredEvent]:
    """The rows of the log after a position up to another, in order, of these streams only if they are named.

    Like `stored_keys`, it needs an open transaction and never holds more than ROWS_AT_ONCE rows.
    """
    query = f"{_EVENTS}{'' if streams is None else _OF_STREAMS} order by notification_id"
    asked = {"after": after, "until": until, "streams": None if streams is None else list(streams)}
    for position, recorded_at, *rest in _stream(connection, query, asked):
        yield StoredEvent(position, recorded_at.astimezone(UTC), *rest)


def stored_keys(connection: Connection, after: int, until: int) -> Iterator[StoredKey]:
    """The keys whose last event lies after a position and up to another, in order of that, account and key."""
    yield from (StoredKey(*row) for row in _stream(connection, _KEYS, {"after": after, "until": until}))


def holds_nothing(connection: Connection) -> bool:
    """Whether no event and no key is stored, nothing is sealed, and no projection has seen an event."""
    row = connection.execute(
        "select exists (select from public.events) or exists (select from public.idempotency_keys)"
        " or exists (select from public.seal_leaves) or exists (select from public.checkpoints)"
        " or exists (select from public.projection_positions where position > 0)"
    ).fetchone()
    return row is not None and not row[0]


def put_events(connection: Connection, events: Iterable[StoredEvent]) -> None:
    """Stores rows as they are, their positions and times too; whoever asks holds the ordering lock."""
    with connection.cursor() as cursor, cursor.copy(_COPY_EVENTS) as copy:
        copy.set_types(["int8", "timestamptz", "text", "int8", "text", "bytea"])
        for event in events:
            copy.write_row(event)


def put_keys(connection: Connection, keys: Iterable[StoredKey]) -> None:
    """Stores keys as they are; as text, for in binary a content would be written as JSON once more."""
    with connection.cursor() as cursor, cursor.copy(_COPY_KEYS) as copy:
        for key in keys:
            copy.write_row(key)


def put_restoration(connection: Connection, end: int) -> None:
    """States that the texts of the events up to this one were sealed elsewhere, under keys that are not here."""
    put = "insert into restorations (last_position) select %(end)s where %(end)s > 0 on conflict do nothing"
    connection.execute(put, {"end": end})


def _stream(connection: Connection, query: str, asked: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(f"stored_{uuid4().hex}", row_factory=tuple_row) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        # A result is fetched in binary, or bytes would come twice as long.
        yield from cursor.execute(query, asked, binary=True)
