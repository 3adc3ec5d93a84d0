"""Questions measured beside a baseline: in turns that are interleaved, so that both are asked of the same machine."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.measuring import Wait, weighted_percentile

Ask = Callable[[], object]
ROUNDS, ASKED_PER_ROUND = 5, 100
MEDIAN, NEARLY_ALL = 0.5, 0.99


class Beside(NamedTuple):
    """One question: milliseconds of p50 and p99 in each round, and those of its baseline."""

    name: str
    p50_ms: Sequence[float]
    p99_ms: Sequence[float]
    baseline_p50_ms: Sequence[float]
    baseline_p99_ms: Sequence[float]

    @property
    def p50_ratio(self) -> float:
        """The median over the rounds of p50 by the baseline's."""
        return _ratio(self.p50_ms, self.baseline_p50_ms)

    @property
    def p99_ratio(self) -> float:
        """The median over the rounds of p99 by the baseline's."""
        return _ratio(self.p99_ms, self.baseline_p99_ms)


def measured_beside(
    questions: Mapping[str, tuple[Ask, Ask]], *, rounds: int = ROUNDS, asked_per_round: int = ASKED_PER_ROUND
) -> list[Beside]:
    """Each question and its baseline, by name: asked by turns, one after the other, in as many rounds.

    A round that is not counted comes first.
    """
    waits: dict[str, list[tuple[list[Wait], list[Wait]]]] = {name: [] for name in questions}
    for _ in range(rounds + 1):
        for name, (ask, baseline) in questions.items():
            waits[name].append(_one_round(ask, baseline, asked_per_round))
    return [_beside(name, found[1:]) for name, found in waits.items()]


def _one_round(ask: Ask, baseline: Ask, times: int) -> tuple[list[Wait], list[Wait]]:
    asked, beside = [], []
    for _ in range(times):
        asked.append(_timed(ask))
        beside.append(_timed(baseline))
    return asked, beside


def _timed(ask: Ask) -> Wait:
    started = time.perf_counter()
    ask()
    return Wait(1000 * (time.perf_counter() - started), 1)


def _beside(name: str, rounds: Sequence[tuple[list[Wait], list[Wait]]]) -> Beside:
    def percentiles(part: int, share: float) -> list[float]:
        return [weighted_percentile(waits[part], share) for waits in rounds]

    own, beside = ((percentiles(part, MEDIAN), percentiles(part, NEARLY_ALL)) for part in (0, 1))
    return Beside(name, *own, *beside)


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
