"""A batch whose attempt to be recorded breaks off is decided anew; a definite error is told for what it is."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ledger import Ledger, Refused, Unavailable, WriterSettings, parse_command
from ledger.postgres import connect
from ledger.storage import RECORD, _recording, lock_log
from ledger.wire import Wire, is_definite
from tests.ledger.submitting import ask, ask_one, code, depositing, end_of, free, open_ledger, opening, trading

HALT = {"type": "set_pair_status", "pair": "BTC/USDT", "status": "halted", "idempotency_key": "halt"}
BTC_TO_BOB = {**depositing("1", "b"), "account_id": "bob", "asset": "BTC"}


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database, autocommit=True) as opened:
        yield opened


def test_what_others_set_while_an_attempt_breaks_off_counts(database: str) -> None:
    """Others halt the pair while a trade is under way, and the writer's connection breaks as it waits for the lock."""
    with open_ledger(database) as other, Ledger(database, WriterSettings(patience_seconds=20)) as ledger:
        ask(ledger, depositing("1000", "a"), BTC_TO_BOB)
        for _ in range(12):
            ask(ledger)  # Alone for long enough to have a head start again.
        ask(other, HALT)
        with connect(database, autocommit=True) as holding:
            with holding.transaction():
                lock_log(holding)
                trade = ledger.submit_async([parse_command(trading("T1"))], actor="test")
                _break_off_who_waits(database)
            assert code(trade.result()[0]) == "pair_not_trading"
        assert code(ask_one(ledger, trading("T2"))) == "pair_not_trading"
        assert ledger.market().pairs["BTC/USDT"].status == "halted"
        assert free(ledger, "alice") == 1000


def _break_off_who_waits(database: str) -> None:
    """Cut the writer that waits for the ordering lock, twice: in its first sending, and when it then tries alone."""
    with connect(database, autocommit=True) as watching:
        for _ in range(2):
            cut = 0
            while not cut:
                cut = watching.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                    " and application_name = 'ledger writer' and wait_event_type = 'Lock'"
                ).rowcount
                threading.Event().wait(0.02)


def test_a_lost_server_is_a_lost_connection(connection: psycopg.Connection[Any], database: str) -> None:
    wire = Wire(connection, RECORD)
    with connect(database, autocommit=True) as holding, holding.transaction():
        lock_log(holding)
        answers = wire.send(_recording([], {}, 0))
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
