"""The benchmark of the console runs, asks for every page there is, and tells when all of a page was there."""

import re
from pathlib import Path
from typing import Any

import pytest
from nicegui import Client

from api.console.mounting import PAGES
from benchmarks.browsing.addresses import CONSOLE, Places, addresses_of, is_page
from benchmarks.browsing.plan import read_plan
from benchmarks.browsing.visiting import Visit, Visited
from benchmarks.reading.log import MadeLog
from tests.benchmarks.running import run_benchmark

LOG = MadeLog("", 1_000, "long", 100, "short", 20, "operator-1", "case-1", 1.0)
PLACES = Places(LOG, 1_000, "fallen-0000.9", ("fallen-0001", 990), "2026-11-23T08:00:00Z")
SMALLEST = [
    "--quick",
    "--json",
    "--events",
    "600",
    "--accounts",
    "48",
    "--vectors",
    "5",
    "--fallen",
    "2",
    "--asked",
    "1",
]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """The JSON of one run in as little time as it can take."""
    return run_benchmark("benchmarks.console", *SMALLEST, "--only", "overview", "story", "live: health")


def test_pages_and_questions_are_measured_and_the_promise_is_of_pages(report: dict[str, Any]) -> None:
    names = ["overview", "story of a liquidation", "story of a margin call", "asked, live: health"]
    assert list(report["pages"]) == names
    for name in names:
        figures = report["pages"][name]
        assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"], name
        assert figures["ratio_to_account"] > 0
        assert figures["server_processor_ms"] >= 0
    pages = [report["pages"][name]["p95_ms"] for name in names if is_page(name)]
    assert report["slowest_p95_ms"] == max(pages)
    assert set(report["over"]) <= set(names[:3])


def test_it_says_on_what_it_ran_and_that_its_figures_say_nothing(report: dict[str, Any]) -> None:
    assert report["events"] > 600
    assert report["machine"]["fsync"] == "on"
    assert "QUICK" in report["warning"]


def test_every_page_has_an_address() -> None:
    assert PAGES
    asked = {path.removeprefix(CONSOLE).partition("?")[0] for path in addresses_of(PLACES).values()}
    pages = {path for path in Client.page_routes.values() if path != "/sign-in"}
    assert len(pages) > 10
    missing = {
        path for path in pages if not any(re.fullmatch(re.sub("{[a-z_]+}", "[^/]+", path), one) for one in asked)
    }
    assert missing == set()


def test_a_page_that_was_not_whole_says_how_long_all_of_it_took() -> None:
    late, soon = Visit((100.0, 120.0, 140.0), 900.0, 0.3, 0.06), Visit((50.0, 60.0, 70.0), None, 0.03, 0.03)
    visited = Visited([late, late], [soon, soon], 10)
    assert (visited.ratio, visited.whole_ms, visited.server_ms, visited.database_ms) == (2.0, 900.0, 100.0, 20.0)
    assert Visited([soon], [soon], 10).whole_ms is None


def test_a_plan_is_what_was_promised_unless_something_else_is_asked_for(tmp_path: Path) -> None:
    plan = read_plan([])
    assert (plan.events, plan.accounts, plan.log) == (1_000_000, 50_000, None)
    kept = read_plan(["--log", str(tmp_path), "--only", "story"])
    assert kept.log == tmp_path
    assert kept.has("story of a liquidation")
    assert not kept.has("overview")
