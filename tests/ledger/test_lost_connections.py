"""Whatever becomes of the connection, a command is recorded once and answered truly, or the caller is told to retry."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger import EventReference, Ledger, Outcome, Recorded, Refused, Unavailable, WriterSettings
from ledger.embedded import EmbeddedServer
from ledger.postgres import connect, migrate
from tests.databases import make_home, remove_home
from tests.ledger.cutting_proxy import CuttingProxy, Moment
from tests.ledger.submitting import ask, ask_one, code, depositing, end_of, free, open_ledger, opening, sending

MARK = {"type": "mark_prices", "prices": {"BTC/USDT": "50000"}, "source": "test"}


@pytest.fixture
def proxy(database: str) -> Iterator[CuttingProxy]:
    with CuttingProxy(database) as opened:
        yield opened


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_lost_answer_to_a_commit_is_found_out(proxy: CuttingProxy, database: str, moment: Moment) -> None:
    with open_ledger(proxy.url) as ledger:
        proxy.cut_next(moment)
        outcomes = ask(ledger, depositing("40", "d1"), sending("15", "s1"), sending("26", "s2"), MARK, opening("carol"))
        assert proxy.cuts == 1
        assert [code(outcome) for outcome in outcomes] == [
            "recorded",
            "recorded",
            "insufficient_funds",
            "recorded",
            "recorded",
        ]
        assert outcomes[0] == Recorded("alice", 2, 6, [EventReference("alice", "funds.deposited", 2, 6)])
        assert end_of(database) == 10
        assert code(ask_one(ledger, depositing("40", "d1"))) == "replayed"
        assert code(ask_one(ledger, sending("25", "s3"))) == "recorded"
        assert free(ledger, "bob") == 40


def test_an_answer_lost_again_and_again_is_found_out(proxy: CuttingProxy, database: str) -> None:
    with open_ledger(proxy.url) as ledger:
        proxy.cut_next("before the commit", "before the commit", "after the commit")
        assert code(ask_one(ledger, depositing("40", "d1"))) == "recorded"
        assert proxy.cuts == 3
        assert end_of(database) == 6


def test_a_lost_answer_of_one_ledger_is_no_hindrance_to_another(proxy: CuttingProxy, database: str) -> None:
    with open_ledger(proxy.url) as ledger, Ledger(database) as other:
        for number in range(10):
            proxy.cut_next("after the commit" if number % 2 else "before the commit")
            future = ledger.submit_async([], actor="test")
            outcomes = [
                ask_one(other, depositing("1", f"other-{number}")),
                ask_one(ledger, depositing("1", f"d{number}")),
            ]
            future.result()
            assert [code(outcome) for outcome in outcomes] == ["recorded", "recorded"]
        assert free(ledger, "alice") == 20
    assert end_of(database) == 25


def test_where_it_cannot_be_found_out_the_caller_is_told_to_retry(proxy: CuttingProxy, database: str) -> None:
    with Ledger(proxy.url, WriterSettings(patience_seconds=0)) as ledger:
        proxy.cut_next("after the commit")
        outcome = ask_one(ledger, opening("alice"))
        assert isinstance(outcome, Refused)
        assert outcome.refusal.code == "unavailable"
        assert "whether it was is unknown: retry with the same key" in outcome.refusal.detail
        _wait_until(lambda: end_of(database) == 1)
        assert code(ask_one(ledger, opening("alice"))) == "account_exists"


def test_a_connection_that_the_server_cut_is_replaced(database: str) -> None:
    with open_ledger(database) as ledger:
        with connect(database, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        assert code(ask_one(ledger, depositing("40", "d1"))) == "recorded"
        assert ledger.account("alice").version == 2


def test_a_database_that_is_not_there_yet_is_waited_for(empty_database: str) -> None:
    with Ledger(empty_database) as ledger:
        outcome = ask_one(ledger, opening("alice"))
        assert isinstance(outcome, Refused)
        assert outcome.refusal.code == "unavailable"
        assert "nothing was recorded" in outcome.refusal.detail
        with pytest.raises(Unavailable):
            ledger.market()
        with pytest.raises(Unavailable):
            ledger.account("alice")
        migrate(empty_database)
        assert code(ask_one(ledger, opening("alice"))) == "recorded"


@pytest.fixture
def home() -> Iterator[Path]:
    """A server of the test's own, which it may stop."""
    folder = make_home()
    yield folder
    remove_home(folder)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_restarted_database_is_found_again(home: Path, stop: signal.Signals) -> None:
    server = EmbeddedServer(home)
    url = server.attach()
    migrate(url)
    outcomes: dict[str, list[Outcome]] = {}
    with open_ledger(url) as ledger:
        ending = threading.Event()
        load = threading.Thread(target=_deposit_until, args=(ending, ledger, outcomes))
        load.start()
        _wait_until(lambda: len(outcomes) > 20)
        _stop(home, stop)
        _wait_until(lambda: not server.is_running())
        _wait_until(lambda: any(code(one) == "unavailable" for answers in list(outcomes.values()) for one in answers))
        server.attach()
        recovered = len(outcomes) + 20
        _wait_until(lambda: len(outcomes) > recovered)
        ending.set()
        load.join()
        assert {code(answers[-1]) for answers in outcomes.values()} <= {"recorded", "replayed"}
        assert free(ledger, "alice") == len(outcomes)
        assert ledger.account("alice").version == len(outcomes) + 1


def _deposit_until(ending: threading.Event, ledger: Ledger, outcomes: dict[str, list[Outcome]]) -> None:
    """Deposit 1 USDT again and again, each under its own key, and retry what the ledger says is to be retried."""
    while not ending.is_set():
        answers = outcomes.setdefault(f"d{len(outcomes)}", [])
        answers.append(ask_one(ledger, depositing("1", f"d{len(outcomes)}")))
        while code(answers[-1]) == "unavailable":
            time.sleep(0.05)
            answers.append(ask_one(ledger, depositing("1", f"d{len(outcomes)}")))


def _stop(home: Path, how: signal.Signals) -> None:
    os.kill(int((home / "data" / "postmaster.pid").read_text().partition("\n")[0]), how)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
