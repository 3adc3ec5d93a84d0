"""The recorder keeps the library's promises with text ids, and adds its own: no gaps, no time that runs backwards."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import EventStore, IntegrityError, StoredEvent
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)

from ledger.events import AccountOpened, AnyEvent, FundsDeposited
from ledger.idempotency import FIND_KEYS, UsedKey, asked_keys, used_keys
from ledger.log import (
    RecordedEvent,
    log_end,
    position_at,
    read_log,
    read_positions,
    read_stream,
    read_streams,
)
from ledger.outcomes import EventReference
from ledger.postgres import connect
from ledger.storage import EventDatastore, EventMapper, EventRecorder, LogMovedOn, was_recorded
from ledger.wire import Wire
from tests.databases import fresh_database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _OnAFreshDatabase:
    """Gives each test of a library suite a database and ids that are text."""

    recorder_class: type[EventRecorder] = EventRecorder

    @pytest.fixture(autouse=True)
    def _fresh_database(self, server_url: str, template_database: str) -> Iterator[None]:
        with fresh_database(server_url, template_database) as url:
            self.datastore = EventDatastore(url)
            yield
            self.datastore.close()

    def create_recorder(self) -> EventRecorder:
        return self.recorder_class(self.datastore)

    def new_originator_id(self) -> str:
        return f"account-{uuid.uuid4()}"


class _WithoutPositions(EventRecorder):
    """As the library sees a recorder that has no log: its suite for these expects no positions back."""

    def insert_events(self, stored_events: Any, **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


class TestAsAggregateRecorder(_OnAFreshDatabase, AggregateRecorderTestCase):
    recorder_class = _WithoutPositions


class TestAsApplicationRecorder(_OnAFreshDatabase, ApplicationRecorderTestCase[EventRecorder]):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestThatBatchesDoNotInterleave(_OnAFreshDatabase, NonInterleavingNotificationIDsBaseCase):
    pass


del AggregateRecorderTestCase, ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase


@pytest.fixture
def recorder(database: str) -> Iterator[EventRecorder]:
    datastore = EventDatastore(database)
    yield EventRecorder(datastore)
    datastore.close()


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database, autocommit=True) as opened:
        yield opened


def opened(account_id: str) -> AccountOpened:
    return AccountOpened(account_id=account_id, version=1, effective_at=NOON, actor="test", correlation_id="c")


def deposited(account_id: str, version: int, amount: str = "1.50") -> FundsDeposited:
    return FundsDeposited(
        account_id=account_id,
        version=version,
        effective_at=NOON,
        actor="test",
        correlation_id="c",
        asset="USDT",
        amount=Decimal(amount),
    )


def stored(*events: AnyEvent) -> list[StoredEvent]:
    return [EventMapper().to_stored_event(event) for event in events]


def test_events_come_back_from_the_event_store_as_they_went_in(recorder: EventRecorder) -> None:
    store = EventStore[str](EventMapper(), recorder)
    events = [opened("alice"), deposited("alice", 2), opened("bob"), deposited("alice", 3, "0.000000000000000001")]
    recordings = store.put(events)
    assert [one.notification.id for one in recordings] == [1, 2, 3, 4]
    assert list(store.get("alice")) == [events[0], events[1], events[3]]
    assert list(store.get("alice", gt=1, desc=True, limit=1)) == [events[3]]


def test_a_stored_event_has_its_topic_and_readable_state(recorder: EventRecorder) -> None:
    recorder.insert_events(stored(deposited("alice", 1)))
    (row,) = recorder.select_events("alice")
    assert row.topic == "funds.deposited"
    assert b'"amount":"1.50"' in row.state


def test_refused_inserts_leave_no_gap(recorder: EventRecorder) -> None:
    assert recorder.insert_events(stored(opened("alice"))) == [1]
    for _ in range(3):
        with pytest.raises(IntegrityError):
            recorder.insert_events(stored(opened("bob"), opened("alice")))
    assert recorder.insert_events(stored(opened("bob"))) == [2]


def test_events_read_to_another_end_are_not_recorded(recorder: EventRecorder) -> None:
    recorder.insert_events(stored(opened("alice")), read_to=0)
    with pytest.raises(LogMovedOn, match="read to position 0 and ends beyond it"):
        recorder.insert_events(stored(opened("bob")), read_to=0)
    assert recorder.insert_events(stored(opened("bob")), read_to=1) == [2]


def test_keys_are_recorded_with_their_events_or_not_at_all(
    recorder: EventRecorder, connection: psycopg.Connection[Any]
) -> None:
    first, second = EventReference("alice", "account.opened", 1, 1), EventReference("alice", "funds.deposited", 2, 2)
    claims = {
        ("alice", "k1"): UsedKey('{"type": "open_account"}', [first, second]),
        ("alice", "trade_id T"): UsedKey(None, [second]),
    }
    recorder.insert_events(stored(opened("alice"), deposited("alice", 2)), keys=claims)
    third = EventReference("bob", "account.opened", 1, 3)
    with pytest.raises(IntegrityError):
        recorder.insert_events(stored(opened("bob")), keys={("alice", "k1"): UsedKey("{}", [third])})
    assert log_end(connection).position == 2
    asked = asked_keys([("alice", "k1"), ("alice", "trade_id T"), ("bob", "k1"), ("alice", "k2")])
    (rows,) = Wire(connection, FIND_KEYS).send(asked).take()
    found = used_keys(rows)
    assert found[("alice", "k1")] == ('{"type": "open_account"}', [first, second])
    assert found[("alice", "trade_id T")] == (None, [second])
    assert len(found) == 2


@pytest.mark.parametrize("statement", ["update events set topic = ''", "delete from events", "truncate events"])
def test_what_is_recorded_cannot_be_changed(
    recorder: EventRecorder, connection: psycopg.Connection[Any], statement: str
) -> None:
    first = EventReference("alice", "account.opened", 1, 1)
    recorder.insert_events(stored(opened("alice")), keys={("alice", "k"): UsedKey("{}", [first])})
    for table in ("events", "idempotency_keys"):
        changed = statement.replace("events", table).replace("topic", "topic" if table == "events" else "key")
        with pytest.raises(psycopg.errors.RestrictViolation, match=f"{table} is append-only"):
            connection.execute(changed.encode())


def test_recorded_at_never_decreases_whatever_the_clock_says(
    recorder: EventRecorder, connection: psycopg.Connection[Any]
) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=365)
    connection.execute("insert into events values (1, 0, %s, 'ahead', 'account.opened', '{}')", [ahead])
    recorder.insert_events(stored(opened("alice"), opened("bob")))
    assert [one.recorded_at for one in read_log(connection, 1, 10)] == [ahead, ahead]


@pytest.fixture
def five(recorder: EventRecorder, connection: psycopg.Connection[Any]) -> list[RecordedEvent]:
    """Five events of two accounts, recorded in three transactions."""
    recorder.insert_events(stored(opened("alice"), opened("bob")))
    recorder.insert_events(stored(deposited("alice", 2)))
    recorder.insert_events(stored(deposited("bob", 2), deposited("alice", 3)))
    return read_log(connection, 0, 100)


def test_the_log_is_read_in_order_and_in_parts(five: list[RecordedEvent], connection: psycopg.Connection[Any]) -> None:
    assert [one.position for one in five] == [1, 2, 3, 4, 5]
    assert [one.event for one in five][2:4] == [deposited("alice", 2), deposited("bob", 2)]
    assert read_log(connection, 1, 2) == five[1:3]
    assert read_log(connection, 1, 100, until=4) == five[1:4]
    assert read_positions(connection, [5, 2, 99]) == [five[1], five[4]]
    assert log_end(connection) == (5, five[4].recorded_at)


def test_streams_are_read_alone_and_together(five: list[RecordedEvent], connection: psycopg.Connection[Any]) -> None:
    alice, bob = [five[0], five[2], five[4]], [five[1], five[3]]
    assert read_stream(connection, "alice") == alice
    assert read_stream(connection, "alice", after_version=1) == alice[1:]
    assert read_stream(connection, "alice", after_version=1, limit=1) == alice[1:2]
    assert read_stream(connection, "alice", until_position=4) == alice[:2]
    assert read_stream(connection, "nobody") == []
    assert read_streams(connection, ["bob", "alice", "nobody"], 4) == alice[:2] + bob


def test_the_position_at_a_time_is_the_last_recorded_by_then(
    five: list[RecordedEvent], connection: psycopg.Connection[Any]
) -> None:
    moment = timedelta(microseconds=1)
    assert position_at(connection, five[0].recorded_at - moment) == 0
    assert position_at(connection, five[0].recorded_at) == 2
    assert position_at(connection, five[2].recorded_at - moment) == 2
    assert position_at(connection, five[2].recorded_at) == 3
    assert position_at(connection, five[4].recorded_at + moment) == 5


def test_an_empty_log_ends_at_zero(connection: psycopg.Connection[Any]) -> None:
    assert log_end(connection) == (0, None)
    assert position_at(connection, NOON) == 0
    assert read_log(connection, 0, 10) == []


def test_a_recorded_batch_is_known_again_by_its_place_and_bytes(
    five: list[RecordedEvent], connection: psycopg.Connection[Any]
) -> None:
    batch = [five[3].event, five[4].event]
    assert was_recorded(connection, 3, batch)
    assert not was_recorded(connection, 2, batch)
    assert not was_recorded(connection, 3, [*batch, opened("carol")])
    assert not was_recorded(connection, 3, [batch[0], deposited("alice", 3, "1.5")])
