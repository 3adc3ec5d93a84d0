"""Projects postings into balances: what each wallet has and owes of each asset, after every event that changed it."""

from collections.abc import Iterator
from typing import Any, ClassVar

from projections.folding import Step
from projections.projector import Batch, Tables, Writes
from projections.writing import History

COLUMNS = {
    "account_id": "text",
    "wallet": "text",
    "asset": "text",
    "position": "bigint",
    "free": "numeric",
    "locked": "numeric",
    "borrowed": "numeric",
    "interest": "numeric",
    "next_hour": "timestamptz",
}
HISTORY = History("balance_states", "balances", COLUMNS, COLUMNS, ("account_id", "wallet", "asset"))


class BalancesProjector:
    """Keeps nothing in memory."""

    name: ClassVar[str] = "balances"
    tables: ClassVar[tuple[str, ...]] = ("balances", "balance_states")

    def project(self, batch: Batch, tables: Tables) -> Writes:  # noqa: ARG002
        writes = Writes()
        writes.add_states(HISTORY, [state for step in batch.steps for state in _changed(step)])
        return writes

    def forget(self) -> None:
        pass


def _changed(step: Step) -> Iterator[tuple[Any, ...]]:
    """The balances that are not what they were; a bucket that was never used counts with both its assets."""
    for before, wallet in step.written:
        old = {} if before is None else before.balances
        hours, old_hours = wallet.next_hours, {} if before is None else before.next_hours
        for asset, balance in wallet.balances.items():
            was, hour = old.get(asset), hours.get(asset)
            if (was is not balance and was != balance) or (hours is not old_hours and old_hours.get(asset) != hour):
                yield (step.event.account_id, wallet.name, asset, step.position, *balance, hour)
