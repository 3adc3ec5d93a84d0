"""What a projector keeps in memory of accounts between batches, read from its own tables where it is missing."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ledger.account.state import Account
from ledger.postgres import Connection
from projections.folding import KEPT_ACCOUNTS, Step
from projections.projector import Tables

State = TypeVar("State")
Load = Callable[[Connection, Sequence[str]], dict[str, State]]


class Kept(Generic[State]):
    """One state for each account, as last projected; those that were not used for longest are dropped first.

    `is_new` says of an account that nothing can have been projected of it, so that nobody looks.
    """

    def __init__(
        self,
        load: Load[State],
        start: Callable[[], State],
        is_new: Callable[[Account], bool],
        limit: int = KEPT_ACCOUNTS,
    ) -> None:
        self._load = load
        self._start = start
        self._is_new = is_new
        self._limit = limit
        self._states: OrderedDict[str, State] = OrderedDict()

    def bring(self, tables: Tables, steps: Sequence[Step]) -> dict[str, State]:
        """The states of the accounts of these steps, to be changed in place; what is missing is loaded in one query."""
        wanted: dict[str, Account] = {}
        for step in steps:
            if step.before is not None:
                wanted.setdefault(step.event.account_id, step.before)
        missing = [account_id for account_id in wanted if account_id not in self._states]
        unknown = [account_id for account_id in missing if not self._is_new(wanted[account_id])]
        loaded = self._load(tables.connection, unknown) if unknown else {}
        for account_id in missing:
            self._states[account_id] = loaded[account_id] if account_id in loaded else self._start()
        for account_id in wanted:
            self._states.move_to_end(account_id)
        brought = {account_id: self._states[account_id] for account_id in wanted}
        while len(self._states) > self._limit:
            self._states.popitem(last=False)
        return brought

    def forget(self) -> None:
        self._states.clear()
