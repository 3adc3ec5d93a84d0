"""Which points of a long path are told, so that its shape is not lost: every event, every extreme, both ends."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
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
    """Of a path about `most` points, in order: what must stay, and the lowest and highest of each group of others.

    Both ends and the events stay, each with the point before, which is what it was changed from; so do the changes of
    the band, but where they are too many, as of a level that trembles about a line, they are thinned like the rest.
    """
    if len(points) <= most:
        return list(points)
    stays = {0, len(points) - 1, *_with_the_one_before(points, _is_event)}
    changes = {*_with_the_one_before(points, _is_in_another_band)}
    if len(stays | changes) <= most:
        stays |= changes
    groups = max((most - len(stays)) // 2, 1)
    size = -(-len(points) // groups)
    for first in range(0, len(points), size):
        group = range(first, min(first + size, len(points)))
        stays |= {min(group, key=lambda n: _level(points[n])), max(group, key=lambda n: _level(points[n]))}
    return [points[n] for n in sorted(stays)]


def _with_the_one_before(
    points: Sequence[PathPoint], is_meant: Callable[[PathPoint, PathPoint], bool]
) -> Iterator[int]:
    for n, (before, point) in enumerate(pairwise(points)):
        if is_meant(before, point):
            yield from (n, n + 1)


def _is_event(_: PathPoint, point: PathPoint) -> bool:
    return point.version is not None


def _is_in_another_band(before: PathPoint, point: PathPoint) -> bool:
    return band(point.margin) != band(before.margin)


def _level(point: PathPoint) -> Decimal:
    found = level(point.margin)
    return NO_LEVEL if found is None else Decimal(found)
