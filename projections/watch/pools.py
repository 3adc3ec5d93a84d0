"""The cross pools: vectors of widths that double, so that a pool of three assets takes no more room than four."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ledger.words import CROSS
from projections.questions.levels import Candidate
from projections.watch.amounts import Entries
from projections.watch.group import Crossing
from projections.watch.kept import State
from projections.watch.tick import Tick
from projections.watch.vectors import Vectors

NARROWEST = 2


class Pools:
    """A pool that comes to more assets, or to fewer, moves from one width to another."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._by_width: dict[int, Vectors] = {}
        self._width_of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._width_of)

    def put(self, account_ids: Sequence[str], states: Sequence[State], entries: Entries) -> None:
        """Take pools as they are now; `entries` counts them in the order of `account_ids`."""
        counts = np.bincount(entries.wallet, minlength=len(account_ids))
        widths = np.exp2(np.ceil(np.log2(np.maximum(counts, NARROWEST)))).astype(np.int64)
        self._leave(account_ids, widths.tolist())
        for width in np.unique(widths).tolist():
            chosen = widths == width
            of_chosen = entries.at(chosen[entries.wallet])
            renumbered = of_chosen._replace(wallet=(np.cumsum(chosen) - 1)[of_chosen.wallet])
            which = np.flatnonzero(chosen).tolist()
            self._vectors(width).put([account_ids[one] for one in which], [states[one] for one in which], renumbered)

    def _leave(self, account_ids: Iterable[str], widths: Iterable[int]) -> None:
        """Take pools out of the widths that they are no more of."""
        for account_id, width in zip(account_ids, widths, strict=True):
            before = self._width_of.get(account_id)
            if before != width:
                self._width_of[account_id] = width
                if before is not None:
                    self._by_width[before].drop([account_id])

    def _vectors(self, width: int) -> Vectors:
        if width not in self._by_width:
            self._by_width[width] = Vectors(CROSS, width, self._tick)
        return self._by_width[width]

    def drop(self, account_ids: Iterable[str]) -> None:
        """Let go of pools that owe no more, or whose liquidation runs; of those that are not here too."""
        for account_id in account_ids:
            width = self._width_of.pop(account_id, None)
            if width is not None:
                self._by_width[width].drop([account_id])

    def mark(self, tick: Tick) -> None:
        """Go on to a tick."""
        self._tick = tick
        for vectors in self._by_width.values():
            vectors.mark(tick)

    def candidates(self) -> list[Candidate]:
        """The candidates at the tick, exactly; in no order."""
        return [one for vectors in self._by_width.values() for one in vectors.candidates()]

    def crossing(self, tick: Tick) -> Iterator[Crossing]:
        """The pools that would be called or liquidated at another tick."""
        for vectors in self._by_width.values():
            yield from vectors.crossing(tick)
