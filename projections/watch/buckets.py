"""Buckets whose pair is quoted in the valuation asset, sorted by the prices at which they come to their lines."""

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ledger.market import RiskLimits
from ledger.money import VALUATION_ASSET, base_of
from ledger.words import pair_of
from projections.watch.amounts import BASE, SIDES, Amounts, grown
from projections.watch.group import Group, Suspects
from projections.watch.kept import Wallets
from projections.watch.screening import Flags, Floats, Rows, acting_line, lines_of_buckets
from projections.watch.tick import NO_ASSET, Tick, as_floats

# Rows that changed are looked at one by one until there are so many: a part of all, but never so few that it hurts.
UNSORTED_PART, FEWEST_UNSORTED = 16, 256
NO_ROWS = np.zeros(0, np.int64)


class Sorted:
    """Rows in order of their critical prices."""

    def __init__(self) -> None:
        self.rows, self.prices = NO_ROWS, np.zeros(0)

    def merge(self, is_changed: Flags, rows: Rows, critical: Floats) -> None:
        """Take the changed rows out wherever they are, and these in."""
        stay = ~is_changed[self.rows]
        kept_rows, kept_prices = self.rows[stay], self.prices[stay]
        order = np.argsort(critical[rows])
        new_rows = rows[order]
        where = np.searchsorted(kept_prices, critical[new_rows])
        self.rows = np.insert(kept_rows, where, new_rows)
        self.prices = np.insert(kept_prices, where, critical[new_rows])


class Pair:
    """A pair's buckets in order, its limits and its price; None while that is not fresh."""

    def __init__(self, name: str, tick: Tick) -> None:
        self.name = name
        self.longs, self.shorts = Sorted(), Sorted()
        self.limits: RiskLimits = tick.market.limits_of(name)
        self.price = self.price_at(tick)

    def price_at(self, tick: Tick) -> Decimal | None:
        """The fresh price at a tick."""
        return tick.price(base_of(self.name), tick.oldest(self.name))

    def at_or_past(self, price: float) -> list[Rows]:
        """The rows whose critical price is this one, or lies behind it."""
        longs, shorts = self.longs, self.shorts
        first = np.searchsorted(longs.prices, price, "left")
        return [longs.rows[first:], shorts.rows[: np.searchsorted(shorts.prices, price, "right")]]


