"""Wallets of about as many assets each, as vectors: W of all of them, or of those exposed to what moved, at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projections.watch.amounts import Amounts, Entries, grown
from projections.watch.screening import Flags, Floats, Places, Rows
from projections.watch.tick import NO_ASSET, Tick

# Where more than one of so many is exposed to what moved, all are computed: a wallet that is picked costs some four
# times as much as one of all.
FEWEST_TO_ONE_PICKED = 4
# Exposures that are no more are left in the lists until these are so many times as long as they need be.
MOST_STALE_EXPOSURES = 2
FIRST_SLOTS = 64


class Vectors:
    """A slot for each wallet, `rows` being their rows in the group. A slot that stands for none has W above zero."""

    def __init__(self, width: int, prices: Floats) -> None:
        self.amounts = Amounts(width)
        self.rows: Rows = np.zeros(0, np.int64)
        self._size = 0
        self._free: list[int] = []
        self._weights: Floats = np.zeros((0, width))
        self._sums: Floats = np.zeros(0)
        self._prices = prices
        self._exposed: dict[int, list[Rows]] = {}
        self._exposures = self._exposures_needed = 0

    def new_slots(self, rows: Rows) -> Rows:
        """Slots for rows of the group."""
        reused = [self._free.pop() for _ in range(min(len(self._free), len(rows)))]
        fresh = len(rows) - len(reused)
        slots = np.concatenate([np.array(reused, np.int64), np.arange(self._size, self._size + fresh)])
        self._size += fresh
        if self._size > len(self.rows):
            self._grow(max(FIRST_SLOTS, 2 * len(self.rows), self._size))
        self.rows[slots] = rows
        return slots

    def _grow(self, size: int) -> None:
        self.amounts.grow(size)
        self.rows = grown(self.rows, size)
        self._weights, self._sums = grown(self._weights, size), grown(self._sums, size)

    def leave(self, slots: Rows) -> None:
        """Let slots stand for no wallet, and be given to others."""
        self.amounts.clear(slots)
        self._weights[slots], self._sums[slots] = self.amounts.held[slots], self.amounts.width
        self._free += slots.tolist()

    def put(self, slots: Rows, entries: Entries, columns: NDArray[np.int64]) -> None:
        """Take what wallets hold and owe, each entry in its column."""
        before = self.amounts.places.take(slots, 0)
        self.amounts.put(slots, entries, columns)
        after = self.amounts.places.take(slots, 0)
        is_new = (after != before) & (after != NO_ASSET)
        if is_new.any():
            self._expose(np.repeat(slots, self.amounts.width)[is_new.ravel()], after[is_new])

    def _expose(self, slots: Rows, places: Places) -> None:
        """List slots under the assets that move them; anew where too many of the lists' are moved by others by now."""
        if self._exposures + len(slots) > MOST_STALE_EXPOSURES * max(self._exposures_needed, len(slots)):
            self._exposed.clear()
            where = self.amounts.places != NO_ASSET
            slots, places = np.nonzero(where)[0], self.amounts.places[where]
            self._exposures, self._exposures_needed = 0, len(slots)
        order = np.argsort(places, kind="stable")
        found, starts = np.unique(places[order], return_index=True)
        for place, part in zip(found.tolist(), np.split(slots[order], starts[1:]), strict=True):
            self._exposed.setdefault(place, []).append(part)
        self._exposures += len(slots)

    def weigh(self, slots: Rows | None, lines: Floats, tick: Tick) -> None:
        """Weigh slots, or (None) all, by the lines of the group's rows, and compute their W."""
        which: Rows | slice = slice(self._size) if slots is None else slots
        self._weights[which] = self.amounts.weights(which, lines[self.rows[which]], tick)
        self._sum(slots)

    def _sum(self, slots: Rows | None) -> None:
        if slots is None:
            prices = self._prices.take(self.amounts.places[: self._size])
            self._sums[: self._size] = _dot(self._weights[: self._size], prices)
        else:
            prices = self._prices.take(self.amounts.places.take(slots, 0))
            self._sums[slots] = _dot(self._weights.take(slots, 0), prices)

    def take_prices(self, prices: Floats, moved: Sequence[int]) -> None:
        """Take prices by place, those of the places `moved` being others than before."""
        self._prices = prices
        slots = [part for place in moved for part in self._exposed.get(place, ())]
        is_many = sum(map(len, slots)) > self._size // FEWEST_TO_ONE_PICKED
        if slots:
            self._sum(None if is_many else np.concatenate(slots))

    def is_exposed(self, slots: Rows, moved: Sequence[int]) -> Flags:
        """Whether these slots are moved by one of these places."""
        return np.asarray(np.isin(self.amounts.places[slots], moved).any(axis=1))

    def suspects(self) -> tuple[Rows, Rows]:
        """The rows whose W is not above zero, and those that lack a price."""
        sums = self._sums[: self._size]
        found = np.flatnonzero(~(sums > 0))
        lacks = np.isnan(sums[found])
        return self.rows[found[~lacks]], self.rows[found[lacks]]


def _dot(weights: Floats, prices: Floats) -> Floats:
    """The sums of products, row by row."""
    return np.asarray(np.einsum("ij,ij->i", weights, prices))
