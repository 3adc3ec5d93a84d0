"""Wallets of one name as their last events left them, exactly, each in a row of its own."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
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

    def __init__(self, name: str) -> None:
        self.name = name
        self.states: list[State | None] = []
        self._account_ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._rows)

    def row_of(self, account_id: str) -> int | None:
        """The row of an account's wallet, None where it is not kept."""
        return self._rows.get(account_id)

    def account_id(self, row: int) -> str:
        """Whose wallet a row is."""
        return self._account_ids[row]

    def keep(self, account_ids: Sequence[str], states: Sequence[State]) -> Rows:
        """Keep wallets as they are now; their rows, in the same order."""
        known, kept = self._rows, self.states
        rows = [known[one] if one in known else self._new_row(one) for one in account_ids]
        for row, state in zip(rows, states, strict=True):
            kept[row] = state
        return np.array(rows, np.int64)

    def _new_row(self, account_id: str) -> int:
        if self._free:
            row = self._free.pop()
            self._account_ids[row] = account_id
        else:
            row = len(self.states)
            self.states.append(None)
            self._account_ids.append(account_id)
        self._rows[account_id] = row
        return row

    def drop(self, account_ids: Iterable[str]) -> Rows:
        """Let go of wallets; the rows of those that were kept."""
        rows = [row for one in account_ids if (row := self._rows.pop(one, None)) is not None]
        for row in rows:
            self.states[row] = None
        self._free += rows
        return np.array(rows, np.int64)

    def owing(self, row: int) -> OwingWallet:
        """The wallet of a row, as margin_levels answers it."""
        state = self.states[row]
        assert state is not None, f"row {row} of {self.name} stands for no wallet"
        wallet = wallet_of(self.name, json.loads(state.balances))
        return OwingWallet(self.account_id(row), wallet, state.position, state.leverage, None, state.called_at)
