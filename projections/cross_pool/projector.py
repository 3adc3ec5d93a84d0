"""Projects loans, leverage, calls and liquidations into the state of the cross pool as a whole."""

import json
from typing import Any, ClassVar

from ledger import events as e
from ledger.account.state import Account
from ledger.words import CROSS
from projections.folding import KEPT_ACCOUNTS, Step
from projections.projector import Batch, Tables, Writes
from projections.writing import History

COLUMNS = {
    "account_id": "text",
    "position": "bigint",
    "leverage": "numeric",
    "owes": "jsonb",
    "liquidation_id": "text",
    "called_at": "timestamptz",
    "called_level": "text",
}
HISTORY = History("cross_pool_states", "cross_pool", COLUMNS, COLUMNS, ("account_id",))


class CrossPoolProjector:
    """Keeps the level of the last margin call of the pools that were called; all else is the account's."""

    name: ClassVar[str] = "cross_pool"
    tables: ClassVar[tuple[str, ...]] = ("cross_pool", "cross_pool_states")

    def __init__(self) -> None:
        self._called_levels: dict[str, str] = {}

    def project(self, batch: Batch, tables: Tables) -> Writes:
        if len(self._called_levels) > KEPT_ACCOUNTS:
            self._called_levels.clear()
        changed = [(step, after) for step in batch.margin_steps if (after := _changed(step)) is not None]
        self._load_levels([step.event.account_id for step, _ in changed if _was_called(step)], tables)
        states = [self._state(step, after) for step, after in changed]
        writes = Writes()
        writes.add_states(HISTORY, states)
        return writes

    def forget(self) -> None:
        self._called_levels.clear()

    def _state(self, step: Step, after: tuple[Any, ...]) -> tuple[Any, ...]:
        event = step.event
        if isinstance(event, e.MarginCalled):
            self._called_levels[event.account_id] = event.level
        return (event.account_id, step.position, *after, self._called_levels.get(event.account_id))

    def _load_levels(self, account_ids: list[str], tables: Tables) -> None:
        missing = [account_id for account_id in account_ids if account_id not in self._called_levels]
        if missing:
            rows = tables.connection.execute(
                "select account_id, called_level from cross_pool where account_id = any(%s)"
                " and called_level is not null",
                [missing],
            )
            self._called_levels.update(rows.fetchall())


def _was_called(step: Step) -> bool:
    return step.before is not None and CROSS in step.before.called_at


def _changed(step: Step) -> tuple[Any, ...] | None:
    """The state of the pool but for its key and the level of its last call, where it is not what it was.

    A pool is there from the first event that writes to it or sets something of it.
    """
    before, after = step.before, step.after
    if before is None or after is None or (before.wallets.cross is after.wallets.cross and not _sets(step.event)):
        return None
    if isinstance(step.event, e.MarginCalled):
        return _state_of(after) if step.event.wallet == CROSS else None
    if _is_used(after) and (not _is_used(before) or _facts_of(before) != _facts_of(after)):
        return _state_of(after)
    return None


def _sets(event: e.AnyEvent) -> bool:
    """Whether an event may change a pool to which it writes nothing."""
    return isinstance(event, e.MarginCalled | e.LeverageSet | e.LiquidationStarted | e.LiquidationCompleted)


def _is_used(account: Account) -> bool:
    return bool(account.wallets.cross.balances) or CROSS in account.leverages


def _facts_of(account: Account) -> tuple[Any, ...]:
    running = account.liquidations.get(CROSS)
    liquidation_id = None if running is None else running.liquidation_id
    return account.leverages.get(CROSS), account.wallets.cross.debts.keys(), liquidation_id


def _state_of(account: Account) -> tuple[Any, ...]:
    leverage, owed, liquidation_id = _facts_of(account)
    return leverage, json.dumps(sorted(owed)), liquidation_id, account.called_at.get(CROSS)
