"""What /metrics says of a ledger that is well, of projections that stand still, and without the database."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.command_line.screen import Exit
from projections.balances.projector import BalancesProjector
from projections.catalogue import ALL
from projections.progress import record_failure
from projections.projector import Batch, Tables, Writes
from projections.runner import ProjectionFailed, catch_up
from tests.api.command_line import CommandLine
from tests.api.house import House, deposit, open_account, open_house, opened_market
from tests.api.test_outage import database_away

Measured = dict[tuple[str, str], float]


def measured(house: House) -> Measured:
    """Every sample by its name and its one label, asked for without a key."""
    answer = house.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_the_log_and_every_projection_are_measured(told: House) -> None:
    told.get("/v1/accounts/alice")
    found = measured(told)
    end = told.log_end()
    assert found["ledger_log_position", ""] == found["ledger_events_recorded_total", ""] == end
    assert 0 <= found["ledger_newest_event_age_seconds", ""] < 600
    assert (found["ledger_database_up", ""], found["ledger_waiting_commands", ""]) == (1, 0)
    for name in ALL:
        shown = {part: found[f"ledger_projection_{part}", name] for part in ("position", "lag", "led", "failed")}
        assert shown == {"position": end, "lag": 0, "led": 1, "failed": 0}


def test_commands_are_counted_by_what_became_of_them(told: House) -> None:
    before = measured(told)
    one = deposit("alice", "1", "metric-1")
    told.post([one, one, deposit("nobody", "1", "metric-2")])
    told.post(one)
    told.post(deposit("nobody", "1", "metric-3"))
    counted = {
        outcome: measured(told)["ledger_commands_decided_total", outcome]
        - before["ledger_commands_decided_total", outcome]
        for outcome in ("recorded", "replayed", "refused")
    }
    assert counted == {"recorded": 1, "replayed": 2, "refused": 2}


@pytest.fixture
def broken(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[House, int]]:
    """A house whose projection of balances stands still, and the event that it stands before."""
    with open_house(database, projecting=False) as house:
        opened_market(house)
        house.send(open_account("alice"), deposit("alice", "1", "d1"), deposit("alice", "1", "d2"))
        bad = house.log_end() - 1
        project = BalancesProjector.project

        def failing(self: BalancesProjector, batch: Batch, tables: Tables) -> Writes:
            if any(recorded.position == bad for recorded in batch.events):
                raise ArithmeticError(f"event {bad} is not understood")
            return project(self, batch, tables)

        monkeypatch.setattr(BalancesProjector, "project", failing)
        with pytest.raises(ProjectionFailed):
            catch_up(database)
        catch_up(database, [name for name in ALL if name != "balances"])
        yield house, bad


def test_a_projection_that_stands_still_is_told_with_the_event_and_since_when(broken: tuple[House, int]) -> None:
    house, bad = broken
    found = measured(house)
    assert found["ledger_projection_failed", "balances"] == 1
    assert found["ledger_projection_failed_position", "balances"] == bad
    assert found["ledger_projection_lag", "balances"] == 2
    assert 0 <= found["ledger_projection_failed_seconds", "balances"] < 600
    assert found["ledger_projection_failed", "journal"] == 0
    shown = house.http.get("/health").json()["projections"]
    assert (shown["balances"]["error_position"], shown["journal"]["error_position"]) == (bad, None)
    assert f"stands still before event {bad}: ArithmeticError" in shown["balances"]["error"]
    assert (shown["balances"]["failed_at"] is not None, shown["journal"]["failed_at"]) == (True, None)


def test_since_when_a_projection_stands_still_does_not_move_when_it_is_tried_again(
    broken: tuple[House, int],
) -> None:
    house, bad = broken
    first = house.http.get("/health").json()["projections"]["balances"]["failed_at"]
    with house.pool.connection() as connection:
        record_failure(connection, "balances", bad, "the same event again")
    again = house.http.get("/health").json()["projections"]["balances"]
    assert again["failed_at"] == first
    assert "the same event again" in again["error"]
    with house.pool.connection() as connection:
        record_failure(connection, "balances", bad + 1, "another event")
    assert house.http.get("/health").json()["projections"]["balances"]["failed_at"] > first


def test_status_shows_the_event_the_error_and_since_when(
    broken: tuple[House, int], database: str, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bad = broken
    command_line.use(database)
    monkeypatch.setenv("COLUMNS", "250")
    ended = command_line("status")
    assert ended.code == Exit.DIFFERENCE
    row = next(one for one in ended.out.splitlines() if "balances" in one and "stands still" in one)
    assert f"before event {bad}: ArithmeticError: event {bad} is not understood" in row
    assert " UTC " in row


def test_without_the_database_the_process_still_tells_of_itself(told: House) -> None:
    with database_away(told.url):
        found = measured(told)
    assert found["ledger_database_up", ""] == 0
    assert ("ledger_log_position", "") not in found
    assert ("ledger_open_streams", "events") in found
