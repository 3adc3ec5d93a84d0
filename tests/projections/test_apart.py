"""Of a long log two processes build the copies, each of half of the accounts; killed or not, the same comes of it."""

import threading
import time

import pytest

from ledger.postgres import connect
from projections import apart
from projections.apart import BuilderEnded
from projections.catalogue import ALL
from projections.rebuild import rebuild
from projections.runner import catch_up
from projections.verify import verify
from tests.projections.logs import long_log, random_log, recorded_log
from tests.projections.processes import python, wait_until
from tests.projections.test_rebuild import record_slowly

SESSIONS = "select pid from pg_stat_activity where application_name = 'ledger rebuild, a half'"
CREATED = "select to_regclass('rebuild_balances.balance_states')"
# A rebuild takes these locks itself for a moment, before it starts its processes.
BUILDING = f"select count(*) from pg_locks join ({SESSIONS}) as builders using (pid) where locktype = 'advisory'"


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "FROM_EVENTS", 1)


def test_two_processes_build_what_one_does(database: str) -> None:
    recorded_log(database)
    catch_up(database)
    newest = len(random_log())
    told: list[tuple[str, int, int]] = []
    assert rebuild(database, ALL, lambda *progress: told.append(progress)) == [(name, newest, 0, []) for name in ALL]
    assert {("events", newest, newest), ("indexes", len(ALL), len(ALL)), ("swaps", len(ALL), len(ALL))} <= set(told)
    with connect(database) as connection:
        assert connection.execute(SESSIONS).fetchall() == []
    assert verify(database).differences == []


def test_what_is_recorded_meanwhile_is_in_the_copies(database: str) -> None:
    events = long_log(3)
    recorded_log(database, events[: len(events) // 2])
    rest = threading.Thread(target=record_slowly, args=(database, events[len(events) // 2 :]))
    catch_up(database)
    rest.start()
    assert [report.differences for report in rebuild(database, ["balances", "positions"])] == [0, 0]
    rest.join()
    assert [report.differences for report in rebuild(database, ["balances", "positions"])] == [0, 0]


def test_a_process_whose_session_ends_ends_the_rebuild_and_the_next_one_starts_over(database: str) -> None:
    recorded_log(database)
    catch_up(database)
    raised: list[BaseException] = []

    def rebuilding() -> None:
        try:
            rebuild(database, ["accounts", "balances"])
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=rebuilding)
    thread.start()
    with connect(database) as holding, connect(database, autocommit=True) as connection:
        wait_until(lambda: connection.execute(CREATED).fetchone() != (None,))
        # So that a process is still writing when its session ends.
        holding.execute("lock table rebuild_balances.balance_states in access exclusive mode")
        wait_until(lambda: connection.execute(BUILDING).fetchone() != (0,))
        connection.execute(f"select pg_terminate_backend(pid) from ({SESSIONS}) as sessions")
        thread.join(30)
        holding.rollback()
    assert len(raised) == 1
    assert [report.differences for report in rebuild(database, ["accounts", "balances"])] == [0, 0]


@pytest.mark.parametrize("pause_seconds", [0.0, 0.3])
def test_processes_whose_rebuild_was_killed_write_into_no_copy_of_the_next(database: str, pause_seconds: float) -> None:
    recorded_log(database, long_log(6))
    catch_up(database)
    process = python("tests.projections.rebuilding_in_a_process", database, "apart")
    with connect(database, autocommit=True) as connection:
        wait_until(lambda: connection.execute(SESSIONS).fetchall())
        time.sleep(pause_seconds)
        process.kill()
        process.wait()
        assert [report.differences for report in rebuild(database, ["accounts", "balances"])] == [0, 0]
        wait_until(lambda: not connection.execute(SESSIONS).fetchall())


def test_an_event_that_cannot_be_read_is_told(database: str) -> None:
    recorded_log(database)
    catch_up(database)
    with connect(database, autocommit=True) as connection:
        connection.execute("alter table events disable trigger all")
        connection.execute("update events set state = '{}' where notification_id = 5")
    with pytest.raises(BuilderEnded, match=r"event 5 cannot be read: its bytes are no pair\.listed"):
        rebuild(database, ["accounts", "balances"])