class Buckets(Group):
    """W = w_base P + w_quote is at or below zero on one side of P = -w_quote / w_base: the critical price.

    Below it for a long (w_base > 0), above it for a short. What has no base is critical at every price or at none.
    """

    def __init__(self, tick: Tick) -> None:
        super().__init__(tick)
        self._amounts = Amounts(SIDES)
        self._pairs: list[Pair] = []
        self._numbers_by_name: dict[str, int] = {}
        self._numbers: NDArray[np.int32] = np.zeros(0, np.int32)
        self._critical: Floats = np.zeros(0)
        self._is_short: Flags = np.zeros(0, bool)
        self._is_unsorted: Flags = np.zeros(0, bool)
        self._unsorted: Rows = NO_ROWS

    def grow(self, size: int) -> None:
        self._amounts.grow(size)
        self._numbers, self._critical = grown(self._numbers, size), grown(self._critical, size)
        self._is_short, self._is_unsorted = grown(self._is_short, size), grown(self._is_unsorted, size)

    def take(self, rows: Rows, wallets: Wallets) -> None:
        numbers = [self._number(name) for name, _ in wallets.runs]
        self._numbers[rows] = np.repeat(numbers, [count for _, count in wallets.runs])
        self._amounts.put(rows, wallets.entries, wallets.entries.sides(self.tick.places[VALUATION_ASSET]))

    def _number(self, name: str) -> int:
        if name not in self._numbers_by_name:
            pair = pair_of(name)
            assert pair is not None, f"{name} is no bucket"
            self._numbers_by_name[name] = len(self._pairs)
            self._pairs.append(Pair(pair, self.tick))
        return self._numbers_by_name[name]

    def clear(self, rows: Rows) -> None:
        self._amounts.clear(rows)
        self.weigh(rows)

    def take_limits(self) -> bool:
        before = [pair.limits for pair in self._pairs]
        for pair in self._pairs:
            pair.limits = self.tick.market.limits_of(pair.name)
        return before != [pair.limits for pair in self._pairs]

    def set_lines(self, rows: Rows | None) -> None:
        rows = np.arange(self.kept.size) if rows is None else rows
        numbers, calls = self._numbers[rows], self.calls[rows]
        last = [pair.limits.tiers[-1] for pair in self._pairs]
        by_pair = np.array([[*acting_line(tier, np.array([False, True]))] for tier in last]).reshape(-1, 2)
        self.lines[rows] = by_pair[numbers, calls.astype(np.int64)]
        for number, pair in enumerate(self._pairs):
            if len(pair.limits.tiers) > 1:
                own = rows[numbers == number]
                base, quote = self._amounts.borrowed[own].T
                self.lines[own] = lines_of_buckets(pair.limits.tiers, base, quote, self.calls[own])

    def has_due(self) -> bool:
        return self._amounts.has_due(self.tick.hour)

    def weigh(self, rows: Rows | None) -> None:
        rows = np.arange(self.kept.size) if rows is None else rows
        base, quote = self._amounts.weights(rows, self.lines[rows], self.tick).T
        critical = np.where(quote <= 0, np.inf, -np.inf)
        np.divide(-quote, base, out=critical, where=base != 0)
        self._critical[rows], self._is_short[rows] = critical, base < 0
        new = rows[~self._is_unsorted[rows]]
        self._is_unsorted[new] = True
        self._unsorted = np.concatenate([self._unsorted, new])

    def take_prices(self) -> None:
        before = [pair.price for pair in self._pairs]
        for pair in self._pairs:
            pair.price = pair.price_at(self.tick)
        is_moved = np.array([pair.price != old for pair, old in zip(self._pairs, before, strict=True)])
        if is_moved.any():
            self.moved(lambda rows: np.asarray(is_moved[self._numbers[rows]]))

    def suspects(self) -> Suspects:
        self._sort_if_many()
        prices = as_floats([pair.price for pair in self._pairs])
        lacking = np.isnan(prices)
        if not lacking.any():
            return Suspects(self._at_or_past(prices), NO_ROWS)
        # What has none of the base needs no price: it is at its line at the highest one, or at none.
        found = self._at_or_past(np.where(lacking, np.inf, prices))
        lacks = lacking[self._numbers] & (self._amounts.places[:, BASE] != NO_ASSET)
        return Suspects(found[~lacks[found]], np.flatnonzero(lacks))

    def _at_or_past(self, prices: Floats) -> Rows:
        """The rows whose critical price is that of their pair, or lies behind it."""
        parts = [NO_ROWS]
        for pair, price in zip(self._pairs, prices.tolist(), strict=True):
            parts += pair.at_or_past(price)
        found, aside = np.concatenate(parts), self._unsorted
        critical, own = self._critical[aside], prices[self._numbers[aside]]
        past = np.where(self._is_short[aside], critical <= own, critical >= own)
        return np.concatenate([found[~self._is_unsorted[found]], aside[past]])

    def _sort_if_many(self) -> None:
        """What changed is sorted in at once, pair by pair, by one pass over what is sorted."""
        if len(self._unsorted) > max(FEWEST_UNSORTED, len(self.kept) // UNSORTED_PART):
            ordered = self._unsorted[np.argsort(self._numbers[self._unsorted], kind="stable")]
            ends = np.searchsorted(self._numbers[ordered], np.arange(len(self._pairs)), "right")
            for pair, rows in zip(self._pairs, np.split(ordered, ends[:-1]), strict=True):
                short = self._is_short[rows]
                pair.longs.merge(self._is_unsorted, rows[~short], self._critical)
                pair.shorts.merge(self._is_unsorted, rows[short], self._critical)
            self._is_unsorted[ordered] = False
            self._unsorted = NO_ROWS
