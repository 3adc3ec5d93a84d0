"""What wallets hold and owe, as floats: a row for each wallet, a column for each of its assets."""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from projections.watch.screening import Floats, Places, Rows, weights
from projections.watch.tick import NO_ASSET, Tick

NEVER = np.iinfo(np.int32).max
"""The hour of a debt that no hour is due on."""
BASE, QUOTE = 0, 1
SIDES = 2
"""The columns of a bucket."""
Hours = NDArray[np.int32]
T = TypeVar("T", bound=np.generic)


class Entries(NamedTuple):
    """What some wallets hold and owe of each asset that they have: equally long columns, in order of the wallets.

    `wallet` counts from zero, `place` is the asset's, `hour` the first uncharged one since 1970, or NEVER.
    """

    wallet: NDArray[np.int64]
    place: Places
    held: Floats
    owed: Floats
    borrowed: Floats
    hour: Hours

    def of_wallets(self, start: int, stop: int) -> "Entries":
        """Those of the wallets from `start` up to but not `stop`, which are counted from zero again."""
        first, last = np.searchsorted(self.wallet, [start, stop])
        cut = self.at(slice(int(first), int(last)))
        return cut._replace(wallet=cut.wallet - start)

    def at(self, which: slice | NDArray[np.bool_]) -> "Entries":
        """The entries that are cut out or marked."""
        wallet, place, held, owed, borrowed, hour = self
        return Entries(wallet[which], place[which], held[which], owed[which], borrowed[which], hour[which])

    def of(self, chosen: NDArray[np.bool_]) -> "Entries":
        """Those of the wallets that are marked, which are counted among each other."""
        cut = self.at(chosen[self.wallet])
        return cut._replace(wallet=(np.cumsum(chosen) - 1)[cut.wallet])

    def sides(self, quote_place: int) -> NDArray[np.int64]:
        """The columns of the entries of buckets of one pair."""
        return np.where(self.place == quote_place, QUOTE, BASE)

    def in_order(self) -> NDArray[np.int64]:
        """The columns of entries where each wallet's take the first ones, in the order in which they come."""
        numbers = np.arange(len(self.wallet))
        is_first = np.ones(len(numbers), bool)
        is_first[1:] = self.wallet[1:] != self.wallet[:-1]
        return numbers - np.maximum.accumulate(np.where(is_first, numbers, 0))


class Amounts:
    """The rows, as many as the arrays have; one that stands for no wallet holds what keeps it above every line."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.places: Places = np.zeros((0, width), np.int64)
        self.held: Floats = np.zeros((0, width))
        self.owed: Floats = np.zeros((0, width))
        self.borrowed: Floats = np.zeros((0, width))
        self.hours: Hours = np.zeros((0, width), np.int32)

    def grow(self, size: int) -> None:
        """Make room for so many rows."""
        before = len(self.held)
        self.places, self.hours = grown(self.places, size), grown(self.hours, size)
        self.held, self.owed, self.borrowed = (grown(one, size) for one in (self.held, self.owed, self.borrowed))
        self.clear(np.arange(before, size))

    def clear(self, rows: Rows) -> None:
        """Let rows stand for no wallet."""
        self.places[rows], self.hours[rows] = NO_ASSET, NEVER
        self.held[rows], self.owed[rows], self.borrowed[rows] = 1.0, 0.0, 0.0

    def put(self, rows: Rows, entries: Entries, columns: NDArray[np.int64]) -> None:
        """Set the rows of wallets to these entries, each in its column."""
        shape, where = (len(rows), self.width), (entries.wallet, columns)
        self.places[rows] = _filled(shape, NO_ASSET, where, entries.place)
        self.hours[rows] = _filled(shape, NEVER, where, entries.hour)
        self.held[rows] = _filled(shape, 0.0, where, entries.held)
        self.owed[rows] = _filled(shape, 0.0, where, entries.owed)
        self.borrowed[rows] = _filled(shape, 0.0, where, entries.borrowed)

    def has_due(self, hour: int) -> bool:
        """Whether interest of an hour up to this one is not charged yet."""
        return bool((self.hours <= hour).any())

    def weights(self, rows: Rows | slice, lines: Floats, tick: Tick) -> Floats:
        """The weights of rows by their lines, with interest due by the tick's hour at its bound from above."""
        owed = self.owed[rows]
        due = np.maximum(tick.hour + 1 - self.hours[rows], 0)
        if due.any():
            places = self.places[rows]
            owed = owed + due * (self.borrowed[rows] * tick.hourly[places] + tick.steps[places])
        return weights(self.held[rows], owed, lines)


def _filled(
    shape: tuple[int, int], empty: float, where: tuple[NDArray[np.int64], NDArray[np.int64]], values: NDArray[T]
) -> NDArray[T]:
    """An array of these values at their places; what is empty is as told."""
    array = np.full(shape, empty, values.dtype)
    array[where] = values
    return array


def grown(array: NDArray[T], size: int) -> NDArray[T]:
    """The array with room for so many rows, the new ones zero."""
    after = np.zeros((size, *array.shape[1:]), array.dtype)
    after[: len(array)] = array
    return after
