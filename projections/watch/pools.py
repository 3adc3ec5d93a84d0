"""Wallets whose level takes more than one price: the cross pools, or the buckets of a pair such as ETH/BTC."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ledger.account.state import CROSS_START_LEVERAGE
from ledger.money import quote_of
from ledger.words import CROSS, pair_of
from projections.watch.amounts import SIDES, grown
from projections.watch.group import Group, Suspects
from projections.watch.kept import Wallets
from projections.watch.screening import Flags, Floats, Rows, lines_of_buckets, lines_of_pools
from projections.watch.tick import Tick, as_floats
from projections.watch.vectors import Vectors

NARROWEST = 2
NO_WIDTH = 0
START_LEVERAGE = float(CROSS_START_LEVERAGE)


class Pools(Group):
    """Vectors of widths that double: a pool of three assets takes the room of four, a bucket that of two.

    A pool that comes to more assets, or to fewer, moves from one width to another.
    """

    def __init__(self, name: str, tick: Tick) -> None:
        super().__init__(tick)
        self._pair = pair_of(name)
        self._scope = self._pair or CROSS
        self._limits = tick.market.limits_of(self._scope)
        self._leverages: Floats = np.zeros(0)
        self._widths: NDArray[np.int64] = np.zeros(0, np.int64)
        self._slots: Rows = np.zeros(0, np.int64)
        self._vectors: dict[int, Vectors] = {}
        self._prices: list[Decimal | None] = tick.prices(self._scope)

    def grow(self, size: int) -> None:
        self._leverages = grown(self._leverages, size)
        self._widths, self._slots = grown(self._widths, size), grown(self._slots, size)

    def take(self, rows: Rows, wallets: Wallets) -> None:
        entries = wallets.entries
        self._leverages[rows] = START_LEVERAGE
        for number, leverage in wallets.leverages.items():
            self._leverages[rows[number]] = float(leverage)
        counts = np.bincount(entries.wallet, minlength=len(rows))
        widths = np.exp2(np.ceil(np.log2(np.maximum(counts, NARROWEST)))).astype(np.int64)
        self._place(rows, widths)
        for width in np.unique(widths).tolist():
            chosen = widths == width
            own = entries.of(chosen)
            columns = own.in_order() if self._pair is None else own.sides(self.tick.places[quote_of(self._pair)])
            self._vectors[width].put(self._slots[rows[chosen]], own, columns)

    def _place(self, rows: Rows, widths: NDArray[np.int64]) -> None:
        """Give rows a slot among the vectors of their width, and take back the one that they had elsewhere."""
        moving = self._widths[rows] != widths
        self._leave(rows[moving & (self._widths[rows] != NO_WIDTH)])
        for width in np.unique(widths[moving]).tolist():
            if width not in self._vectors:
                self._vectors[width] = Vectors(width, as_floats(self._prices))
            own = rows[moving & (widths == width)]
            self._slots[own], self._widths[own] = self._vectors[width].new_slots(own), width

    def _leave(self, rows: Rows) -> None:
        for width, own in self._by_width(rows):
            self._vectors[width].leave(self._slots[own])
        self._widths[rows] = NO_WIDTH

    def _by_width(self, rows: Rows) -> Iterator[tuple[int, Rows]]:
        widths = self._widths[rows]
        for width in self._vectors:
            own = rows[widths == width]
            if len(own):
                yield width, own

    def clear(self, rows: Rows) -> None:
        self._leave(rows)

    def take_limits(self) -> bool:
        before, self._limits = self._limits, self.tick.market.limits_of(self._scope)
        return before != self._limits

    def set_lines(self, rows: Rows | None) -> None:
        rows = np.arange(self.kept.size) if rows is None else rows
        calls, tiers = self.calls[rows], self._limits.tiers
        if self._pair is None:
            self.lines[rows] = lines_of_pools(tiers, self._leverages[rows], calls)
        elif SIDES in self._vectors:
            base, quote = self._vectors[SIDES].amounts.borrowed[self._slots[rows]].T
            self.lines[rows] = lines_of_buckets(tiers, base, quote, calls)

    def has_due(self) -> bool:
        return any(vectors.amounts.has_due(self.tick.hour) for vectors in self._vectors.values())

    def weigh(self, rows: Rows | None) -> None:
        if rows is None:
            for vectors in self._vectors.values():
                vectors.weigh(None, self.lines, self.tick)
        else:
            for width, own in self._by_width(rows):
                self._vectors[width].weigh(self._slots[own], self.lines, self.tick)

    def take_prices(self) -> None:
        before, self._prices = self._prices, self.tick.prices(self._scope)
        # A new asset is at the end, and no wallet has it yet. Prices are compared as decimals: not all fit a float.
        moved = [place for place, old in enumerate(before) if self._prices[place] != old]
        if moved or len(self._prices) != len(before):
            prices = as_floats(self._prices)
            for vectors in self._vectors.values():
                vectors.take_prices(prices, moved)
            self.moved(lambda rows: self._are_exposed(rows, moved))

    def _are_exposed(self, rows: Rows, moved: Sequence[int]) -> Flags:
        exposed = np.zeros(len(rows), bool)
        for width, vectors in self._vectors.items():
            own = self._widths[rows] == width
            exposed[own] = vectors.is_exposed(self._slots[rows[own]], moved)
        return exposed

    def suspects(self) -> Suspects:
        found = [vectors.suspects() for vectors in self._vectors.values()]
        return Suspects(_joined([one for one, _ in found]), _joined([one for _, one in found]))


def _joined(parts: list[Rows]) -> Rows:
    return np.concatenate([np.zeros(0, np.int64), *parts])
