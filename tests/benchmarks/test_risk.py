"""The benchmark of the risk engine measures all it promises, and its wallets are what their texts say."""

import json
from typing import Any

import pytest

from benchmarks.screen import Screen
from benchmarks.watching.crowd import Crowd
from benchmarks.watching.plan import SIZES, read_plan
from benchmarks.watching.prices import coins
from benchmarks.watching.ticking import ALL_PAIRS, CHANGE, LARGEST_PAIR, ONE_PAIR, PROMISED, Round, figures_of
from projections.margin_levels.wallet_rows import wallet_of
from tests.benchmarks.running import run_benchmark
from tests.projections.watched import exact_candidates

SMALL = [
    "--quick",
    "--isolated",
    "700",
    "--pools",
    "300",
    "--ticks",
    "2",
    "--sample",
    "50",
    "--changed",
    "100",
    "--liquidations",
    "40",
]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """The JSON of one run in as little time as it can take."""
    return run_benchmark("benchmarks.risk", *SMALL, "--json")


def test_every_promised_figure_is_there(report: dict[str, Any]) -> None:
    assert set(report["reached"]) == {one.name for one in PROMISED}
    for name in ("tick_all_pairs_ms", "tick_one_pair_ms", "change_ms", "resident_mb", "ratio_one_pair_to_exact"):
        assert report[name] > 0, name
    assert report["ticks"] == 3 * 2 * 3
    assert report["crossed"] <= report["decided_exactly"]
    assert "QUICK" in report["warning"]
    assert report["storm_liquidations"] == 40
    assert report["storm_liquidations_per_second"] > 0
    assert report["storm_p99_ratio"] == pytest.approx(report["storm_p99_ms"] / report["quiet_p99_ms"], rel=0.01)
    assert report["storm_customer_commands"] > 0
    assert report["quiet_customer_commands"] > 0


def test_the_watch_of_a_crowd_finds_what_the_exact_loop_finds() -> None:
    crowd = Crowd(read_plan([*SMALL, "--sample", "1000"]), Screen())
    wandering = crowd.wandering
    assert len(crowd.sample) == len(crowd.watch) == 1000
    for _ in range(30):
        crowd.watch.mark(wandering.tick(coins()))
    crowd.watch.mark(wandering.next_hour())
    assert set(crowd.watch.candidates()) == exact_candidates(crowd.sample, wandering.market)
    assert 0 < crowd.exposed_part < 1


def test_a_change_is_of_as_many_wallets_as_asked_for_and_keeps_their_number() -> None:
    crowd = Crowd(read_plan(SMALL), Screen())
    changed = crowd.changed(100)
    assert abs(len(changed.account_ids) - 100) < 25
    crowd.watch.put(changed)
    assert len(crowd.watch) == 1000
    names = [name for name, count in changed.runs for _ in range(count)]
    assert all(wallet_of(name, json.loads(text)).owes for name, text in zip(names, changed.balances, strict=True))


def test_ratios_are_medians_of_the_rounds_own() -> None:
    def of_round(all_pairs: float, one_pair: float, change: float, exact: float) -> Round:
        return Round({ALL_PAIRS: [all_pairs], ONE_PAIR: [one_pair], LARGEST_PAIR: [1.0], CHANGE: [change]}, exact)

    rounds = [of_round(2, 1, 1, 1000), of_round(4, 2, 4, 4000), of_round(1, 1, 3, 3000)]
    figures = figures_of(rounds, exposed_part=0.1)
    assert figures["ratio_to_exact"] == 1000
    assert figures["ratio_one_pair_to_exact"] == 2000
    assert figures["ratio_one_pair_to_exact_of_exposed"] == 200
    assert figures["ratio_change_to_tick"] == 1


def test_a_plan_is_a_million_wallets_unless_something_else_is_asked_for() -> None:
    plan = read_plan([])
    assert plan.wallets == SIZES["isolated"].usual + SIZES["pools"].usual == 1_000_000
    assert read_plan(["--pools", "5_000"]).pools == 5000
