"""The runner: every event counts exactly once, whoever is killed, fails, or runs beside it."""

import signal
import time
from pathlib import Path

import pytest

from ledger import Ledger, Recorded, parse_command
from ledger.postgres import Connection, connect
from projections.balances.projector import BalancesProjector
from projections.copying import Copy, bring, compare, feeding
from projections.journal.projector import JournalProjector
from projections.loans.projector import LoansProjector
from projections.progress import advance
from projections.projector import Batch, Projector, Tables, Writes
from projections.runner import ProjectionFailed, catch_up, status
from projections.snapshot import open_snapshot
from projections.tables import drop_schema
from projections.verify import verify
from tests.projections.logs import long_log, random_log, record, recorded_log
from tests.projections.processes import follower_process, running, standing_of, wait_until

NAMES = ("accounts", "balances", "cross_pool", "isolated_buckets", "positions")
NEWEST = len(random_log())


def differences(url: str, name: str) -> list[str]:
    """How the live tables differ from a fold of the whole log in one go."""
    with connect(url, autocommit=True) as connection, connect(url, autocommit=True) as writer:
        with feeding(connection, writer) as feeder:
            copy = Copy.created(writer, name, f"check_{name}")
            bring(feeder, [copy], standing_of(url, name).position)
        found = compare(connection, name, copy.schema).examples
        drop_schema(connection, copy.schema)
        return found


def assert_every_event_counted_once(url: str) -> None:
    assert {name: differences(url, name) for name in NAMES} == {name: [] for name in NAMES}


def test_all_projections_come_to_the_end_of_the_log(unprojected_database: str) -> None:
    events = recorded_log(unprojected_database)
    assert catch_up(unprojected_database) == len(events)
    with connect(unprojected_database) as connection:
        shown = status(connection)
    assert {row.name: (row.position, row.lag, row.error) for row in shown} == {
        row.name: (len(events), 0, None) for row in shown
    }


def test_a_runner_killed_at_any_moment_counts_every_event_once(unprojected_database: str) -> None:
    events = recorded_log(unprojected_database, long_log(3))
    for part in (1, 2, 3):
        process = follower_process(unprojected_database, NAMES)
        due = part * len(events) // 5
        wait_until(lambda due=due: standing_of(unprojected_database, "positions").position > due)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert catch_up(unprojected_database, NAMES) == len(events)
    assert_every_event_counted_once(unprojected_database)


