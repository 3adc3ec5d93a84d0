"""Events to rows and back: the recorder, which gives each its position and recorded_at under the ordering lock."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import psycopg
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    BaseInfrastructureFactory,
    JSONTranscoder,
    Mapper,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresFactory
from eventsourcing.utils import Environment
from psycopg.rows import dict_row, tuple_row

from ledger.arrays import Blobs, Integer, Integers, Texts
from ledger.events import Event, read_event, write_event
from ledger.idempotency import Key, UsedKey
from ledger.log import Connection
from ledger.postgres import SERVICE, open_pool
from ledger.wire import Call, Statement, execute

CHANNEL = "ledger_events"
# Any number will do, so long as every writer takes the same one.
ORDERING_LOCK = 4_712_024

_LOCK = "select pg_advisory_xact_lock(%s)"
_LOCKED_END = """
select coalesce(notification_id, 0), greatest(recorded_at, clock_timestamp())
from (select) as always
left join (select notification_id, recorded_at from events order by notification_id desc limit 1) as last on true
"""
RECORD = Statement(
    "record_batch",
    "select record_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    (Integer, Integer, Texts, Integers, Texts, Blobs, Texts, Texts, Texts, Integers, Integers),
)
"""Takes the ordering lock and records a batch if the log ends where it was read to; answers whether it did."""

_RECORDED = """
select originator_id, state from events where notification_id > %s and notification_id <= %s order by notification_id
"""


class LogMovedOn(Exception):
    """The log's end is no longer where the writer of these events had read to: they must be decided anew."""


class LockedEnd(NamedTuple):
    """The log's last position while its lock is held, and the time that whatever is recorded next is given."""

    position: int
    next_recorded_at: datetime


class NewRow(NamedTuple):
    """An event to record, with the names of the library's StoredEvent, which takes ten times as long to make."""

    originator_id: str
    originator_version: int
    topic: str
    state: bytes


_new = tuple.__new__


class EventMapper(Mapper[str]):
    """Our events under their own topics, as the JSON that pydantic writes; the library's transcoder is not used."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        event = cast(Event, domain_event)
        row = _new(NewRow, (event.account_id, event.version, event.TOPIC, write_event(event)))
        return cast(StoredEvent, row)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        return cast(DomainEventProtocol[str], read_event(stored_event.topic, stored_event.state))


class EventDatastore(PostgresDatastore):
    """The library's access to the database over a pool of ours, which connects when it is first asked."""

    def __init__(self, url: str) -> None:
        super().__init__("", "", "", "", "", originator_id_type="text", enable_db_functions=False)
        options: dict[str, Any] = {
            "kwargs": {"autocommit": True, "row_factory": dict_row},
            "configure": read_committed,
            "num_workers": 1,
        }
        # The library waits ten times as long as this before it gives a lost database up.
        self.pool = cast(Any, open_pool(url, role=SERVICE, min_size=0, max_size=4, timeout_seconds=1.0, **options))

    def register_type_adapters(self) -> None:
        """Nothing to register: events are inserted as plain arrays, not as a composite type."""


class EventRecorder(PostgresApplicationRecorder):
    """Records events with gapless positions and a recorded_at that never decreases along the log."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore, events_table_name="events")
        self.channel_name = CHANNEL

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Record events in one transaction and return their positions; never retried, as a lost answer is ambiguous.

        `keys` are claimed in the same transaction, each for the events it names. With `read_to`, LogMovedOn unless the
        log still ends there. With `send`, nothing is waited for: the call that records them is given to it, and who
        gave it takes the answer.
        """
        if not stored_events:
            return None
        rows = cast(Sequence[NewRow], stored_events)
        keys: Mapping[Key, UsedKey] = kwargs.get("keys", {})
        read_to: int | None = kwargs.get("read_to")
        send: Callable[[Call], object] | None = kwargs.get("send")
        if send is not None:
            assert read_to is not None
            send(recording(rows, keys, read_to))
            return None
        with self.datastore.get_connection() as connection, connection.transaction():
            first = lock_log(connection).position if read_to is None else read_to
            if not execute(connection, recording(rows, keys, first))[0][0]:
                raise LogMovedOn(f"the log was read to position {first} and ends beyond it")
        return list(range(first + 1, first + len(stored_events) + 1))


class EventFactory(PostgresFactory):
    """Makes the library's parts of ours; the schema comes from our migrations alone (CREATE_TABLE=no)."""

    def __init__(self, env: Environment, url: str) -> None:
        BaseInfrastructureFactory.__init__(self, env)
        self.datastore = EventDatastore(url)

    def application_recorder(self) -> ApplicationRecorder:
        return EventRecorder(self.datastore)


def library_environment(name: str) -> Environment:
    """The library's settings, all of them: it reads none from the process's environment."""
    return Environment(name, {"CREATE_TABLE": "no", "ORIGINATOR_ID_TYPE": "text"})


def read_committed(connection: Connection) -> None:
    """Let each statement see what others committed before it began, also while a transaction is open."""
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED


def lock_log(connection: Connection) -> LockedEnd:
    """Hold the ordering lock until the open transaction ends, and see where the log ends, which nobody else can change.

    The connection must be one of `read_committed`: what others committed while this one waited must be seen.
    """
    with connection.pipeline(), connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        cursor.execute(_LOCK, [ORDERING_LOCK], prepare=True)
        row = cursor.execute(_LOCKED_END, prepare=True).fetchone()
    assert row is not None
    return LockedEnd(row[0], row[1].astimezone(UTC))


def was_recorded(connection: Connection, after: int, events: Sequence[Event]) -> bool:
    """Whether exactly these events stand in the log right after a position: so a lost answer to a commit is found."""
    rows = connection.cursor(binary=True, row_factory=tuple_row).execute(
        _RECORDED,
        [after, after + len(events)],
    )
    return rows.fetchall() == [(event.account_id, write_event(event)) for event in events]


def recording(events: Sequence[NewRow], keys: Mapping[Key, UsedKey], read_to: int) -> Call:
    """The call that records events and keys if the log ends where it was read to."""
    return Call(
        RECORD,
        [
            Integer.of(ORDERING_LOCK),
            Integer.of(read_to),
            Texts.of([event.originator_id for event in events]),
            Integers.of([event.originator_version for event in events]),
            Texts.of([event.topic for event in events]),
            Blobs.of([event.state for event in events]),
            Texts.of([account_id for account_id, _ in keys]),
            Texts.of([key for _, key in keys]),
            Texts.of([used.content for used in keys.values()]),
            Integers.of([used.events[0].position for used in keys.values()]),
            Integers.of([used.events[-1].position for used in keys.values()]),
        ],
    )
