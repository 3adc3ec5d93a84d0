"""Projects life cycle, settings, holds and withdrawals into accounts as they are and were."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from ledger import events as e
from ledger.account.state import Account
from ledger.money import plain
from projections.accounts.dated import EVENTS_BETWEEN, order_counts
from projections.accounts.holds import project_holds
from projections.accounts.kept_folds import Due, Late, keep_folds
from projections.accounts.withdrawals import project_withdrawals
from projections.dating import lateness
from projections.folding import Step
from projections.keeping import Kept
from projections.projector import Batch, Connection, Tables, Writes
from projections.writing import History

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
VERSION_COLUMNS = {
    "account_id": "text",
    "position": "bigint",
    "version": "bigint",
    "effective_at": "timestamptz",
    "dated_to": "timestamptz",
    "lateness": "smallint",
    "ordered": "boolean",
    "disordered": "boolean",
}
DATE_COLUMNS = {"account_id": "text", "dated_to": "timestamptz", "disordered": "boolean"}
VERSIONS = History("account_versions", "account_dates", VERSION_COLUMNS, DATE_COLUMNS, ("account_id",))
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


START_OF_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Dates:
    """The latest business time of an account's events, and whether one whose order counts was entered late."""

    dated_to: datetime = START_OF_TIME
    disordered: bool = False

    def take(self, step: Step) -> tuple[Any, ...]:
        """Takes the date of one event: when it counts, the latest so far, how late it was entered, if order counts."""
        effective_at, ordered = step.event.effective_at, order_counts(step.event, step.lines)
        if effective_at >= self.dated_to:
            self.dated_to = effective_at
            return effective_at, effective_at, 0, ordered
        self.disordered |= ordered
        return effective_at, self.dated_to, lateness(effective_at, self.dated_to), ordered


class AccountsProjector:
    """Keeps the dates of accounts; all else is the account's."""

    name: ClassVar[str] = "accounts"
    tables: ClassVar[tuple[str, ...]] = (
        "accounts",
        "account_dates",
        "account_states",
        "account_versions",
        "account_folds",
        "holds",
        "hold_states",
        "withdrawals",
    )

    def __init__(self) -> None:
        self._kept: Kept[Dates] = Kept(_load, Dates, _was_never_opened)

    def project(self, batch: Batch, tables: Tables) -> Writes:
        writes = Writes()
        steps = [step for step in batch.steps if step.after is not None]
        folding = self._project_versions(writes, steps, tables)
        _project_states(writes, [step for step in steps if type(step.event) in CHANGING])
        project_holds(writes, steps)
        project_withdrawals(writes, steps)
        if folding:
            writes.run(lambda connection: keep_folds(connection, folding))
        return writes

    def forget(self) -> None:
        self._kept.forget()

    def _project_versions(self, writes: Writes, steps: Sequence[Step], tables: Tables) -> list[Late | Due]:
        """Writes which event is which version, and when it counts; returns what that means for folds by date."""
        dates, versions = self._kept.bring(tables, steps), []
        folding: list[Late | Due] = []
        for step in steps:
            account_id, version, of_account = step.event.account_id, step.event.version, dates[step.event.account_id]
            effective_at, dated_to, late, ordered = of_account.take(step)
            is_disordered = of_account.disordered
            versions.append((account_id, step.position, version, effective_at, dated_to, late, ordered, is_disordered))
            if late and ordered:
                folding.append(Late(account_id, effective_at, step.position))
            if is_disordered and version % EVENTS_BETWEEN == 0:
                folding.append(Due(account_id, dated_to, step.position, version))
        writes.add_states(VERSIONS, versions)
        return folding


def _was_never_opened(account: Account) -> bool:
    return account.version == 0


def _load(connection: Connection, account_ids: Sequence[str]) -> dict[str, Dates]:
    """What the table `account_dates` says of accounts."""
    rows = connection.execute(
        "select account_id, dated_to, disordered from account_dates where account_id = any(%s)", [list(account_ids)]
    )
    return {account_id: Dates(dated_to, disordered) for account_id, dated_to, disordered in rows}


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
