"""A batch whose attempt to be recorded breaks off is decided anew; a definite error is told for what it is."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import psycopg
import pytest

from ledger import Ledger, Refused, Unavailable, parse_command
from ledger.postgres import connect
from ledger.storage import ORDERING_LOCK, RECORD, lock_log, recording
from ledger.wire import Wire, is_definite
from tests.ledger.submitting import ask, ask_one, code, depositing, end_of, free, open_ledger, opening, trading

HALT = {"type": "set_pair_status", "pair": "BTC/USDT", "status": "halted", "idempotency_key": "halt"}
BTC_TO_BOB = {**depositing("1", "b"), "account_id": "bob", "asset": "BTC"}


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database, autocommit=True) as opened:
        yield opened


def test_what_others_set_before_an_attempt_breaks_off_counts(database: str) -> None:
    """Others halt the pair while a trade is under way; the writer reads of it, and then its connection breaks."""
    with open_ledger(database) as other, Ledger(database) as ledger, ExitStack() as stack:
        ask(ledger, depositing("1000", "a"), BTC_TO_BOB)
        for _ in range(12):
            ask(other)
            ask(ledger)  # Alone for long enough to have a head start again.
        first, second, watching = (stack.enter_context(connect(database, autocommit=True)) for _ in range(3))
        _take_lock(first)
        halted = other.submit_async([parse_command(HALT)], actor="test")
        _wait_for_waiting(watching, 1)
        trade = ledger.submit_async([parse_command(trading("T1"))], actor="test")
        _wait_for_waiting(watching, 2)
        behind = Thread(target=_take_lock, args=[second])
        behind.start()
        _wait_for_waiting(watching, 3)
        first.execute("select pg_advisory_unlock(%s)", [ORDERING_LOCK])
        assert code(halted.result()[0]) == "recorded"
        behind.join()
        _wait_for_waiting(watching, 1)  # The trade was decided before the halt, and is now to be recorded alone.
        watching.execute(
            "select pg_terminate_backend(pid) from pg_locks join pg_database on pg_database.oid = database"
            " where datname = current_database() and locktype = 'advisory' and not granted"
        )
        second.execute("select pg_advisory_unlock(%s)", [ORDERING_LOCK])
        assert code(trade.result()[0]) == "pair_not_trading"
        assert code(ask_one(ledger, trading("T2"))) == "pair_not_trading"
        assert ledger.market().pairs["BTC/USDT"].status == "halted"
        assert free(ledger, "alice") == 1000


def _take_lock(connection: psycopg.Connection[Any]) -> None:
    connection.execute("select pg_advisory_lock(%s)", [ORDERING_LOCK])


def _wait_for_waiting(connection: psycopg.Connection[Any], number: int) -> None:
    """Wait until so many wait for the ordering lock of this database."""
    waiting = (
        "select count(*) from pg_locks join pg_database on pg_database.oid = database"
        " where datname = current_database() and locktype = 'advisory' and not granted"
    )
    deadline = time.monotonic() + 30
    while connection.execute(waiting).fetchone() != (number,):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_lost_server_is_a_lost_connection(connection: psycopg.Connection[Any], database: str) -> None:
    wire = Wire(connection, RECORD)
    with connect(database, autocommit=True) as holding, holding.transaction():
        lock_log(holding)
        answers = wire.send(recording([], {}, 0))
        holding.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(psycopg.OperationalError) as lost:
            answers.take()
    assert not is_definite(lost.value)


def test_what_one_request_is_refused_for_by_the_database_is_not_its_neighbours(
    connection: psycopg.Connection[Any], database: str
) -> None:
    with open_ledger(database) as ledger:
        connection.execute("alter table events add constraint no_poison check (originator_id <> 'poison')")
        end = end_of(database)
        with connect(database, autocommit=True) as holding, holding.transaction():
            lock_log(holding)
            names = ["one", "poison", "two"]
            futures = [ledger.submit_async([parse_command(opening(name))], actor="t") for name in ("first", *names)]
        answers = [future.result()[0] for future in futures]
        assert [code(answer) for answer in answers] == ["recorded", "recorded", "unavailable", "recorded"]
        refused = answers[2]
        assert isinstance(refused, Refused)
        assert isinstance(refused.refusal, Unavailable)
        assert "nothing was recorded" in refused.refusal.detail
        assert "Failing row" not in refused.refusal.detail
        assert end_of(database) == end + 3
        assert code(ask_one(ledger, opening("three"))) == "recorded"