def test_two_runners_at_once_count_every_event_once_and_one_takes_over_from_the_other(
    unprojected_database: str,
) -> None:
    events = recorded_log(unprojected_database, long_log(3))
    first, second = follower_process(unprojected_database, NAMES), follower_process(unprojected_database, NAMES)
    try:
        wait_until(lambda: standing_of(unprojected_database, "balances").position > len(events) // 4)
        first.kill()
        first.wait()
        wait_until(lambda: all(standing_of(unprojected_database, name).position == len(events) for name in NAMES))
    finally:
        first.kill()
        second.kill()
        first.wait()
        second.wait()
    assert_every_event_counted_once(unprojected_database)


def test_a_standby_takes_over_at_once(database: str) -> None:
    events = recorded_log(database)
    process = follower_process(database, NAMES)
    wait_until(lambda: standing_of(database, "balances").position == len(events))
    with running(database, NAMES):
        time.sleep(0.5)
        process.kill()
        process.wait()
        killed_at = time.monotonic()
        first = next(event for event in events if event.TOPIC == "account.opened")
        last = record(database, [first.model_copy(update={"account_id": "newcomer"})])
        wait_until(lambda: standing_of(database, "balances").position == last)
        assert time.monotonic() - killed_at < 3
    assert_every_event_counted_once(database)


def test_a_leader_is_shown_with_its_session(database: str) -> None:
    recorded_log(database)
    with running(database, NAMES), connect(database, autocommit=True) as connection:
        wait_until(lambda: standing_of(database, "balances").position == NEWEST)
        row = next(row for row in status(connection) if row.name == "balances")
        assert row.leader is not None
        assert row.leader.startswith("ledger projections ")
        assert connection.execute("select 1 from pg_stat_activity where pid = %s", [row.leader_pid]).fetchone()


def test_a_runner_comes_back_when_its_connection_was_ended(database: str) -> None:
    with running(database, NAMES), connect(database, autocommit=True) as connection:
        wait_until(lambda: {row.leader_pid for row in status(connection) if row.name in NAMES} != {None})
        for row in status(connection):
            connection.execute("select pg_terminate_backend(%s)", [row.leader_pid])
        recorded_log(database)
        wait_until(lambda: all(standing_of(database, name).position == NEWEST for name in NAMES))
    assert_every_event_counted_once(database)


def break_at(monkeypatch: pytest.MonkeyPatch, position: int) -> None:
    """Makes the balances projector fail on one event."""
    project = BalancesProjector.project

    def failing(self: BalancesProjector, batch: Batch, tables: Tables) -> Writes:
        if any(recorded.position == position for recorded in batch.events):
            raise ArithmeticError(f"event {position} is not understood")
        return project(self, batch, tables)

    monkeypatch.setattr(BalancesProjector, "project", failing)


def test_a_failing_projector_stops_alone_and_goes_on_when_it_can(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_log(database)
    bad = NEWEST - 100
    with running(database, NAMES), connect(database, autocommit=True) as connection:
        with monkeypatch.context() as broken:
            break_at(broken, bad)
            wait_until(
                lambda: all(standing_of(database, name).position == NEWEST for name in NAMES if name != "balances")
            )
            wait_until(lambda: standing_of(database, "balances").error)
            shown = next(row for row in status(connection) if row.name == "balances")
            assert (shown.position, shown.error_position, shown.lag) == (bad - 1, bad, 101)
            assert f"ArithmeticError: event {bad} is not understood" in str(shown.error)
        wait_until(lambda: standing_of(database, "balances").position == NEWEST)
        assert standing_of(database, "balances").error is None
    assert_every_event_counted_once(database)


@pytest.mark.parametrize("projector", [BalancesProjector, LoansProjector, JournalProjector])
def test_a_batch_that_cannot_be_written_is_projected_again_though_later_ones_were_folded(
    database: str, monkeypatch: pytest.MonkeyPatch, projector: type[Projector]
) -> None:
    """One keeps nothing in memory, one something of each account, one sums: none may keep what was not written."""
    events = recorded_log(database)
    failing: list[int] = []

    class Refused(Writes):
        def write(self, connection: Connection) -> None:
            raise ArithmeticError("the disk is full")

    project = projector.project

    def refusing(self: Projector, batch: Batch, tables: Tables) -> Writes:
        writes = project(self, batch, tables)
        if len(failing) < 4 and batch.last > 200:
            failing.append(batch.last)
            return Refused()
        return writes

    monkeypatch.setattr(projector, "project", refusing)
    assert catch_up(database, batch_size=20) == len(events)
    assert len(failing) == 4
    assert differences(database, projector.name) == []
    assert_every_event_counted_once(database)


def test_catching_up_says_what_stands_still(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded_log(database)
    break_at(monkeypatch, 42)
    with pytest.raises(ProjectionFailed, match="projection balances stands still before event 42: ArithmeticError"):
        catch_up(database, NAMES)


def test_what_another_session_moved_is_read_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two leaders at once should not be; if they are, the position decides, and the loser forgets what it knew."""
    events = recorded_log(database)
    project = BalancesProjector.project
    raced: list[Batch] = []

    class TwiceAdvancing(Writes):
        def write(self, connection: Connection) -> None:
            # As if the other one had been here before: the same batch does not count again.
            advance(connection, "balances", raced[0].events[0].position - 1, raced[0].last)

    def overtaking(self: BalancesProjector, batch: Batch, tables: Tables) -> Writes:
        if not raced and batch.last > 100:
            raced.append(batch)
            return TwiceAdvancing()
        return project(self, batch, tables)

    monkeypatch.setattr(BalancesProjector, "project", overtaking)
    assert catch_up(database, NAMES, batch_size=50) == len(events)
    assert raced
    assert_every_event_counted_once(database)


def test_projections_at_different_positions_meet_again(database: str) -> None:
    events = random_log()
    record(database, events[:100])
    catch_up(database, NAMES[:2])
    record(database, events[100:])
    assert catch_up(database, NAMES, batch_size=64) == len(events)
    assert_every_event_counted_once(database)


def test_what_the_ledger_records_is_in_the_next_answer(database: str) -> None:
    with running(database), Ledger(database) as ledger, connect(database) as connection:
        for number in range(1, 21):
            listing = {"type": "list_asset", "asset": f"AS{number}", "scale": 2, "daily_interest_rate": "0"}
            (outcome,) = ledger.submit(
                [parse_command({**listing, "idempotency_key": str(number)})], actor="operator", correlation_id="c"
            )
            assert isinstance(outcome, Recorded)
            with open_snapshot(connection) as snapshot:
                assert snapshot.position == outcome.position == number
    assert verify(database).differences == []


def test_tables_of_another_definition_are_left_to_a_rebuild(database: str) -> None:
    recorded_log(database)
    catch_up(database, NAMES)
    with connect(database) as connection:
        connection.execute("update projection_positions set definition = 'older' where name = 'balances'")
    with pytest.raises(ProjectionFailed, match="run ledger rebuild balances"):
        catch_up(database, NAMES)


def test_every_projection_has_a_folder_with_its_table_projector_and_queries() -> None:
    from projections.catalogue import ALL

    room = Path(__file__).parents[2] / "projections"
    folders = {file.parent.name for file in room.glob("*/table.sql")}
    assert folders == set(ALL)
    assert all((room / name / file).exists() for name in ALL for file in ("projector.py", "queries.py"))
