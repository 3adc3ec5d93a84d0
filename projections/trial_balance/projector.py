"""Events to the sums of all books, kept now and at every position that is a multiple of the step."""

from typing import Any, ClassVar

from ledger.money import ZERO
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
        own = _posted(batch)
        by_others = dict(batch.of_others(self.name, own))
        for until, posted in own:
            for key, amount in (*posted.items(), *by_others.get(until, {}).items()):
                sums[key] = sums.get(key, ZERO) + amount
            if until % STEP == 0:
                states += [(until, *key, amount) for key, amount in sums.items()]
        changed = [(*key, amount) for key, amount in sums.items() if before.get(key) != amount]
        writes = Writes()
        if not batch.writes_sums:
            return writes
        writes.put("trial_balance", COLUMNS, changed, key=("asset", "book"))
        writes.append("trial_balance_states", STATE_COLUMNS, states)
        return writes

    def forget(self) -> None:
        self._sums = None


def _posted(batch: Batch) -> list[tuple[int, Sums]]:
    """What a batch posts, up to each position at which sums are kept, and up to its end."""
    first = batch.start // STEP
    ends = [*range((first + 1) * STEP, batch.last, STEP), batch.last]
    posted: list[tuple[int, Sums]] = [(end, {}) for end in ends]
    for step in batch.steps:
        add(posted[(step.position - 1) // STEP - first][1], step.lines)
    return posted
