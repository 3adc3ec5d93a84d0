"""Events to the sums of all books, kept now and at every position that is a multiple of the step."""

from typing import Any, ClassVar

from projections.projector import Batch, Tables, Writes
from projections.trial_balance.sums import STEP, Sums, add

COLUMNS = {"asset": "text", "book": "text", "amount": "numeric"}
STATE_COLUMNS = {"position": "bigint", **COLUMNS}


class TrialBalanceProjector:
    """Keeps all sums (some twenty kinds of books an asset), and writes those that changed."""

    name: ClassVar[str] = "trial_balance"
    tables: ClassVar[tuple[str, ...]] = ("trial_balance", "trial_balance_states")

    def __init__(self) -> None:
        self._sums: Sums | None = None

    def project(self, batch: Batch, tables: Tables) -> Writes:
        if self._sums is None:
            rows = tables.connection.execute("select asset, book, amount from trial_balance")
            self._sums = {(asset, book): amount for asset, book, amount in rows}
        sums, before = self._sums, self._sums.copy()
        states: list[tuple[Any, ...]] = []
        for step in batch.steps:
            add(sums, step.lines)
            if step.position % STEP == 0:
                states += [(step.position, *key, amount) for key, amount in sums.items()]
        changed = [(*key, amount) for key, amount in sums.items() if before.get(key) != amount]
        writes = Writes()
        writes.put("trial_balance", COLUMNS, changed, key=("asset", "book"))
        writes.append("trial_balance_states", STATE_COLUMNS, states)
        return writes

    def forget(self) -> None:
        self._sums = None
