"""The benchmark of the write path runs, measures everything that was promised, and leaves nothing behind."""

from typing import Any

import pytest

from benchmarks.plan import NAMES
from benchmarks.ratios import RATIOS
from benchmarks.server import NotDurable, require_durable
from ledger.postgres import connect
from tests.benchmarks.running import run_benchmark

SMALLEST = ["--quick", "--json", "--rounds", "1", "--seconds", "0.02", "--accounts", "96"]
SMALLEST_SIZES = ["--memory-accounts", "200", "--cold-events", "200"]
PROMISED = {"rate_per_second", "p50_ms", "p99_ms"}


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """The JSON of one run in as little time as it can take."""
    return run_benchmark("benchmarks.write_path", *SMALLEST, *SMALLEST_SIZES)


def test_every_promised_name_has_its_figures(report: dict[str, Any]) -> None:
    for name in NAMES:
        assert set(report[name]) >= PROMISED, name
        assert report[name]["rate_per_second"] > 0
        assert 0 < report[name]["p50_ms"] <= report[name]["p99_ms"]
    assert set(report["library"]["threads"]) == {"1", "8"}
    assert report["cold_account_ms"]["cold_ms"] > 0
    assert report["cold_account_ms"]["fresh_ms"] > 0


def test_every_promised_ratio_is_a_number(report: dict[str, Any]) -> None:
    assert set(report["ratios"]) == {ratio.name for ratio in RATIOS}
    assert all(value > 0 for value in report["ratios"].values())


def test_outcomes_add_up_and_are_those_that_were_meant(report: dict[str, Any]) -> None:
    work = report["workload"]
    assert work["recorded"] + work["replayed"] + work["refused"] == work["commands"]
    assert (work["replayed"], work["refused"]) == (work["planned_replayed"], work["planned_refused"])
    parts = [report[name]["outcomes"] for name in NAMES if "outcomes" in report[name]]
    assert sum(part["commands"] for part in parts) == work["commands"]
    assert {"trade.booked", "funds.deposited", "loan.borrowed", "margin.added"} <= set(work["topics"])


def test_it_says_on_what_it_ran_and_that_its_figures_say_nothing(report: dict[str, Any]) -> None:
    machine = report["machine"]
    assert {"cores", "memory_gb", "postgresql", "python"} <= set(machine)
    assert (machine["fsync"], machine["synchronous_commit"]) == ("on", "on")
    assert "QUICK" in report["warning"]
    assert report["memory"]["accounts_touched"] == 200
    assert report["memory"]["resident_mb"] > 0


def test_a_server_that_may_forget_a_commit_is_refused(empty_database: str) -> None:
    with connect(empty_database, autocommit=True) as connection:
        row = connection.execute("select current_database()").fetchone()
        assert row is not None
        connection.execute(f"alter database {row[0]} set synchronous_commit = off")
    with pytest.raises(NotDurable, match="'synchronous_commit': 'off'"):
        require_durable(empty_database)
