"""Wallets as their last events left them, exactly, each in a row of its own."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from projections.margin_levels.queries import OwingWallet
from projections.margin_levels.wallet_rows import wallet_of
from projections.watch.amounts import Entries
from projections.watch.screening import Rows

GONE = ""
NO_POSITION = 0


class Wallets(NamedTuple):
    """Wallets that owe, as their last events left them: columns of the wallets, in order of their names.

    `runs` are the names, each with how many wallets in a row it is of. `balances` are the JSON texts that margin_levels
    keeps, `entries` the same as floats. A leverage that was set and a time of the last call are by the wallet's number.
    """

    runs: list[tuple[str, int]]
    account_ids: list[str]
    balances: list[str]
    leverages: dict[int, Decimal]
    called_at: dict[int, datetime]
    entries: Entries

    def of(self, chosen: Sequence[bool]) -> "Wallets":
        """The wallets of the runs that are marked."""
        if all(chosen):
            return self
        counts = [count for _, count in self.runs]
        is_own = np.repeat(np.array(chosen, bool), counts)
        which = np.flatnonzero(is_own).tolist()
        numbers = {number: place for place, number in enumerate(which)} if self.leverages or self.called_at else {}
        stops = list(accumulate(counts))
        cuts = [slice(stop - count, stop) for stop, count, own in zip(stops, counts, chosen, strict=True) if own]
        return Wallets(
            [run for run, own in zip(self.runs, chosen, strict=True) if own],
            [one for cut in cuts for one in self.account_ids[cut]],
            [one for cut in cuts for one in self.balances[cut]],
            {numbers[number]: leverage for number, leverage in self.leverages.items() if number in numbers},
            {numbers[number]: called_at for number, called_at in self.called_at.items() if number in numbers},
            self.entries.of(is_own),
        )


class Kept:
    """Wallets by row. A row whose wallet is gone is given to the next that comes.

    A million of them are much memory, and to touch it is most of what a change costs: so what few have is kept apart.
    """

    def __init__(self) -> None:
        self._balances: list[str] = []
        self._account_ids: list[str] = []
        self._names: list[str] = []
        self._leverages: dict[int, Decimal] = {}
        self._called_at: dict[int, datetime] = {}
        self._rows: dict[str, dict[str, int]] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many wallets are kept."""
        return len(self._balances) - len(self._free)

    @property
    def size(self) -> int:
        """How many rows there are, those that stand for no wallet too."""
        return len(self._balances)

    def keep(self, wallets: Wallets) -> Rows:
        """Keep wallets as they are now; their rows, in the same order."""
        rows: list[int] = []
        for name, count in wallets.runs:
            own = wallets.account_ids[len(rows) : len(rows) + count]
            found = list(map(self._rows.setdefault(name, {}).get, own))
            rows += [self._new_row(name, one) if row is None else row for row, one in zip(found, own, strict=True)]
        self._forget(rows)
        kept = self._balances
        for row, balances in zip(rows, wallets.balances, strict=True):
            kept[row] = balances
        self._leverages |= {rows[number]: leverage for number, leverage in wallets.leverages.items()}
        self._called_at |= {rows[number]: called_at for number, called_at in wallets.called_at.items()}
        return np.array(rows, np.int64)

    def _forget(self, rows: Iterable[int]) -> None:
        for few in (self._leverages, self._called_at):
            if few:
                for row in rows:
                    few.pop(row, None)

    def _new_row(self, name: str, account_id: str) -> int:
        if self._free:
            row = self._free.pop()
            self._account_ids[row], self._names[row] = account_id, name
        else:
            row = len(self._balances)
            self._balances.append(GONE)
            self._account_ids.append(account_id)
            self._names.append(name)
        self._rows[name][account_id] = row
        return row

    def drop(self, gone: Iterable[tuple[str, str]]) -> Rows:
        """Let go of wallets, by name and account; the rows of those that were kept."""
        rows = [
            row
            for name, account_id in gone
            if name in self._rows and (row := self._rows[name].pop(account_id, None)) is not None
        ]
        self._forget(rows)
        for row in rows:
            self._balances[row] = GONE
        self._free += rows
        return np.array(rows, np.int64)

    def called_at(self, row: int) -> datetime | None:
        """When a row's wallet was called last."""
        return self._called_at.get(row)

    def leverage(self, row: int) -> Decimal | None:
        """The leverage that was set of a row's wallet."""
        return self._leverages.get(row)

    def named(self, row: int) -> tuple[str, str]:
        """The account and the name of a row's wallet."""
        return self._account_ids[row], self._names[row]

    def owing(self, row: int) -> OwingWallet:
        """The wallet of a row, as margin_levels answers it, but for the position of its last event."""
        account_id, name = self.named(row)
        wallet = wallet_of(name, json.loads(self._balances[row]))
        return OwingWallet(account_id, wallet, NO_POSITION, self.leverage(row), None, self.called_at(row))
