"""A question's snapshot: what was recorded before it is in it, and everything in it is of one position."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from ledger.errors import Malformed, Unavailable
from ledger.postgres import connect, open_pool
from projections.accounts.queries import list_accounts
from projections.balances.queries import balances
from projections.runner import catch_up
from projections.snapshot import open_snapshot
from tests.projections.logs import FIRST_RECORDED_AT, random_log, record, recorded_log
from tests.projections.processes import running, standing_of

NAMES = ("accounts", "balances")
NEWEST = len(random_log())


def test_a_question_waits_for_everything_recorded_before_it(database: str) -> None:
    catch_up(database, NAMES)
    recorded_log(database)
    late = threading.Timer(0.3, catch_up, [database, NAMES])
    late.start()
    with connect(database) as connection, open_snapshot(connection, names=NAMES) as snapshot:
        assert snapshot[1:] == (NEWEST, None)
        assert list_accounts(snapshot.connection, snapshot.position)
    late.join()


def test_a_question_that_waits_too_long_is_unavailable_and_a_stale_one_is_answered(database: str) -> None:
    record(database, random_log()[:50])
    catch_up(database, NAMES)
    record(database, random_log()[50:])
    with connect(database) as connection:
        with (
            pytest.raises(Unavailable, match=f"stand at position 50, the question needs {NEWEST}.*within 0.1 s"),
            open_snapshot(connection, names=NAMES, timeout_seconds=0.1),
        ):
            pass
        with open_snapshot(connection, names=NAMES, stale=True) as snapshot:
            assert snapshot.position == 50
        with open_snapshot(connection, names=NAMES, position=50) as snapshot:
            assert snapshot.position == 50


def test_a_later_position_can_be_asked_for(database: str) -> None:
    record(database, random_log()[:50])
    catch_up(database, NAMES)
    with (
        connect(database) as connection,
        pytest.raises(Unavailable, match="needs 51"),
        open_snapshot(connection, names=NAMES, min_position=51, timeout_seconds=0.1),
    ):
        pass


def test_as_of_a_position_or_a_recorded_time(database: str) -> None:
    recorded_log(database)
    catch_up(database, NAMES)
    with open_pool(database) as pool:
        with open_snapshot(pool, names=NAMES, position=70) as snapshot:
            assert snapshot[1:] == (70, None)
        for seconds, position in ((0, 0), (0.5, 0), (1, 1), (70.5, 70), (1e6, NEWEST)):
            moment = FIRST_RECORDED_AT + timedelta(seconds=seconds)
            with open_snapshot(pool, names=NAMES, recorded_at=moment) as snapshot:
                assert (snapshot.position, snapshot.effective_at) == (position, None)
        with open_snapshot(pool, names=NAMES, effective_at=FIRST_RECORDED_AT) as snapshot:
            assert (snapshot.position, snapshot.effective_at) == (NEWEST, FIRST_RECORDED_AT)
        with open_snapshot(pool, names=NAMES, position=70, effective_at=FIRST_RECORDED_AT) as snapshot:
            assert snapshot[1:] == (70, FIRST_RECORDED_AT)


def test_what_will_be_recorded_cannot_be_asked_for(database: str) -> None:
    record(database, random_log()[:5])
    catch_up(database, NAMES)
    with connect(database) as connection:
        ahead = datetime.now(UTC) + timedelta(minutes=1)
        with (
            pytest.raises(Malformed, match="lies ahead of the database's clock"),
            open_snapshot(connection, names=NAMES, recorded_at=ahead),
        ):
            pass


def test_a_point_beyond_the_log_and_two_points_at_once_are_malformed(database: str) -> None:
    with connect(database) as connection:
        catch_up(database, NAMES)
        with (
            pytest.raises(Malformed, match="position 1 is asked for, the log ends at 0"),
            open_snapshot(connection, names=NAMES, position=1),
        ):
            pass
        with (
            pytest.raises(Malformed, match="position and recorded_at were given together"),
            open_snapshot(connection, names=NAMES, position=1, recorded_at=FIRST_RECORDED_AT),
        ):
            pass


def test_a_projection_that_stands_still_is_named_at_once(unprojected_database: str) -> None:
    recorded_log(unprojected_database)
    with connect(unprojected_database) as connection:
        with (
            pytest.raises(Unavailable, match="were never started"),
            open_snapshot(connection, names=NAMES, timeout_seconds=0.1),
        ):
            pass
        catch_up(unprojected_database, NAMES)
        connection.execute(
            "update projection_positions set position = 9, error = 'no', error_position = 10, failed_at = now()"
            " where name = 'balances'"
        )
        connection.commit()
        asked_at = time.monotonic()
        with (
            pytest.raises(Unavailable, match="balances stands still before event 10: no"),
            open_snapshot(connection, names=NAMES),
        ):
            pass
        assert time.monotonic() - asked_at < 2
        with open_snapshot(connection, names=["accounts"]) as snapshot:
            assert snapshot.position == NEWEST
        with open_snapshot(connection, names=NAMES, position=9) as snapshot:
            assert snapshot.position == 9


def test_what_is_projected_meanwhile_is_not_seen_and_nothing_can_be_written(database: str) -> None:
    record(database, random_log()[:300])
    with running(database, NAMES), connect(database) as connection:
        account_id = next(event.account_id for event in random_log() if event.TOPIC == "funds.deposited")
        with open_snapshot(connection, names=NAMES) as snapshot:
            before = balances(snapshot.connection, snapshot.position, account_id)
            record(database, random_log()[300:])
            while standing_of(database, "balances").position < NEWEST:
                time.sleep(0.01)
            assert balances(snapshot.connection, snapshot.position, account_id) == before
            with pytest.raises(Exception, match="read-only"):
                snapshot.connection.execute("delete from balances")
        assert not connection.autocommit
        with open_snapshot(connection, names=NAMES) as snapshot:
            assert balances(snapshot.connection, snapshot.position, account_id) != before
