"""Wallets of several assets as vectors: W of all of them, or of those exposed to what moved, in one pass."""

from collections.abc import Iterable
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ledger.money import quote_of
from ledger.words import pair_of
from projections.watch.amounts import Entries, grown
from projections.watch.group import Group, Suspects
from projections.watch.screening import Floats, Places, Rows
from projections.watch.tick import NO_ASSET, Tick, as_floats

# Where more than this part of all is exposed to what moved, all are computed: to pick rows costs something too.
MOST_PICKED_PART = 3
# Exposures that are no more are left in the lists until these are so many times as long as they need be.
MOST_STALE_EXPOSURES = 2


class Vectors(Group):
    """The cross pools of some width, or the buckets of a pair whose price is a quotient of two."""

    def __init__(self, name: str, width: int, tick: Tick) -> None:
        super().__init__(name, width, tick)
        pair = pair_of(name)
        self._quote_place = None if pair is None else tick.places[quote_of(pair)]
        self._weights: Floats = np.zeros((0, width))
        self._sums: Floats = np.zeros(0)
        self._prices: list[Decimal | None] = tick.prices(self.scope)
        self._floats = as_floats(self._prices)
        self._exposed: dict[int, list[Rows]] = {}
        self._exposures = self._exposures_needed = 0

    def columns(self, entries: Entries) -> NDArray[np.int64]:
        return entries.in_order() if self._quote_place is None else entries.sides(self._quote_place)

    def grow(self, size: int) -> None:
        self._weights, self._sums = grown(self._weights, size), grown(self._sums, size)

    def expose(self, rows: Rows, places: Places) -> None:
        after = self.amounts.places[rows]
        is_new = (after != places) & (after != NO_ASSET)
        if is_new.any():
            self._list(np.repeat(rows, self.amounts.width)[is_new.ravel()], after[is_new])

    def _list(self, rows: Rows, places: NDArray[np.int64]) -> None:
        """List rows under the assets that move them."""
        if self._exposures + len(rows) > MOST_STALE_EXPOSURES * max(self._exposures_needed, len(rows)):
            self._exposed.clear()
            where = self.amounts.places != NO_ASSET
            rows, places = np.nonzero(where)[0], self.amounts.places[where]
            self._exposures, self._exposures_needed = 0, len(rows)
        order = np.argsort(places, kind="stable")
        found, starts = np.unique(places[order], return_index=True)
        for place, part in zip(found.tolist(), np.split(rows[order], starts[1:]), strict=True):
            self._exposed.setdefault(place, []).append(part)
        self._exposures += len(rows)

    def weigh(self, rows: Rows | None) -> None:
        which = slice(len(self.kept.states)) if rows is None else rows
        self._weights[which] = self.amounts.weights(which, self.lines(which), self.tick)
        self._sum(which)

    def _sum(self, which: Rows | slice) -> None:
        self._sums[which] = self._sums_at(self._floats, which)

    def _sums_at(self, prices: Floats, which: Rows | slice) -> Floats:
        return np.asarray(np.einsum("ij,ij->i", self._weights[which], prices[self.amounts.places[which]]))

    def mark_prices(self) -> None:
        before, prices = self._prices, self.tick.prices(self.scope)
        # A new asset is at the end, and no wallet has it yet. Prices are compared as decimals: not all fit a float.
        moved = [place for place, old in enumerate(before) if prices[place] != old]
        if moved or len(prices) != len(before):
            self._prices, self._floats = prices, as_floats(prices)
        if moved:
            rows = self._exposed_to(moved)
            self._sum(slice(len(self.kept.states)) if rows is None else rows)
            self.moved(rows)

    def _exposed_to(self, places: Iterable[int]) -> Rows | None:
        """The rows that hold or owe any of these assets, some twice; None where that is most of them."""
        parts = [part for place in places for part in self._exposed.get(place, ())]
        if sum(map(len, parts)) > len(self.kept) // MOST_PICKED_PART:
            return None
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def suspects(self) -> Suspects:
        sums = self._sums[: len(self.kept.states)]
        found = np.flatnonzero(~(sums > 0))
        lacks = np.isnan(sums[found])
        return Suspects(found[~lacks], found[lacks])

    def suspects_at(self, tick: Tick) -> Rows:
        sums = self._sums_at(as_floats(tick.prices(self.scope)), slice(len(self.kept.states)))
        return np.flatnonzero(sums <= 0)
