"""Questions to the live projections, each timed beside one that it is to be not much slower than."""

from collections.abc import Callable, Mapping

from benchmarks.reading.log import MadeLog

Asking = Callable[[MadeLog], Mapping[str, float]]
"""Asks the live projections of a log; answers its figures, among them `ratio`, which `NAME_ratio` promises."""

# Who measures a question enters it here, under the name of its ratio in ratios.py without `_ratio`.
QUESTIONS: tuple[tuple[str, Asking], ...] = ()
