"""Things of two sides paired by time: the nearest two first, each once."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import NamedTuple


class Timed(NamedTuple):
    """A thing of one of two sides, with its time."""

    moment: datetime
    side: int
    id: int


def nearest_pairs(things: Sequence[Timed], most: timedelta) -> list[tuple[int, int]]:
    """Pairs of ids, of side 0 and of side 1, at most so far apart; of pairs as near, the earlier first.

    The nearest two that are left are always neighbours in order of time, so only neighbours are looked at: the cost is
    n log n, however many are alike.
    """
    ordered = _alternating(things)
    after = list(range(1, len(ordered) + 1))
    before = list(range(-1, len(ordered) - 1))
    heap: list[tuple[timedelta, int, int]] = []

    def look_at(left: int, right: int) -> None:
        if left >= 0 and right < len(ordered) and ordered[left].side != ordered[right].side:
            apart = ordered[right].moment - ordered[left].moment
            if apart <= most:
                heappush(heap, (apart, left, right))

    for place in range(len(ordered) - 1):
        look_at(place, place + 1)
    heapify(heap)
    pairs, is_taken = [], [False] * len(ordered)
    while heap:
        _, left, right = heappop(heap)
        if is_taken[left] or is_taken[right]:
            continue
        is_taken[left] = is_taken[right] = True
        first, last = before[left], after[right]
        if first >= 0:
            after[first] = last
        if last < len(ordered):
            before[last] = first
        look_at(first, last)
        one, other = sorted((ordered[left], ordered[right]), key=lambda thing: thing.side)
        pairs.append((one.id, other.id))
    return pairs


def _alternating(things: Sequence[Timed]) -> list[Timed]:
    """In order of time; of one time the first of each side, then the second of each, so that like goes with like."""
    seen: Counter[tuple[datetime, int]] = Counter()
    ranked = []
    for thing in sorted(things):
        seen[thing.moment, thing.side] += 1
        ranked.append((thing.moment, seen[thing.moment, thing.side], thing.side, thing))
    return [thing for *_, thing in sorted(ranked)]
