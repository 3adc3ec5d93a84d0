"""Wallets that are screened in one way: the exact decisions on those that come through, and what is known of these."""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np

from ledger.account.liquidation import CALL_PAUSE
from projections.questions.levels import UNPRICED, Candidate, candidate_of
from projections.watch.amounts import grown
from projections.watch.kept import Kept, Wallets
from projections.watch.screening import Flags, Floats, Rows
from projections.watch.tick import Tick

FIRST_ROWS = 64


class Suspects(NamedTuple):
    """The rows that floats cannot clear: those to be decided exactly, and those that lack a price."""

    to_decide: Rows
    unpriced: Rows


class Group(ABC):
    """`lines` are the lines at which an examination acts, by row."""

    def __init__(self, tick: Tick) -> None:
        self.kept = Kept()
        self.tick = tick
        self.lines: Floats = np.zeros(0)
        # Who was called within a day is not called again: the line that acts on it is the liquidation line.
        self.calls: Flags = np.zeros(0, bool)
        self._pauses: list[tuple[datetime, int]] = []
        self._decided: dict[int, Candidate | None] = {}
        self._found: list[Candidate] | None = None
        self.decisions = 0

    def __len__(self) -> int:
        return len(self.kept)

    def put(self, wallets: Wallets) -> None:
        """Take wallets as they are now."""
        rows = self.kept.keep(wallets)
        if self.kept.size > len(self.calls):
            self._grow(max(FIRST_ROWS, 2 * len(self.calls), self.kept.size))
        self.calls[rows] = True
        for number, called_at in wallets.called_at.items():
            self._pause(int(rows[number]), called_at)
        self.take(rows, wallets)
        self._changed(rows)

    def drop(self, gone: Iterable[tuple[str, str]]) -> None:
        """Let go of wallets, by name and account, that owe no more or whose liquidation runs; others are none."""
        rows = self.kept.drop(gone)
        self.calls[rows] = True
        self.clear(rows)
        self._forget(rows)

    def _grow(self, size: int) -> None:
        self.calls, self.lines = grown(self.calls, size), grown(self.lines, size)
        self.grow(size)

    def _pause(self, row: int, called_at: datetime) -> None:
        if not self._may_call(called_at):
            self.calls[row] = False
            heapq.heappush(self._pauses, (called_at + CALL_PAUSE, row))

    def _may_call(self, called_at: datetime) -> bool:
        at = self.tick.market.newest_prices_at
        return at is None or at - called_at >= CALL_PAUSE

    def _changed(self, rows: Rows) -> None:
        self._forget(rows)
        self.set_lines(rows)
        self.weigh(rows)

    def _forget(self, rows: Rows | None) -> None:
        """Forget what was decided of rows, or (None) of all."""
        self._found = None
        if rows is None:
            self._decided.clear()
        elif self._decided:
            for row in rows.tolist():
                self._decided.pop(row, None)

    def mark(self, tick: Tick) -> None:
        """Go on to a tick: its prices, rates and limits, the interest due by it, the calls that are allowed again."""
        before, self.tick = self.tick, tick
        are_limits_set = self.take_limits()
        if are_limits_set:
            self.set_lines(None)
        is_due = tick.hour != before.hour and self.has_due()
        if are_limits_set or is_due or tick.hourly is not before.hourly:
            self._forget(None)
            self.weigh(None)
        ended = self._ended_pauses()
        if len(ended):
            self.calls[ended] = True
            self._changed(ended)
        self.take_prices()

    def _ended_pauses(self) -> Rows:
        """The rows of wallets that were called a day ago and may be called again."""
        at, ended = self.tick.market.newest_prices_at, set()
        while self._pauses and at is not None and self._pauses[0][0] <= at:
            _, row = heapq.heappop(self._pauses)
            called_at = self.kept.called_at(row)
            if called_at is not None and self._may_call(called_at):
                ended.add(row)
        return np.array(sorted(ended), np.int64)

    def moved(self, is_moved: Callable[[Rows], Flags]) -> None:
        """Forget what was decided at other prices: of those rows of which this says so."""
        self._found = None
        if self._decided:
            known = np.fromiter(self._decided, np.int64, len(self._decided))
            for row in known[is_moved(known)].tolist():
                del self._decided[row]

    def candidates(self) -> list[Candidate]:
        """The candidates at the tick, exactly; in no order."""
        if self._found is None:
            to_decide, unpriced = self.suspects()
            decided = [self._decide(row) for row in to_decide.tolist()]
            lacking = [Candidate(*self.kept.named(row), UNPRICED, None) for row in unpriced.tolist()]
            self._found = [one for one in decided if one is not None] + lacking
        return self._found

    def _decide(self, row: int) -> Candidate | None:
        if row in self._decided:
            return self._decided[row]
        self.decisions += 1
        found = self._decided[row] = candidate_of(self.kept.owing(row), self.tick.market)
        return found

    @abstractmethod
    def grow(self, size: int) -> None:
        """Make room for so many rows."""

    @abstractmethod
    def take(self, rows: Rows, wallets: Wallets) -> None:
        """Take what wallets hold and owe, and what their lines are found by."""

    @abstractmethod
    def clear(self, rows: Rows) -> None:
        """Let rows stand for no wallet: their W is above zero."""

    @abstractmethod
    def take_limits(self) -> bool:
        """Take the tick's limits; whether they are others."""

    @abstractmethod
    def set_lines(self, rows: Rows | None) -> None:
        """Find the lines of these rows, or (None) of all."""

    @abstractmethod
    def has_due(self) -> bool:
        """Whether interest is due by the tick that is not charged yet."""

    @abstractmethod
    def weigh(self, rows: Rows | None) -> None:
        """Find anew by which prices these rows come to their lines, or (None) all."""

    @abstractmethod
    def take_prices(self) -> None:
        """Take the tick's prices, and say by `moved` whose are others."""

    @abstractmethod
    def suspects(self) -> Suspects:
        """The rows at the tick's prices that cannot be cleared."""
