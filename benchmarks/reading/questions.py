"""Questions to the live projections, each timed beside one that it is to be not much slower than."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from benchmarks.beside import ASKED_PER_ROUND, ROUNDS
from benchmarks.contenders.as_of import as_of_ratio, as_of_ratios
from benchmarks.contenders.audit import audit_query_ratio, audit_query_ratios
from benchmarks.reading.log import MadeLog


class Asked(NamedTuple):
    """In how many rounds questions are asked, and how often in each."""

    rounds: int
    asked_per_round: int


THOROUGHLY, QUICKLY = Asked(ROUNDS, ASKED_PER_ROUND), Asked(1, 10)
Asking = Callable[[MadeLog, Asked], Mapping[str, float]]
"""Asks the live projections of a log; answers its figures, among them `ratio`, which `NAME_ratio` promises."""


def _as_of(made: MadeLog, asked: Asked) -> Mapping[str, float]:
    found = as_of_ratios(made.url, made.long_account, made.short_account, **asked._asdict())
    return {"ratio": as_of_ratio(found), **{one.name: one.p50_ratio for one in found}}


def _audit_query(made: MadeLog, asked: Asked) -> Mapping[str, float]:
    found = audit_query_ratios(made.url, made.long_account, **asked._asdict())
    return {"ratio": audit_query_ratio(found), **{one.name: one.p99_ratio for one in found}}


QUESTIONS: tuple[tuple[str, Asking], ...] = (("as_of", _as_of), ("audit_query", _audit_query))
"""Each under the name of its ratio in ratios.py without `_ratio`."""
