"""The benchmark of the read side runs, measures everything that was promised, and leaves nothing behind."""

from itertools import islice
from typing import Any

import pytest

from benchmarks.market import TRADED
from benchmarks.reading.log import DEPOSITS_PER_LATE_ONE, SHORT_HISTORY, make_log
from benchmarks.reading.plan import SIZES, ReadPlan, read_plan
from benchmarks.reading.questions import QUESTIONS
from benchmarks.reading.ratios import RATIOS, values_of
from benchmarks.reading.turn import ReadTurn
from benchmarks.reading.vectors import PAIRS, Vectors
from ledger.events import FundsDeposited, PricesMarked
from ledger.log import RecordedEvent, read_log
from ledger.postgres import connect, migrate
from tests.benchmarks.running import run_benchmark

SMALLEST = ["--quick", "--json", "--events", "1500", "--accounts", "96", "--vectors", "20", "--long-history", "300"]
SMALL = [*SMALLEST, "--library-events", "50", "--asked", "4"]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """The JSON of one run in as little time as it can take."""
    return run_benchmark("benchmarks.read_side", *SMALL)


@pytest.fixture
def made(empty_database: str) -> tuple[ReadPlan, list[RecordedEvent]]:
    """A small log, and what was asked for."""
    plan = read_plan([*SMALLEST, "--events", "4000"])
    migrate(empty_database)
    log = make_log(plan, empty_database, lambda _: None)
    with connect(empty_database) as connection:
        return plan, read_log(connection, 0, 2 * log.events)


def test_every_promised_figure_is_there(report: dict[str, Any]) -> None:
    asked = {f"{name}_ratio" for name, _ in QUESTIONS}
    for ratio in RATIOS:
        is_measured = not ratio.name.endswith(("as_of_ratio", "audit_query_ratio")) or ratio.name in asked
        assert (report[ratio.name] is not None) == is_measured, ratio.name
        assert (report["reached"][ratio.name] is not None) == is_measured, ratio.name
    assert 0 < report["catch_up_lag_ms"]["p50"] <= report["catch_up_lag_ms"]["p99"]


def test_each_contender_took_its_turns_over_the_whole_of_what_it_was_given(report: dict[str, Any]) -> None:
    events = report["log"]["events"]
    for name in ("rebuild", "copy", "library_runner", "library_runner_unsynced"):
        assert len(report[name]["seconds_per_round"]) == report["plan"]["rounds"] == 2, name
    assert report["rebuild"]["events"] == report["live"]["events"] == events
    assert report["library_runner"]["events"] == report["library_runner_unsynced"]["events"] == 50
    assert report["rebuild"]["rows"] == report["copy"]["rows"] > events
    assert sum(report["copy"]["rows_of_tables"].values()) == report["copy"]["rows"]
    assert report["copy"]["rows_of_tables"]["audit_trail"] == events
    assert report["rebuild"]["rows_written"] >= report["rebuild"]["rows"]


def test_memory_is_told_on_the_way_and_at_most(report: dict[str, Any]) -> None:
    way = report["rebuild"]["resident_mb_on_the_way"]
    assert way[-1][0] == report["log"]["events"]
    assert report["rebuild"]["peak_resident_mb"] > report["rebuild"]["resident_mb_before"] > 0
    assert report["live"]["peak_resident_mb"] > 0


def test_it_says_on_what_it_ran_and_that_its_figures_say_nothing(report: dict[str, Any]) -> None:
    assert (report["machine"]["fsync"], report["machine"]["synchronous_commit"]) == ("on", "on")
    assert "QUICK" in report["warning"]


def test_the_log_is_as_large_as_asked_for(made: tuple[ReadPlan, list[RecordedEvent]]) -> None:
    plan, recorded = made
    assert plan.events <= len(recorded) < 1.3 * plan.events
    marked = [one.event for one in recorded if isinstance(one.event, PricesMarked)]
    # One vector opens the market of the three traded pairs.
    assert len(marked) == plan.vectors + 1
    assert {len(event.prices) for event in marked[1:]} == {PAIRS}
    of_accounts = [sum(one.event.account_id == name for one in recorded) for name in ("long", "short")]
    assert of_accounts[0] >= plan.long_history
    assert SHORT_HISTORY <= of_accounts[1] < plan.long_history


def test_the_log_has_something_to_search_for(made: tuple[ReadPlan, list[RecordedEvent]]) -> None:
    _, recorded = made
    deposits = [one for one in recorded if isinstance(one.event, FundsDeposited)]
    late = [one for one in deposits if (one.recorded_at - one.event.effective_at).total_seconds() > 30]
    assert 0 < len(late) < 4 * len(deposits) / DEPOSITS_PER_LATE_ONE
    actors = {one.event.actor for one in recorded}
    assert {"desk-1", "desk-2", "operator-1"} <= actors
    assert sum(one.event.correlation_id == "case-1" for one in recorded) == 10


def test_vectors_mark_twenty_pairs_and_no_two_are_alike() -> None:
    vectors = Vectors(seed=1)
    first, second = islice(iter(vectors.mark, None), 2)
    assert len(first["prices"]) == PAIRS
    assert {traded.pair for traded in TRADED} < set(first["prices"])
    assert first["prices"] != second["prices"]


def test_a_figure_is_the_median_of_the_rounds_own() -> None:
    turns = {
        "rebuild": [ReadTurn(1.0, 1_000, 600), ReadTurn(2.0, 1_000, 600), ReadTurn(10.0, 1_000, 600)],
        "copy": [ReadTurn(0.5, rows=600), ReadTurn(0.5, rows=600), ReadTurn(5.0, rows=600)],
        "library_runner": [ReadTurn(1.0, 100), ReadTurn(1.0, 10), ReadTurn(1.0, 10)],
    }
    assert values_of(turns, {"as_of": {"ratio": 2.5, "p50_ms": 1.0}}) == {
        "rebuild_events_per_second": 500,
        "ratio_to_library_runner": 10,
        "ratio_rows_to_copy": 0.5,
        "as_of_ratio": 2.5,
        "audit_query_ratio": None,
    }


def test_a_plan_is_what_was_promised_unless_something_else_is_asked_for() -> None:
    plan = read_plan([])
    assert (plan.events, plan.accounts, plan.vectors) == (1_000_000, 50_000, 10_000)
    assert read_plan(["--events", "10_000_000"]).events == 10_000_000
    assert read_plan(["--quick"]).events < SIZES["events"].usual
