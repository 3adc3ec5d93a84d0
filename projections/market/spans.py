"""The vectors of a span of the log that tell how some pairs went: all, or the extremes of each stretch, or samples."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from ledger.events import MarkPrice
from projections.market.queries import newest_prices_at, prices_as_of_effective, prices_at_each
from projections.projector import Connection

MOST_COMPARED = 50_000
"""How many prices, an equal share of each pair, are compared for the lowest and highest of each stretch.

Where a pair has more than its share, samples are taken.
"""

Told = Literal["all", "extremes", "samples"]


class Vector(NamedTuple):
    """The prices of some pairs as they stood right after a vector that marked at least one of them."""

    position: int
    marks: dict[str, MarkPrice]

    @property
    def newest(self) -> MarkPrice:
        """A price that the vector itself marked."""
        return max(self.marks.values(), key=lambda mark: mark.version)


def telling_positions(
    connection: Connection, pairs: Sequence[str], after: int, until: int, most: int
) -> tuple[Told, list[int]]:
    """The positions of about `most` vectors after one position up to another, and what they are of all there are.

    With `extremes` the log is cut into stretches of equal length, and the lowest and highest price that each pair had
    in each is among them; with `samples` it is the last vector of each stretch.
    """
    if not pairs:
        return "all", []
    number, most_of_one = _count(connection, pairs, after, until)
    if number <= most:
        return "all", _positions(connection, pairs, after, until)
    if most_of_one <= MOST_COMPARED // len(pairs):
        stretches = max(most // (2 * len(pairs)), 1)
        return "extremes", _extremes(connection, pairs, after, until, stretches)
    ends = [after + (until - after) * place // most for place in range(1, most + 1)]
    return "samples", last_vectors(connection, pairs, after, ends)


def _count(connection: Connection, pairs: Sequence[str], after: int, until: int) -> tuple[int, int]:
    """How many prices there are, in all and of the pair with most; each pair is counted to one more than its share."""
    rows = connection.execute(
        """
        select (select count(*) from (
            select from market_prices where pair = listed.pair and position > %s and position <= %s limit %s
        ) as price) from unnest(%s::text[]) as listed (pair)
        """,
        [after, until, MOST_COMPARED // len(pairs) + 1, list(pairs)],
    )
    counts = [number for (number,) in rows]
    return sum(counts), max(counts)


def _positions(connection: Connection, pairs: Sequence[str], after: int, until: int) -> list[int]:
    rows = connection.execute(
        "select distinct position from market_prices where pair = any(%s) and position > %s and position <= %s"
        " order by position",
        [list(pairs), after, until],
    )
    return [position for (position,) in rows]


def _extremes(connection: Connection, pairs: Sequence[str], after: int, until: int, stretches: int) -> list[int]:
    # Arrays compare by their first element, so the least and greatest bring the position where the price stood.
    rows = connection.execute(
        """
        select min(array[price, position]), max(array[price, position]) from market_prices
        where pair = any(%(pairs)s) and position > %(after)s and position <= %(until)s
        group by pair, (position - %(after)s - 1) * %(stretches)s / (%(until)s - %(after)s)
        """,
        {"pairs": list(pairs), "after": after, "until": until, "stretches": stretches},
    )
    return sorted({int(position) for extremes in rows for _, position in extremes})


def last_vectors(connection: Connection, pairs: Sequence[str], after: int, points: Sequence[int]) -> list[int]:
    """The positions of the last vectors by each of some points, of those after a position: one for each pair."""
    rows = connection.execute(
        """
        select distinct price.position from unnest(%s::text[]) as listed (pair)
        cross join unnest(%s::bigint[]) as wanted (point) cross join lateral (
            select position from market_prices where pair = listed.pair and position > %s and position <= wanted.point
            order by position desc limit 1
        ) as price order by price.position
        """,
        [list(pairs), list(points), after],
    )
    return [position for (position,) in rows]


def vectors_at(connection: Connection, pairs: Sequence[str], positions: Sequence[int]) -> list[Vector]:
    """The prices of all these pairs at each of some positions, in the order of the positions."""
    found = prices_at_each(connection, [(pair, position) for position in positions for pair in pairs])
    marks: dict[int, dict[str, MarkPrice]] = {position: {} for position in positions}
    for (pair, position), mark in found.items():
        marks[position][pair] = mark
    return [Vector(position, by_pair) for position, by_pair in marks.items() if by_pair]


def positions_around(connection: Connection, around: int, end: int, span: timedelta) -> tuple[int, int]:
    """The log positions between which a business time's span lies that has a position in its middle.

    The position's time is that of the newest price by then. Where the span would go beyond the newest price of the log,
    it ends with the log, and begins earlier instead; 0 to `end` where no price is known.
    """
    at, newest = newest_prices_at(connection, around), newest_prices_at(connection, end)
    if at is None or newest is None:
        return 0, end
    until = at + span / 2
    is_to_the_end = until >= newest
    since = (newest if is_to_the_end else until) - span
    first = _last_dated(connection, around, since)
    return first, end if is_to_the_end else max(_last_dated(connection, end, until), around)


def _last_dated(connection: Connection, position: int, at: datetime) -> int:
    """The position of the last vector dated up to a time, of those up to a position; 0 where there is none."""
    prices = prices_as_of_effective(connection, position, at)
    return max((price.position for price in prices.values()), default=0)
