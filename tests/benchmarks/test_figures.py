"""The pure parts of the benchmarks: the skewed choice, percentiles, medians and ratios, and the mixed work."""

import random
from collections import Counter
from itertools import islice

import pytest

from benchmarks.measuring import Pace, Turn, Wait, median_figure, median_ratio, weighted_percentile
from benchmarks.plan import NAMES, read_plan
from benchmarks.ratios import RATIOS, median_ratios, with_library
from benchmarks.tally import CommandsLost, Tally
from benchmarks.workload import GROUP, MIX, Population, Script, Stream
from benchmarks.zipf import cumulative_weights, draw_ranks, shuffled_names
from ledger import parse_command


def turn(rate: float, *, rows: int = 0, ratio: float | None = None) -> Turn:
    return Turn(round(rate), 1.0, [Wait(1.0, 1)], rows=rows, ratio=ratio)


def test_a_rank_is_chosen_in_proportion_to_one_over_it() -> None:
    weights = cumulative_weights(4)
    assert weights == pytest.approx([1, 1 + 1 / 2, 1 + 1 / 2 + 1 / 3, 1 + 1 / 2 + 1 / 3 + 1 / 4])
    drawn = Counter(islice(draw_ranks(random.Random(1), weights), 50_000))
    assert set(drawn) == {0, 1, 2, 3}
    assert drawn[0] / drawn[1] == pytest.approx(2, rel=0.1)
    assert drawn[0] / drawn[3] == pytest.approx(4, rel=0.1)


def test_names_are_shuffled_and_the_same_for_the_same_seed() -> None:
    names = shuffled_names(100, seed=1)
    assert names == shuffled_names(100, seed=1)
    assert names != sorted(names)
    assert len(set(names)) == 100


def test_a_percentile_counts_commands_and_not_requests() -> None:
    waits = [Wait(5.0, 98), Wait(50.0, 1), Wait(500.0, 1)]
    assert weighted_percentile(waits, 0.5) == 5.0
    assert weighted_percentile(waits, 0.98) == 5.0
    assert weighted_percentile(waits, 0.99) == 50.0
    assert weighted_percentile(waits, 1) == 500.0


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing waited"):
        weighted_percentile([], 0.5)


def test_a_figure_is_the_median_of_its_turns() -> None:
    turns = [Turn(10, 1.0, [Wait(3.0, 10)]), Turn(10, 10.0, [Wait(9.0, 10)]), Turn(10, 2.0, [Wait(1.0, 10)])]
    assert median_figure(turns) == (5.0, 3.0, 3.0)


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    assert median_ratio([(10, 1), (10, 5), (30, 10)]) == 3


def test_a_pace_is_whole_steps_unless_it_is_less_than_one() -> None:
    pace = Pace(900.0, step=1_000)
    assert pace.commands(0.01) == 64
    assert pace.commands(0.5) == 450
    pace.learn(turn(4_400))
    assert pace.commands(1.0) == 4_000


def test_the_library_is_as_fast_as_its_better_number_of_threads() -> None:
    turns = {"library_1": [turn(400)], "library_8": [turn(500)], "in_process": [turn(5_000)]}
    assert median_ratios(with_library(turns))["in_process_to_library"] == 10


def test_copy_is_compared_by_rows() -> None:
    turns = {"in_process": [turn(1_000, rows=300)], "copy": [turn(5_000, rows=1_200)]}
    assert median_ratios(turns)["in_process_to_copy"] == 0.25


def test_a_ratio_is_missing_where_one_side_took_no_part() -> None:
    ratios = median_ratios({"in_process": [turn(1_000)], "cold_account_ms": [turn(1, ratio=4.0)]})
    assert {name: value for name, value in ratios.items() if value is not None} == {"cold_account_to_fresh": 4.0}
    assert set(ratios) == {ratio.name for ratio in RATIOS}


def test_a_bound_is_reached_at_the_bound() -> None:
    bounds = {ratio.name: ratio for ratio in RATIOS}
    assert bounds["in_process_to_library"].is_reached(15)
    assert not bounds["in_process_to_library"].is_reached(14.99)
    assert bounds["cold_account_to_fresh"].is_reached(5)
    assert not bounds["cold_account_to_fresh"].is_reached(5.01)


def test_who_needs_another_brings_it_along() -> None:
    assert read_plan(["--only", "copy"]).only == ("in_process", "copy")
    assert read_plan([]).only == NAMES


def test_memory_is_measured_unless_something_else_alone_was_asked_for() -> None:
    assert read_plan([]).memory_accounts == 1_000_000
    assert read_plan(["--only", "library"]).memory_accounts == 0
    assert read_plan(["--only", "library", "--memory-accounts", "500"]).memory_accounts == 500


def test_the_work_is_the_same_for_the_same_name_and_each_key_is_used_once() -> None:
    population = Population(96, seed=1)
    scripts = [Stream("one", population).script(2_000) for _ in range(2)]
    assert scripts[0] == scripts[1]
    commands = [parse_command(asked) for asked in scripts[0].commands]
    keys = [command.key for command in commands if command.key is not None]
    assert len(set(keys)) == len(keys)
    assert {command.type for command in commands} >= {"deposit", "transfer", "add_margin", "borrow", "book_trade"}
    assert sum(MIX.values()) == 1_000


def test_what_a_turn_borrowed_is_repaid_in_a_later_one() -> None:
    stream = Stream("one", Population(96, seed=1))
    assert all(asked["type"] != "repay" for asked in stream.script(500).commands)
    later = stream.script(500)
    assert any(asked["type"] == "repay" for asked in later.commands)
    assert later.replayed > 0


def test_the_halves_share_no_account() -> None:
    population = Population(96, seed=1)
    halves = [Stream("one", population, half=half).script(2_000) for half in range(2)]
    touched = [{name for asked in script.commands for name in accounts_of(asked)} for script in halves]
    assert touched[0] & touched[1] == set()
    assert len(touched[0] | touched[1]) > len(population.names) / 2


def accounts_of(asked: dict[str, object]) -> list[object]:
    sides = [asked[side] for side in ("buyer", "seller") if side in asked]
    named = [side["account_id"] for side in sides if isinstance(side, dict)]
    return named or ([asked["account_id"]] if "account_id" in asked else [])


def test_all_commands_of_a_hot_account_touch_it() -> None:
    commands = Stream("one", Population(GROUP * 6, seed=1), only="hot", marks=False).script(1_000).commands
    assert all("hot" in accounts_of(asked) for asked in commands)


def test_commands_without_a_true_answer_end_the_run() -> None:
    script = Script([{}] * 200, replayed=0, refused=2)
    assert Tally(recorded=198, refused=2).planned(script).planned_refused == 2
    for tally in (
        Tally(recorded=197, refused=2),
        Tally(recorded=190, refused=10),
        Tally(recorded=198, refused=2, codes=Counter(unavailable=1)),
    ):
        with pytest.raises(CommandsLost, match="200 commands were sent"):
            tally.planned(script)
