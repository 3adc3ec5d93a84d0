"""Wallets as events leave them: kept in memory by account, loaded from a projection's own tables where missing."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast

from ledger import events as e
from ledger.money import base_of, quote_of
from ledger.postings import postings
from ledger.wallets import Balance, Wallet, Wallets
from ledger.words import Line, isolated, pair_of
from projections.projector import Batch, Connection, RecordedEvent

Posted = list[tuple[RecordedEvent, list[Line]]]

KEPT_ACCOUNTS = 50_000
"""How many accounts a projector keeps in memory between batches."""

State = TypeVar("State")
Load = Callable[[Connection, Sequence[str]], dict[str, State]]


class Kept(Generic[State]):
    """The states of accounts as last projected; those that were not used for longest are dropped first."""

    def __init__(self, load: Load[State], start: Callable[[str], State], limit: int = KEPT_ACCOUNTS) -> None:
        self._load = load
        self._start = start
        self._limit = limit
        self._states: OrderedDict[str, State] = OrderedDict()

    def bring(self, connection: Connection, account_ids: Iterable[str]) -> dict[str, State]:
        """The states of these accounts, to be changed in place; those that are not kept are loaded in one query."""
        wanted = set(account_ids)
        missing = sorted(wanted - self._states.keys())
        if missing:
            loaded = self._load(connection, missing)
            for account_id in missing:
                self._states[account_id] = loaded.get(account_id) or self._start(account_id)
        for account_id in wanted:
            self._states.move_to_end(account_id)
        brought = {account_id: self._states[account_id] for account_id in wanted}
        while len(self._states) > self._limit:
            self._states.popitem(last=False)
        return brought

    def forget(self) -> None:
        self._states.clear()


class Touching(NamedTuple):
    """An event that touches wallets of its account, with the lines that it posts to them."""

    position: int
    event: e.AccountEvent
    lines: list[Line]
    wallets: set[str]

    @property
    def account_id(self) -> str:
        return self.event.account_id


_posted: tuple[Batch, Posted] = ((), [])


def posted(batch: Batch) -> Posted:
    """The events of a batch, each with the lines that it posts; worked out once for all projectors given the batch."""
    global _posted  # One tuple is put in place of another, whatever other threads do.
    last, found = _posted
    if last is not batch:
        found = [(recorded, postings(recorded.event)) for recorded in batch]
        _posted = (batch, found)
    return found


def every_wallet(name: str) -> bool:  # noqa: ARG001
    """Takes wallets of any name."""
    return True


def touching(batch: Batch, takes: Callable[[str], bool], *, settings: bool = False) -> list[Touching]:
    """The events of a batch that touch wallets whose name `takes` accepts; with `settings`, those too that set some."""
    found = []
    for recorded, all_lines in posted(batch):
        event = recorded.event
        lines = [line for line in all_lines if line.book.account_id is not None and takes(line.book.name)]
        wallets = {line.book.name for line in lines}
        beside = acts_on(event) or (sets(event) if settings else None)
        if beside is not None and takes(beside):
            wallets.add(beside)
        if wallets:
            found.append(Touching(recorded.position, cast(e.AccountEvent, event), lines, wallets))
    return found


def acts_on(event: e.AnyEvent) -> str | None:
    """The wallet that an event acts on also where it posts nothing to it."""
    match event:
        case e.InterestAccrued() | e.LiquidationStarted() | e.LiquidationCompleted():
            return event.wallet
        case _:
            return None


def sets(event: e.AnyEvent) -> str | None:
    """The wallet of which an event sets something beside balances."""
    match event:
        case e.LeverageSet() | e.MarginCalled():
            return event.wallet
        case e.MarginModeSet():
            return isolated(event.pair)
        case _:
            return None


def apply(wallets: Wallets, step: Touching) -> set[tuple[str, str]]:
    """Takes one event into its account's wallets; returns the (wallet, asset) that it may have changed.

    A bucket that it is the first to use counts with both its assets.
    """
    touched = {(line.book.name, line.asset) for line in step.lines}
    if isinstance(step.event, e.InterestAccrued):
        touched |= {(step.event.wallet, line.asset) for line in step.event.lines}
    for name in {name for name, _ in touched}:
        pair = pair_of(name)
        if pair is not None and pair not in wallets.isolated:
            touched |= {(name, base_of(pair)), (name, quote_of(pair))}
    hours = {name: wallets.wallet(name).next_hours.copy() for name, _ in touched}
    wallets.apply(step.event, step.lines)
    for name, before in hours.items():
        touched |= {
            (name, asset) for asset, hour in wallets.wallet(name).next_hours.items() if before.get(asset) != hour
        }
    return touched


def wallets_from(rows: Iterable[tuple[Any, ...]]) -> dict[str, Wallets]:
    """Wallets by account, from rows of account, wallet, asset, free, locked, borrowed, interest and next hour."""
    wallets: dict[str, Wallets] = {}
    for account_id, name, asset, free, locked, borrowed, interest, next_hour in rows:
        wallet = wallet_to_write(wallets.setdefault(account_id, Wallets(account_id)), name)
        wallet.balances[asset] = Balance(free, locked, borrowed, interest)
        if next_hour is not None:
            wallet.next_hours[asset] = next_hour
    return wallets


def wallet_to_write(wallets: Wallets, name: str) -> Wallet:
    """The wallet of that name; a bucket is kept from then on."""
    wallet, pair = wallets.wallet(name), pair_of(name)
    return wallet if pair is None else wallets.isolated.setdefault(pair, wallet)
