"""Projects trades, and all that moves what a margin wallet holds, into positions by pair."""

from collections.abc import Iterator
from typing import Any, ClassVar

from projections.folding import Step
from projections.projector import Batch, Tables, Writes
from projections.writing import History

COLUMNS = {
    "account_id": "text",
    "wallet": "text",
    "pair": "text",
    "position": "bigint",
    "quantity": "numeric",
    "cost": "numeric",
    "realised_profit": "numeric",
}
HISTORY = History("position_states", "positions", COLUMNS, COLUMNS, ("account_id", "wallet", "pair"))


class PositionsProjector:
    """Keeps nothing in memory."""

    name: ClassVar[str] = "positions"
    tables: ClassVar[tuple[str, ...]] = ("positions", "position_states")

    def project(self, batch: Batch, tables: Tables) -> Writes:  # noqa: ARG002
        writes = Writes()
        writes.add_states(HISTORY, [state for step in batch.margin_steps for state in _changed(step)])
        return writes

    def forget(self) -> None:
        pass


def _changed(step: Step) -> Iterator[tuple[Any, ...]]:
    """The positions that are not what they were, in order of wallet and pair."""
    for before, wallet in step.written:
        old = {} if before is None else before.positions
        if wallet.positions is not old:
            for pair, position in sorted(wallet.positions.items()):
                if old.get(pair) != position:
                    yield (step.event.account_id, wallet.name, pair, step.position, *position)
