"""Events to the sums of all books, kept now and at every position that is a multiple of the step."""

from typing import Any, ClassVar

from ledger.postings import postings
from projections.projector import Batch, Connection
from projections.trial_balance.sums import STEP, Sums, add
from projections.writing import append, put

COLUMNS = {"asset": "text", "book": "text", "amount": "numeric"}


class TrialBalanceProjector:
    """Reads all sums with each batch (some twenty kinds of books an asset), and writes those that changed."""

    name: ClassVar[str] = "trial_balance"
    tables: ClassVar[tuple[str, ...]] = ("trial_balance", "trial_balance_states")

    def project(self, connection: Connection, batch: Batch) -> None:
        rows = connection.execute("select asset, book, amount from trial_balance")
        before: Sums = {(asset, book): amount for asset, book, amount in rows}
        sums = dict(before)
        states: list[tuple[Any, ...]] = []
        for position, _, event in batch:
            add(sums, postings(event))
            if position % STEP == 0:
                states += [(position, *key, amount) for key, amount in sums.items()]
        changed = [(*key, amount) for key, amount in sums.items() if before.get(key) != amount]
        put(connection, "trial_balance", COLUMNS, changed, key=("asset", "book"))
        append(connection, "trial_balance_states", ("position", *COLUMNS), states)

    def forget(self) -> None:
        pass
