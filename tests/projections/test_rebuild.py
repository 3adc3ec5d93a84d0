"""A rebuild makes the same tables again from nothing, while the live ones stay live, wherever it is killed."""

import threading
import time
from typing import Any

import pytest

from ledger.postgres import connect
from projections import apart
from projections import rebuild as rebuilding
from projections.balances.queries import balances
from projections.catalogue import ALL
from projections.rebuild import RebuildRefused, rebuild
from projections.runner import catch_up
from projections.snapshot import open_snapshot
from projections.verify import verify
from tests.projections.logs import long_log, random_log, record, record_keys, recorded_log
from tests.projections.processes import python, running, standing_of, wait_until

NEWEST = len(random_log())


def test_a_rebuilt_copy_is_row_by_row_the_live_one(database: str) -> None:
    recorded_log(database)
    catch_up(database, batch_size=37)
    told: list[tuple[str, int, int]] = []
    reports = rebuild(database, ALL, lambda *progress: told.append(progress))
    assert reports == [(name, NEWEST, 0, []) for name in ALL]
    many = len(ALL)
    assert {("events", NEWEST, NEWEST), ("indexes", many, many), ("swaps", many, many)} <= set(told)
    assert schemas(database) == {"projections"}
    assert verify(database).differences == []


def test_what_was_wrong_in_the_live_copy_is_reported_and_gone(database: str) -> None:
    recorded_log(database)
    catch_up(database, ["balances"])
    with connect(database) as connection:
        connection.execute("set search_path to projections")
        connection.execute("update balances set free = free + 1 where wallet = 'spot' and asset = 'USDT'")
        row = connection.execute("select count(*) from balances where wallet = 'spot' and asset = 'USDT'").fetchone()
    assert row
    (report,) = rebuild(database, ["balances"])
    assert report.differences == 2 * row[0]
    assert any("the live copy has" in example for example in report.examples)
    assert rebuild(database, ["balances"])[0].differences == 0


def test_a_rebuild_beside_a_running_projection_loses_and_repeats_nothing(database: str) -> None:
    events = long_log(3)
    record(database, events[: len(events) // 2])
    with running(database):
        wait_until(lambda: standing_of(database, "balances").position > 0)
        rest = threading.Thread(target=record_slowly, args=(database, events[len(events) // 2 :]))
        rest.start()
        reports = rebuild(database, ["balances", "positions"])
        rest.join()
        assert [report.differences for report in reports] == [0, 0]
        wait_until(lambda: standing_of(database, "balances").position == len(events))
    record_keys(database)
    assert verify(database).differences == []


def record_slowly(database: str, events: tuple[object, ...]) -> None:
    for start in range(0, len(events), 100):
        record(database, events[start : start + 100])  # type: ignore[arg-type]
        time.sleep(0.05)


@pytest.mark.parametrize("killed_after_seconds", [1.2, 1.6, 2.2])
def test_a_killed_rebuild_leaves_the_live_copy_and_the_next_one_starts_over(
    database: str, killed_after_seconds: float
) -> None:
    events = recorded_log(database, long_log(3))
    catch_up(database)
    process = python("tests.projections.rebuilding_in_a_process", database)
    wait_until(lambda: schemas(database) != {"projections"})
    time.sleep(killed_after_seconds - 1.2)
    process.kill()
    process.wait()
    assert standing_of(database, "balances").position == len(events)
    (report,) = rebuild(database, ["balances"])
    assert (report.position, report.differences) == (len(events), 0)
    assert schemas(database) == {"projections"}
    assert verify(database).differences == []


def test_tables_of_an_older_definition_are_replaced(database: str) -> None:
    recorded_log(database)
    catch_up(database, ["balances"])
    with connect(database) as connection:
        connection.execute("alter table projections.balances add column older text")
        connection.execute("update projection_positions set definition = 'older'")
    (report,) = rebuild(database, ["balances"])
    assert report.examples == ["balances: the live one has other columns, rows are not compared"]
    assert rebuild(database, ["balances"])[0].differences == 0


def test_a_projection_that_never_ran_is_built(database: str) -> None:
    recorded_log(database)
    (report,) = rebuild(database, ["balances"])
    assert (report.position, report.differences) == (NEWEST, 0)
    assert standing_of(database, "balances").position == NEWEST


def test_a_swap_waits_for_questions_that_are_being_read(database: str) -> None:
    recorded_log(database)
    catch_up(database, ["balances"])
    account_id = next(event.account_id for event in random_log() if event.TOPIC == "funds.deposited")
    with connect(database) as connection:
        with open_snapshot(connection, names=["balances"]) as snapshot:
            rebuilding = threading.Thread(target=rebuild, args=(database, ["balances"]))
            rebuilding.start()
            time.sleep(1.5)
            assert rebuilding.is_alive()
            assert balances(snapshot.connection, snapshot.position, account_id)
        rebuilding.join(20)
        assert not rebuilding.is_alive()
        with open_snapshot(connection, names=["balances"]) as snapshot:
            assert balances(snapshot.connection, snapshot.position, account_id)


def test_of_projections_that_stand_still_one_may_go_on_meanwhile(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = random_log()
    half = len(events) // 2
    record(database, events[:half])
    catch_up(database)
    record(database, events[half:])
    names = ["balances", "trial_balance"]
    with connect(database, autocommit=True) as connection:
        failure = "update projection_positions set error = 'x', error_position = %s, failed_at = now()"
        connection.execute(f"{failure} where name = any(%s)", [half + 1, names])

    def going_on(*arguments: Any) -> None:
        apart.build(*arguments)
        catch_up(database, ["balances"])

    monkeypatch.setattr(rebuilding, "build", going_on)
    reports = rebuild(database, names)
    assert [(report.name, report.position, report.differences) for report in reports] == [
        ("balances", len(events), 0),
        ("trial_balance", half, 0),
    ]
    catch_up(database)
    record_keys(database)
    assert verify(database).differences == []


def test_a_projection_named_twice_is_rebuilt_once(database: str) -> None:
    recorded_log(database)
    catch_up(database, ["balances"])
    assert [report.name for report in rebuild(database, ["balances", "balances"])] == ["balances"]


def test_two_rebuilds_of_one_projection_at_once_are_refused(database: str) -> None:
    recorded_log(database)
    catch_up(database, ["balances"])
    with connect(database) as connection, open_snapshot(connection, names=["balances"]):
        first = threading.Thread(target=rebuild, args=(database, ["balances"]))
        first.start()
        wait_until(lambda: "rebuild_balances" in schemas(database))
        with pytest.raises(RebuildRefused, match="another rebuild of projection balances is running"):
            rebuild(database, ["balances"])
    first.join(20)


def schemas(database: str) -> set[str]:
    """The schemas of projections and of their copies."""
    with connect(database) as connection:
        rows = connection.execute("select nspname from pg_namespace where nspname ~ '^(projections|rebuild|verify)'")
        return {name for (name,) in rows}
