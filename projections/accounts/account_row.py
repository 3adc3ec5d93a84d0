"""An account as its row has it: status, blocks, modes, leverages, calls and version."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ledger import events as e
from ledger.money import plain
from ledger.words import AccountStatus
from projections.dating import lateness
from projections.projector import Connection

STATE_COLUMNS = {
    "account_id": "text",
    "position": "bigint",
    "version": "bigint",
    "status": "text",
    "blocks": "jsonb",
    "modes": "jsonb",
    "leverages": "jsonb",
    "called_at": "jsonb",
}
ACCOUNT_COLUMNS = {
    **STATE_COLUMNS,
    "opened_position": "bigint",
    "opened_at": "timestamptz",
    "dated_to": "timestamptz",
    "disordered": "boolean",
}
VERSION_COLUMNS = ("account_id", "position", "version", "effective_at", "dated_to", "lateness", "ordered")


@dataclass(slots=True)
class AccountRow:
    """An account as last projected; `version` is that of its last event, `position` that of its last change."""

    account_id: str
    position: int = 0
    version: int = 0
    status: str = AccountStatus.OPEN.value
    blocks: list[str] = field(default_factory=list)
    modes: dict[str, str] = field(default_factory=dict)
    leverages: dict[str, str] = field(default_factory=dict)
    called_at: dict[str, str] = field(default_factory=dict)
    opened_position: int = 0
    opened_at: datetime | None = None
    dated_to: datetime | None = None
    disordered: bool = False

    def date(self, event: e.AnyEvent, *, ordered: bool) -> tuple[Any, ...]:
        """Takes the date of one event: when it counts, the latest so far, how late it was entered, if order counts."""
        self.dated_to = dated_to = max(self.dated_to or event.effective_at, event.effective_at)
        late = lateness(event.effective_at, dated_to)
        self.disordered |= ordered and late > 0
        return event.effective_at, dated_to, late, ordered

    def take(self, event: e.AnyEvent, position: int) -> bool:
        """Takes one event of the account; True where more than the version changed."""
        self.version = event.version
        match event:
            case e.AccountOpened():
                self.status = AccountStatus.OPEN.value
                self.opened_position, self.opened_at = position, event.effective_at
            case e.AccountFrozen():
                self.status, self.blocks = AccountStatus.FROZEN.value, sorted(block.value for block in event.blocks)
            case e.AccountUnfrozen():
                self.status, self.blocks = AccountStatus.OPEN.value, []
            case e.AccountClosed():
                self.status = AccountStatus.CLOSED.value
            case e.MarginModeSet():
                self.modes = {**self.modes, event.pair: event.mode.value}
            case e.LeverageSet():
                self.leverages = {**self.leverages, event.wallet: plain(event.leverage)}
            case e.MarginCalled():
                self.called_at = {**self.called_at, event.wallet: event.effective_at.isoformat()}
            case _:
                return False
        self.position = position
        return True

    @property
    def state(self) -> tuple[Any, ...]:
        described = json.dumps(self.modes), json.dumps(self.leverages), json.dumps(self.called_at)
        return self.account_id, self.position, self.version, self.status, json.dumps(self.blocks), *described

    @property
    def row(self) -> tuple[Any, ...]:
        return *self.state, self.opened_position, self.opened_at, self.dated_to, self.disordered


def load_accounts(connection: Connection, account_ids: Sequence[str]) -> dict[str, AccountRow]:
    """Accounts as the table `accounts` has them."""
    rows = connection.execute(
        "select account_id, position, version, status, blocks, modes, leverages, called_at,"
        " opened_position, opened_at, dated_to, disordered from accounts where account_id = any(%s)",
        [list(account_ids)],
    )
    return {row[0]: AccountRow(*row) for row in rows}
