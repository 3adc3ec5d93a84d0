"""Wallets as their last events left them, exactly, each in a row of its own."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

import numpy as np

from projections.margin_levels.queries import OwingWallet
from projections.margin_levels.wallet_rows import wallet_of
from projections.watch.screening import Rows


class State(NamedTuple):
    """A wallet that owes as its last event left it; `balances` is the JSON text that margin_levels keeps of it."""

    position: int
    leverage: Decimal | None
    called_at: datetime | None
    balances: str


class Kept:
    """States by row. A row whose wallet is gone is given to the next that comes."""

    def __init__(self) -> None:
        self._states: list[State | None] = []
        self._account_ids: list[str] = []
        self._names: list[str] = []
        # By name and account: a million tuples of both would take more room than all else.
        self._rows: dict[str, dict[str, int]] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many wallets are kept."""
        return len(self._states) - len(self._free)

    @property
    def size(self) -> int:
        """How many rows there are, those that stand for no wallet too."""
        return len(self._states)

    def keep(self, names: Sequence[str], account_ids: Sequence[str], states: Sequence[State]) -> Rows:
        """Keep wallets as they are now; their rows, in the same order, which is that of their names."""
        rows: list[int] = []
        for name, same in groupby(names):
            start, stop = len(rows), len(rows) + sum(1 for _ in same)
            known = self._rows.setdefault(name, {})
            found = [known.get(one) for one in account_ids[start:stop]]
            rows += [
                self._new_row(name, one) if row is None else row
                for row, one in zip(found, account_ids[start:stop], strict=True)
            ]
        kept = self._states
        for row, state in zip(rows, states, strict=True):
            kept[row] = state
        return np.array(rows, np.int64)

    def _new_row(self, name: str, account_id: str) -> int:
        if self._free:
            row = self._free.pop()
            self._account_ids[row], self._names[row] = account_id, name
        else:
            row = len(self._states)
            self._states.append(None)
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
        for row in rows:
            self._states[row] = None
        self._free += rows
        return np.array(rows, np.int64)

    def state(self, row: int) -> State | None:
        """What is in a row, None where it stands for no wallet."""
        return self._states[row]

    def named(self, row: int) -> tuple[str, str]:
        """The account and the name of a row's wallet."""
        return self._account_ids[row], self._names[row]

    def owing(self, row: int) -> OwingWallet:
        """The wallet of a row, as margin_levels answers it."""
        state, (account_id, name) = self._states[row], self.named(row)
        assert state is not None, f"row {row} stands for no wallet"
        wallet = wallet_of(name, json.loads(state.balances))
        return OwingWallet(account_id, wallet, state.position, state.leverage, None, state.called_at)
