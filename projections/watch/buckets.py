"""Buckets of one pair that is quoted in the valuation asset, sorted by the prices at which they come to their lines."""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ledger.money import base_of, quote_of
from ledger.words import isolated
from projections.watch.amounts import BASE, SIDES, Entries, grown
from projections.watch.group import Group, Suspects
from projections.watch.screening import Flags, Floats, Places, Rows
from projections.watch.tick import NO_ASSET, Tick

# Rows that changed are looked at one by one until there are so many: a part of all, but never so few that it hurts.
UNSORTED_PART, FEWEST_UNSORTED = 16, 256
NO_ROWS = np.zeros(0, np.int64)


class Sorted:
    """Rows in order of their critical prices."""

    def __init__(self) -> None:
        self.rows, self.prices = NO_ROWS, np.zeros(0)

    def merge(self, is_changed: Flags, rows: Rows, prices: Floats) -> None:
        """Take the changed rows out wherever they are, and these in."""
        stay = ~is_changed[self.rows]
        kept_rows, kept_prices = self.rows[stay], self.prices[stay]
        order = np.argsort(prices)
        where = np.searchsorted(kept_prices, prices[order])
        self.rows = np.insert(kept_rows, where, rows[order])
        self.prices = np.insert(kept_prices, where, prices[order])


class Buckets(Group):
    """W = w_base P + w_quote is at or below zero on one side of P = -w_quote / w_base: the critical price.

    Below it for a long (w_base > 0), above it for a short. What has no base is critical at every price or at none.
    """

    def __init__(self, pair: str, tick: Tick) -> None:
        super().__init__(isolated(pair), SIDES, tick)
        self._base = base_of(pair)
        self._quote_place = tick.places[quote_of(pair)]
        self._critical: Floats = np.zeros(0)
        self._is_short: Flags = np.zeros(0, bool)
        self._longs, self._shorts = Sorted(), Sorted()
        self._is_unsorted: Flags = np.zeros(0, bool)
        self._unsorted: Rows = NO_ROWS
        self._price = self._fresh_price(tick)

    def _fresh_price(self, tick: Tick) -> Decimal | None:
        return tick.price(self._base, tick.oldest(self.scope))

    def columns(self, entries: Entries) -> NDArray[np.int64]:
        return entries.sides(self._quote_place)

    def expose(self, rows: Rows, places: Places) -> None:
        """Nothing: one price moves them all."""

    def grow(self, size: int) -> None:
        self._critical, self._is_short = grown(self._critical, size), grown(self._is_short, size)
        self._is_unsorted = grown(self._is_unsorted, size)

    def weigh(self, rows: Rows | None) -> None:
        rows = np.arange(len(self.kept.states)) if rows is None else rows
        base, quote = self.amounts.weights(rows, self.lines(rows), self.tick).T
        critical = np.where(quote <= 0, np.inf, -np.inf)
        np.divide(-quote, base, out=critical, where=base != 0)
        self._critical[rows], self._is_short[rows] = critical, base < 0
        new = rows[~self._is_unsorted[rows]]
        self._is_unsorted[new] = True
        self._unsorted = np.concatenate([self._unsorted, new])

    def mark_prices(self) -> None:
        price = self._fresh_price(self.tick)
        if price != self._price:
            self._price = price
            self.moved(None)

    def suspects(self) -> Suspects:
        self._sort_if_many()
        if self._price is not None:
            return Suspects(self._at_or_past(float(self._price)), NO_ROWS)
        return Suspects(self._critical_without_base(), np.flatnonzero(self._has_base()))

    def suspects_at(self, tick: Tick) -> Rows:
        price = self._fresh_price(tick)
        return self._critical_without_base() if price is None else self._at_or_past(float(price))

    def _has_base(self) -> Flags:
        return np.asarray(self.amounts.places[:, BASE] != NO_ASSET)

    def _critical_without_base(self) -> Rows:
        return np.flatnonzero(~self._has_base() & (self._critical == np.inf))

    def _at_or_past(self, price: float) -> Rows:
        """The rows whose critical price is this one, or lies behind it."""
        longs = self._longs.rows[np.searchsorted(self._longs.prices, price, "left") :]
        shorts = self._shorts.rows[: np.searchsorted(self._shorts.prices, price, "right")]
        found = np.concatenate([longs, shorts])
        aside, critical = self._unsorted, self._critical[self._unsorted]
        past = np.where(self._is_short[aside], critical <= price, critical >= price)
        return np.concatenate([found[~self._is_unsorted[found]], aside[past]])

    def _sort_if_many(self) -> None:
        """What changed is sorted in at once, by one pass over what is sorted."""
        rows = self._unsorted
        if len(rows) > max(FEWEST_UNSORTED, len(self.kept) // UNSORTED_PART):
            short = self._is_short[rows]
            for place, which in ((self._longs, rows[~short]), (self._shorts, rows[short])):
                place.merge(self._is_unsorted, which, self._critical[which])
            self._is_unsorted[rows] = False
            self._unsorted = NO_ROWS
