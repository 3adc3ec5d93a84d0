"""Wallets of one name: their screen, the exact decisions on those that it lets through, and what is known of these."""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.account.liquidation import CALL_PAUSE
from ledger.account.state import CROSS_START_LEVERAGE
from ledger.margin import Margin
from ledger.words import CROSS, Band, pair_of
from projections.questions.levels import UNPRICED, Candidate, candidate_of, margin_after_interest
from projections.watch.amounts import Amounts, Entries, grown
from projections.watch.kept import Kept, State
from projections.watch.screening import Flags, Floats, Places, Rows, lines_of_buckets, lines_of_pools
from projections.watch.tick import Tick

FIRST_ROWS = 64
START_LEVERAGE = float(CROSS_START_LEVERAGE)
CALLED_OR_WORSE = (Band.MARGIN_CALL, Band.LIQUIDATION)


class Suspects(NamedTuple):
    """The rows that floats cannot clear: those to be decided exactly, and those that lack a price."""

    to_decide: Rows
    unpriced: Rows


class Crossing(NamedTuple):
    """A wallet that would be called or liquidated, and how it would stand, with the interest that is due."""

    account_id: str
    wallet: str
    margin: Margin


class Group(ABC):
    """All wallets of one name, each of at most `width` assets, valued by one scope's prices."""

    def __init__(self, name: str, width: int, tick: Tick) -> None:
        self.scope = pair_of(name) or CROSS
        self.kept = Kept(name)
        self.amounts = Amounts(width)
        self.tick = tick
        self._limits = tick.market.limits_of(self.scope)
        # Who was called within a day is not called again: the line that acts on it is the liquidation line.
        self.calls: Flags = np.zeros(0, bool)
        self._leverages: Floats = np.zeros(0)
        self._pauses: list[tuple[datetime, str]] = []
        self._decided: dict[int, Candidate | None] = {}
        self._found: list[Candidate] | None = None

    def __len__(self) -> int:
        return len(self.kept)

    def put(self, account_ids: Sequence[str], states: Sequence[State], entries: Entries) -> None:
        """Take wallets as they are now; `entries` counts them in the order of `account_ids`."""
        rows = self.kept.keep(account_ids, states)
        if len(self.kept.states) > len(self.calls):
            self._grow(max(FIRST_ROWS, 2 * len(self.calls), len(self.kept.states)))
        places = self.amounts.places[rows]
        self.amounts.put(rows, entries, self.columns(entries))
        self._settle(rows, account_ids, states)
        self.expose(rows, places)
        self._changed(rows)

    def drop(self, account_ids: Iterable[str]) -> None:
        """Let go of wallets that owe no more, or whose liquidation runs; of those that are not here too."""
        rows = self.kept.drop(account_ids)
        if len(rows):
            self.amounts.clear(rows)
            self.calls[rows] = True
            self._changed(rows)

    def _grow(self, size: int) -> None:
        # Rows that stand for no wallet are in no pause.
        self.calls = np.concatenate([self.calls, np.ones(size - len(self.calls), bool)])
        self._leverages = grown(self._leverages, size)
        self.amounts.grow(size)
        self.grow(size)

    def _settle(self, rows: Rows, account_ids: Sequence[str], states: Sequence[State]) -> None:
        """What a wallet's line is found by, beside what it has borrowed."""
        self._leverages[rows] = [START_LEVERAGE if one.leverage is None else float(one.leverage) for one in states]
        self.calls[rows] = [self._may_call(one) for one in states]
        for place in np.flatnonzero(~self.calls[rows]).tolist():
            called_at = states[place].called_at
            assert called_at is not None
            heapq.heappush(self._pauses, (called_at + CALL_PAUSE, account_ids[place]))

    def _may_call(self, state: State) -> bool:
        at = self.tick.market.newest_prices_at
        return state.called_at is None or at is None or at - state.called_at >= CALL_PAUSE

    def _changed(self, rows: Rows) -> None:
        self._found = None
        if self._decided:
            for row in rows.tolist():
                self._decided.pop(row, None)
        self.weigh(rows)

    def lines(self, rows: Rows | slice) -> Floats:
        """The acting lines of rows."""
        calls, tiers = self.calls[rows], self._limits.tiers
        if self.scope == CROSS:
            return lines_of_pools(tiers, self._leverages[rows], calls)
        borrowed = self.amounts.borrowed[rows]
        return lines_of_buckets(tiers, borrowed[:, 0], borrowed[:, 1], calls)

    def mark(self, tick: Tick) -> None:
        """Go on to a tick: its prices, rates and limits, the interest due by it, the calls that are allowed again."""
        before, self.tick = self.tick, tick
        limits = tick.market.limits_of(self.scope)
        is_set = limits != self._limits or tick.hourly is not before.hourly
        self._limits = limits
        if is_set or (tick.hour != before.hour and self.amounts.has_due(tick.hour)):
            self._decided.clear()
            self._found = None
            self.weigh(None)
        ended = self._ended_pauses()
        if len(ended):
            self.calls[ended] = True
            self._changed(ended)
        self.mark_prices()

    def _ended_pauses(self) -> Rows:
        """The rows of wallets that were called a day ago and may be called again."""
        at, ended = self.tick.market.newest_prices_at, []
        while self._pauses and at is not None and self._pauses[0][0] <= at:
            row = self.kept.row_of(heapq.heappop(self._pauses)[1])
            state = None if row is None else self.kept.states[row]
            if row is not None and state is not None and self._may_call(state):
                ended.append(row)
        return np.array(ended, np.int64)

    def moved(self, rows: Rows | None) -> None:
        """Forget what was decided at other prices: of these rows, or (None) of all."""
        self._found = None
        if rows is None:
            self._decided.clear()
        elif self._decided:
            known = np.fromiter(self._decided, np.int64, len(self._decided))
            for row in known[np.isin(known, rows)].tolist():
                del self._decided[row]

    def candidates(self) -> list[Candidate]:
        """The candidates at the tick, exactly; in no order."""
        if self._found is None:
            to_decide, unpriced = self.suspects()
            decided = [self._decide(row) for row in to_decide.tolist()]
            lacking = [
                Candidate(self.kept.account_id(row), self.kept.name, UNPRICED, None) for row in unpriced.tolist()
            ]
            self._found = [one for one in decided if one is not None] + lacking
        return self._found

    def _decide(self, row: int) -> Candidate | None:
        if row in self._decided:
            return self._decided[row]
        found = self._decided[row] = candidate_of(self.kept.owing(row), self.tick.market)
        return found

    def crossing(self, tick: Tick) -> Iterator[Crossing]:
        """The wallets that would be called or liquidated at another tick, with the rates, limits and time of this."""
        for row in np.union1d(self.suspects_at(tick), np.flatnonzero(~self.calls)).tolist():
            one = self.kept.owing(row)
            margin = margin_after_interest(one, tick.market)
            if margin is not None and margin.band in CALLED_OR_WORSE:
                yield Crossing(one.account_id, one.wallet.name, margin)

    @abstractmethod
    def columns(self, entries: Entries) -> NDArray[np.int64]:
        """The column of each entry."""

    @abstractmethod
    def expose(self, rows: Rows, places: Places) -> None:
        """Take note of what moves rows now; `places` are those of their assets before."""

    @abstractmethod
    def grow(self, size: int) -> None:
        """Make room for so many rows."""

    @abstractmethod
    def weigh(self, rows: Rows | None) -> None:
        """Find anew by which prices rows come to their lines: these, or (None) all."""

    @abstractmethod
    def mark_prices(self) -> None:
        """Take the tick's prices, and say by `moved` where they are others."""

    @abstractmethod
    def suspects(self) -> Suspects:
        """The rows at the tick's prices that cannot be cleared."""

    @abstractmethod
    def suspects_at(self, tick: Tick) -> Rows:
        """The rows at another tick's prices that are to be decided, by the lines of this one."""
