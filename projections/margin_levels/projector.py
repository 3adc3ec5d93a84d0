"""Events to the states of margin wallets that owe, and to the levels that decisions recorded; prices write nothing."""

from collections.abc import Iterator
from typing import Any, ClassVar, get_args

from ledger import events as e
from ledger.account.state import Account
from ledger.wallets import Wallet
from ledger.words import CROSS, SPOT, isolated
from projections.folding import Step
from projections.margin_levels.wallet_rows import balances_of
from projections.projector import Batch, Tables, Writes
from projections.writing import History

COLUMNS = {
    "account_id": "text",
    "wallet": "text",
    "position": "bigint",
    "owes": "boolean",
    "leverage": "numeric",
    "liquidation_id": "text",
    "called_at": "timestamptz",
    "balances": "jsonb",
}
HISTORY = History("margin_wallet_states", "margin_wallets", COLUMNS, COLUMNS, ("account_id", "wallet"))
ASSESSMENTS = {
    "position": "bigint",
    "account_id": "text",
    "wallet": "text",
    "topic": "text",
    "level_before": "text",
    "level_after": "text",
    "tier": "integer",
    "effective_at": "timestamptz",
}


SETTING = e.LeverageSet | e.MarginCalled | e.LiquidationStarted | e.LiquidationCompleted
"""The events that set something of a margin wallet, whatever they post to it."""
_SETTING = frozenset(get_args(SETTING))
ASSESSED = {
    e.MarginAdded,
    e.MarginRemoved,
    e.LeverageSet,
    e.LoanBorrowed,
    e.FundsHeld,
    e.TradeBooked,
    e.FundsTransferred,
    e.AdjustmentPosted,
    e.EventReversed,
}
"""The events whose decision assessed a level."""


class MarginLevelsProjector:
    """Keeps nothing in memory."""

    name: ClassVar[str] = "margin_levels"
    tables: ClassVar[tuple[str, ...]] = ("margin_wallets", "margin_wallet_states", "margin_assessments")

    def project(self, batch: Batch, tables: Tables) -> Writes:  # noqa: ARG002
        states = [
            state for step in batch.margin_steps if step.after is not None for state in _changed(step, step.after)
        ]
        writes = Writes()
        writes.add_states(HISTORY, states)
        writes.append("margin_assessments", ASSESSMENTS, list(_assessments(batch)))
        return writes

    def forget(self) -> None:
        pass


def _changed(step: Step, account: Account) -> Iterator[tuple[Any, ...]]:
    """The margin wallets that owe, and those that owe no more, which an event wrote to or set something of."""
    event, names = step.event, []
    for before, wallet in step.written:
        if wallet.name != SPOT:
            names.append(wallet.name)
            if wallet.owes or (before is not None and before.owes):
                yield _state(step, account, wallet)
    # Most are of no such class, which is soon known; to ask for four classes takes longer than to make a row.
    if type(event) in _SETTING and isinstance(event, SETTING) and event.wallet not in names:
        wallet = account.wallets.wallet(event.wallet)
        if wallet.owes:
            yield _state(step, account, wallet)


def _state(step: Step, account: Account, wallet: Wallet) -> tuple[Any, ...]:
    name, running = wallet.name, account.liquidations.get(wallet.name)
    settings = (
        account.leverages.get(name),
        None if running is None else running.liquidation_id,
        account.called_at.get(name),
    )
    return (account.id, name, step.position, wallet.owes, *settings, balances_of(wallet))


def _assessments(batch: Batch) -> Iterator[tuple[Any, ...]]:
    for position, event in ((one.position, one.event) for one in batch.events if type(one.event) in ASSESSED):
        for wallet, assessment in _assessed(event):
            if assessment is not None and (assessment.level_before or assessment.level_after):
                levels = (assessment.level_before, assessment.level_after, assessment.tier)
                yield (position, event.account_id, wallet, event.TOPIC, *levels, event.effective_at)


def _assessed(event: e.AnyEvent) -> list[tuple[str, e.Assessment | None]]:
    """The wallets whose levels a decision assessed: both, where it moved margin between the pool and a bucket."""
    match event:
        case e.MarginAdded():
            return [(isolated(event.pair), event.assessment), (CROSS, event.source_assessment)]
        case e.MarginRemoved():
            return [(isolated(event.pair), event.assessment), (CROSS, event.target_assessment)]
        case e.LeverageSet() | e.LoanBorrowed() | e.FundsHeld() | e.TradeBooked() | e.AdjustmentPosted():
            return [(event.wallet, event.assessment)]
        case e.FundsTransferred():
            return [(CROSS, event.assessment)]
        case e.EventReversed():
            return list((event.assessments or {}).items())
        case _:
            return []
