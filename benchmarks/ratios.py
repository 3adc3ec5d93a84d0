"""The promised ratios: each the median of the rounds' own, with what is to be reached."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.measuring import Turn, median_figure, median_ratio

Turns = Mapping[str, Sequence[Turn]]
LIBRARY_THREADS = ("library_1", "library_8")


class Ratio(NamedTuple):
    """A ratio's name, the contender it speaks of, what that is compared with, and what is to be reached.

    `at_most` says that less is better; `aim` is what one would like beyond what must be.
    """

    name: str
    contender: str
    baseline: str
    reach: float
    aim: float | None = None
    at_most: bool = False

    def is_reached(self, value: float) -> bool:
        return value <= self.reach if self.at_most else value >= self.reach


RATIOS = (
    Ratio("in_process_to_library", "in_process", "library", 15, 30),
    Ratio("in_process_to_copy", "in_process", "copy", 0.25, 0.5),
    Ratio("in_process_sealed_to_in_process", "in_process_sealed", "in_process", 0.9),
    Ratio("http_bulk_to_library", "http_bulk", "library", 8, 20),
    Ratio("http_single_to_empty", "http_single", "http_empty", 1.0, 1.5),
    Ratio("http_single_p99_to_p50", "http_single", "http_single", 4, at_most=True),
    Ratio("hot_account_to_in_process", "hot_account", "in_process", 0.5),
    Ratio("two_writers_same_to_in_process", "two_writers_same", "in_process", 0.5),
    Ratio("two_writers_apart_to_in_process", "two_writers_apart", "in_process", 0.8),
    Ratio("cold_account_to_fresh", "cold_account_ms", "cold_account_ms", 5, at_most=True),
)


def with_library(turns: Turns) -> dict[str, Sequence[Turn]]:
    """All turns, those of `library` being of as many threads as were faster in the median."""
    measured = [name for name in LIBRARY_THREADS if turns.get(name)]
    best = (
        {"library": turns[max(measured, key=lambda name: median_figure(turns[name]).rate_per_second)]}
        if measured
        else {}
    )
    return {**turns, **best}


def median_ratios(turns: Turns) -> dict[str, float | None]:
    """Each ratio by name; None where one of both took no part."""
    return {
        ratio.name: _value(ratio, turns) if turns.get(ratio.contender) and turns.get(ratio.baseline) else None
        for ratio in RATIOS
    }


def _value(ratio: Ratio, turns: Turns) -> float:
    if ratio.contender == ratio.baseline:
        return statistics.median(_OF_ONE[ratio.name](turn) for turn in turns[ratio.contender])
    figure = _rows_per_second if ratio.baseline == "copy" else _commands_per_second
    rounds = zip(turns[ratio.contender], turns[ratio.baseline], strict=True)
    return median_ratio((figure(turn), figure(baseline)) for turn, baseline in rounds)


def _commands_per_second(turn: Turn) -> float:
    return turn.rate


def _rows_per_second(turn: Turn) -> float:
    return turn.rows_per_second


def _p99_to_p50(turn: Turn) -> float:
    return turn.percentile(0.99) / turn.percentile(0.5)


def _its_own(turn: Turn) -> float:
    assert turn.ratio is not None
    return turn.ratio


_OF_ONE: dict[str, Callable[[Turn], float]] = {"http_single_p99_to_p50": _p99_to_p50, "cold_account_to_fresh": _its_own}
