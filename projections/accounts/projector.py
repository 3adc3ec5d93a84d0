"""Projects life cycle, settings, holds and withdrawals into accounts as they are and were."""

import json
from typing import Any, ClassVar

from ledger import events as e
from ledger.account.state import Account
from ledger.money import plain
from projections.accounts.holds import project_holds
from projections.accounts.withdrawals import project_withdrawals
from projections.folding import Step
from projections.projector import Batch, Tables, Writes

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
OPENING_COLUMNS = {"account_id": "text", "opened_position": "bigint", "opened_at": "timestamptz"}
VERSION_COLUMNS = {"account_id": "text", "position": "bigint", "version": "bigint"}
CHANGING = {
    e.AccountOpened,
    e.AccountFrozen,
    e.AccountUnfrozen,
    e.AccountClosed,
    e.MarginModeSet,
    e.LeverageSet,
    e.MarginCalled,
}
"""The events that change more of an account than its version, as far as the table `accounts` tells of it."""


class AccountsProjector:
    """Keeps nothing in memory."""

    name: ClassVar[str] = "accounts"
    tables: ClassVar[tuple[str, ...]] = (
        "accounts",
        "account_states",
        "account_versions",
        "holds",
        "hold_states",
        "withdrawals",
    )

    def project(self, batch: Batch, tables: Tables) -> Writes:  # noqa: ARG002
        writes = Writes()
        steps = [step for step in batch.steps if step.after is not None]
        versions = [(step.event.account_id, step.position, step.event.version) for step in steps]
        writes.append("account_versions", VERSION_COLUMNS, versions)
        _project_states(writes, [step for step in steps if type(step.event) in CHANGING])
        project_holds(writes, steps)
        project_withdrawals(writes, steps)
        return writes

    def forget(self) -> None:
        pass


def _project_states(writes: Writes, steps: list[Step]) -> None:
    states = [_state(step.after, step.position) for step in steps if step.after is not None]
    opened = [
        (step.event.account_id, step.position, step.event.effective_at)
        for step in steps
        if isinstance(step.event, e.AccountOpened)
    ]
    current = {state[0]: state for state in states}
    writes.append("account_states", STATE_COLUMNS, states)
    writes.append(
        "accounts", OPENING_COLUMNS | STATE_COLUMNS, [(*opening, *current.pop(opening[0])[1:]) for opening in opened]
    )
    writes.change("accounts", STATE_COLUMNS, list(current.values()), key=["account_id"])


def _state(account: Account, position: int) -> tuple[Any, ...]:
    described = (
        sorted(block.value for block in account.blocks),
        {pair: mode.value for pair, mode in account.modes.items()},
        {wallet: plain(leverage) for wallet, leverage in account.leverages.items()},
        {wallet: at.isoformat() for wallet, at in account.called_at.items()},
    )
    return (account.id, position, account.version, account.status.value, *map(json.dumps, described))
