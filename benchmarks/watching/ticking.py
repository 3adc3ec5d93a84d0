"""Ticks and changes over a crowd of wallets, beside the exact loop over a sample of it, in interleaved rounds."""

import gc
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measuring import Wait, weighted_percentile
from benchmarks.ratios import Ratio
from benchmarks.screen import Screen
from benchmarks.server import resident_mb
from benchmarks.watching.crowd import Crowd
from benchmarks.watching.plan import RiskPlan
from benchmarks.watching.prices import coins
from benchmarks.watching.report import Section
from projections.questions.levels import candidate_of

PROMISED = (
    Ratio("ratio_to_exact", "tick_all_pairs", "exact", 200),
    Ratio("ratio_one_pair_to_exact", "tick_one_pair", "exact", 1000),
    Ratio("ratio_change_to_tick", "change", "tick_all_pairs", 1, at_most=True),
)
ALL_PAIRS, ONE_PAIR, LARGEST_PAIR, CHANGE = "tick_all_pairs", "tick_one_pair", "tick_largest_pair", "change"
TICKS_TO_A_CHANGE = 4


@dataclass(frozen=True)
class Round:
    """Milliseconds: of each tick and change by name, and of the exact loop over all wallets, scaled from its sample."""

    timed: dict[str, list[float]]
    exact: float

    def median(self, name: str) -> float:
        return statistics.median(self.timed[name])


class Ticking:
    """Takes the rounds, and counts what crossed a line."""

    def __init__(self, plan: RiskPlan, crowd: Crowd) -> None:
        self._plan, self._crowd = plan, crowd
        self.crossed: Counter[str] = Counter()
        self.ticks = 0

    def round(self) -> Round:
        """One after the other: the exact loop, ticks of all pairs, of one, of the largest one, and changes."""
        exact = self._exact()
        wandering, ticks = self._crowd.wandering, range(self._plan.ticks)
        timed = {
            ALL_PAIRS: [self._tick(coins()) for _ in ticks],
            ONE_PAIR: [self._tick([wandering.a_coin()]) for _ in ticks],
            LARGEST_PAIR: [self._tick(coins()[:1]) for _ in ticks],
            CHANGE: [self._change() for _ in range(max(1, self._plan.ticks // TICKS_TO_A_CHANGE))],
        }
        return Round(timed, exact)

    def _exact(self) -> float:
        market, sample = self._crowd.wandering.market, self._crowd.sample
        took = _milliseconds(lambda: [candidate_of(one, market) for one in sample])
        return took * self._plan.wallets / len(sample)

    def _tick(self, moved: Sequence[str]) -> float:
        market, watch = self._crowd.wandering.tick(moved), self._crowd.watch
        self.ticks += 1
        return self._found_after(lambda: watch.mark(market))

    def _change(self) -> float:
        """Wallets come to be others, and the candidates are found anew."""
        changed, watch = self._crowd.changed(self._plan.changed), self._crowd.watch
        return self._found_after(lambda: watch.put(changed))

    def next_hour(self) -> float:
        """A tick with which another hour of interest falls due for every debt."""
        market, watch = self._crowd.wandering.next_hour(), self._crowd.watch
        return self._found_after(lambda: watch.mark(market))

    def _found_after(self, happens: Callable[[], None]) -> float:
        watch = self._crowd.watch

        def find() -> None:
            happens()
            watch.candidates()

        took = _milliseconds(find)
        found = watch.candidates()
        self.crossed.update(one.band for one in found)
        self._crowd.act_on(found)
        return took


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def measure_watch(plan: RiskPlan, screen: Screen) -> Section:
    """The watch over so many wallets in memory."""
    before = resident_mb()
    crowd = Crowd(plan, screen)
    gc.collect()
    gc.freeze()
    memory = {"resident_mb": resident_mb(), "resident_mb_before": before}
    ticking, rounds = Ticking(plan, crowd), []
    told = screen.step("rounds", plan.rounds + 1)
    # The first one warms up.
    for _ in range(plan.rounds + 1):
        rounds.append(ticking.round())
        told(1)
    figures = figures_of(rounds[1:], crowd.exposed_part)
    crossed = {"ticks": ticking.ticks, "crossed": ticking.crossed.total(), "decided_exactly": crowd.watch.decisions}
    figures |= memory | crossed | {"tick_next_hour_ms": ticking.next_hour()}
    return Section(figures, PROMISED, _lines(plan, rounds[1:], ticking))


def figures_of(rounds: Sequence[Round], exposed_part: float) -> dict[str, Any]:
    """Medians and nearly the longest of all ticks; ratios as medians of the rounds' own."""
    figures: dict[str, Any] = {}
    for name in (ALL_PAIRS, ONE_PAIR, LARGEST_PAIR, CHANGE):
        waits = [Wait(one, 1) for each in rounds for one in each.timed[name]]
        figures |= {f"{name}_ms": weighted_percentile(waits, 0.5), f"{name}_p99_ms": weighted_percentile(waits, 0.99)}
    figures["exact_ms"] = statistics.median(each.exact for each in rounds)
    figures["ratio_to_exact"] = statistics.median(each.exact / each.median(ALL_PAIRS) for each in rounds)
    one_pair = statistics.median(each.exact / each.median(ONE_PAIR) for each in rounds)
    figures["ratio_one_pair_to_exact"] = one_pair
    figures["ratio_one_pair_to_exact_of_exposed"] = one_pair * exposed_part
    figures["ratio_change_to_tick"] = statistics.median(
        statistics.fmean(each.timed[CHANGE]) / each.median(ALL_PAIRS) for each in rounds
    )
    return figures


def _lines(plan: RiskPlan, rounds: Sequence[Round], ticking: Ticking) -> list[str]:
    crossed = ", ".join(f"{count} {band}" for band, count in ticking.crossed.items()) or "none"
    return [
        f"{plan.wallets:,} wallets ({plan.isolated:,} isolated, {plan.pools:,} cross pools); medians of {len(rounds)} "
        f"interleaved rounds of {plan.ticks} ticks of each kind",
        f"in {ticking.ticks:,} ticks, and among the wallets changed between, these crossed a line: {crossed}",
        f"a change is of {plan.changed:,} wallets, with the candidates found anew; its ratio is of means to medians",
    ]
