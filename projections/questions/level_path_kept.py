"""Which points of a long path are told, so that its shape is not lost: every event, every extreme, both ends."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ledger.margin import Margin
from projections.questions.margin_wallet import band, level

NO_LEVEL = Decimal("Infinity")


class PathPoint(NamedTuple):
    """A wallet after one step of the log: a vector, a setting (both without a `version`) or an event of the account.

    `topic` is None at both ends of the path; `margin` where a price was lacking. `effective_at` is that of the step.
    """

    position: int
    effective_at: datetime | None
    topic: str | None
    version: int | None
    margin: Margin | None
    prices: dict[str, Decimal]


def kept(points: Sequence[PathPoint], most: int) -> list[PathPoint]:
    """Of a path about `most` points, in order: what `_must_stay`, and the lowest and highest of each group of others.

    What stays is never left out, so where there are many events there are more points.
    """
    if len(points) <= most:
        return list(points)
    stays = set(_must_stay(points))
    groups = max((most - len(stays)) // 2, 1)
    size = -(-len(points) // groups)
    for first in range(0, len(points), size):
        group = range(first, min(first + size, len(points)))
        stays |= {min(group, key=lambda n: _level(points[n])), max(group, key=lambda n: _level(points[n]))}
    return [points[n] for n in sorted(stays)]


def _must_stay(points: Sequence[PathPoint]) -> Iterator[int]:
    """Both ends, each event and each change of the band, and the point before, which is what it was changed from."""
    yield from (0, len(points) - 1)
    for n in range(1, len(points)):
        if points[n].version is not None or band(points[n].margin) != band(points[n - 1].margin):
            yield from (n - 1, n)


def _level(point: PathPoint) -> Decimal:
    found = level(point.margin)
    return NO_LEVEL if found is None else Decimal(found)
