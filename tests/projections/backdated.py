"""Logs in which events are entered late, and a slow fold of them by business time to compare answers with."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from ledger import account as accounts_room
from ledger import events as e
from ledger.account import Account
from ledger.events import AnyEvent
from ledger.postings import postings
from ledger.words import PRICES, Line
from tests.ledger.given import NOON
from tests.projections.logs import random_log

LATE = (timedelta(microseconds=3), timedelta(seconds=5), timedelta(minutes=9), timedelta(hours=7))
MINUTE = timedelta(minutes=1)
START = NOON - timedelta(days=1)


def backdated_log(steps: int, seed: int, chance: Random) -> list[AnyEvent]:
    """The events of a random log, about a minute apart, some of them dated much before those recorded earlier.

    Prices stay in their order, as the ledger would refuse others.
    """
    return [_dated(event, place, chance) for place, event in enumerate(random_log(steps, seed))]


def _dated(event: AnyEvent, place: int, chance: Random) -> AnyEvent:
    # Several events often have one date.
    at = START + (place - place % 3) * MINUTE
    if event.account_id != PRICES and chance.random() < 0.25:
        at -= chance.choice(LATE)
    return event.model_copy(update={"effective_at": at})


class Fold:
    """What the events known at a position and dated up to a time made, worked out one by one."""

    def __init__(self, log: Sequence[AnyEvent], position: int, until: datetime) -> None:
        known = list(enumerate(log[:position], start=1))
        self.events = [(place, event) for place, event in known if event.effective_at <= until]
        self.by_date = sorted(self.events, key=lambda one: (one[1].effective_at, one[0]))
        self.accounts = self._accounts()

    def _accounts(self) -> dict[str, Account]:
        accounts: dict[str, Account] = {}
        for _, event in self.by_date:
            if not event.account_id.startswith("@"):
                account = accounts.setdefault(event.account_id, Account.unopened(event.account_id))
                version = account.version
                accounts_room.evolve(account, event)  # type: ignore[arg-type]
                account.version = max(version, event.version)
        return accounts

    def lines(self) -> Iterator[tuple[int, int, AnyEvent, Line]]:
        """Every line that counts, in log order, with its position and number."""
        for place, event in self.events:
            for number, line in enumerate(postings(event), start=1):
                yield place, number, event, line

    def statement(self) -> list[tuple[int, int, str, str, Decimal, Decimal]]:
        """Position, number, book, asset, amount and running balance of every line that counts, in log order."""
        balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        rows = []
        for place, number, _, (book, asset, amount) in self.lines():
            balances[book.path, asset] += amount
            rows.append((place, number, book.path, asset, amount, balances[book.path, asset]))
        return rows

    def holds(self) -> dict[tuple[str, str], Decimal]:
        """What is left of every hold: all that was placed less all that was used and released."""
        left: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for _, event in self.events:
            for hold_id, change in _changes(event):
                left[event.account_id, hold_id] += change
        return {key: amount for key, amount in left.items() if amount > 0}


def _changes(event: AnyEvent) -> Iterator[tuple[str, Decimal]]:
    match event:
        case e.FundsHeld():
            yield event.hold_id, event.amount
        case e.HoldReleased():
            yield event.hold_id, -event.amount
        case e.TradeBooked() if event.hold_id is not None and event.hold_used:
            yield event.hold_id, -event.hold_used
        case e.LiquidationStarted():
            for released in event.released_holds:
                yield released.hold_id, -released.amount
        case _:
            pass


def comparable(account: Account) -> Any:
    """All that an answer about an account is made of; a wallet that never had anything is as good as none."""
    wallets = {
        wallet.name: (
            {asset: tuple(balance) for asset, balance in sorted(wallet.balances.items())},
            wallet.next_hours,
            {pair: tuple(position) for pair, position in wallet.positions.items()},
        )
        for wallet in account.wallets.all()
    }
    running = {wallet: one.liquidation_id for wallet, one in account.liquidations.items()}
    settings = (account.status, account.blocks, account.modes, account.leverages, account.called_at, running)
    return (account.version, settings, wallets)
