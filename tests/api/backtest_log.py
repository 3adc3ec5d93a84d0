"""The log of a backtest walked event by event, with levels and lines reckoned here and not by the ledger."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import NamedTuple

from api.backtest.replay import ACTOR
from ledger import events as e
from ledger.account import Account, evolve
from ledger.log import RecordedEvent, read_log
from ledger.postgres import connect
from ledger.wallets import Wallet

ONE_DAY, ONE_HOUR = timedelta(hours=24), timedelta(hours=1)
# Liquidation and margin call of the pool by its leverage, and of the buckets by their pairs, listed at 10x and 5x.
LINES_OF_THE_POOL = {3: ("1.1", "1.3"), 5: ("1.1", "1.16")}
LINES_OF_BUCKETS = {"isolated:BTC/USDT": ("1.05", "1.09"), "isolated:ETH/USDT": ("1.15", "1.19")}


class Liquidated(NamedTuple):
    """An account before its liquidation and after it, and the events in between."""

    wallet: str
    before: Account
    after: Account
    events: list[e.AccountEvent]

    def others(self) -> set[str]:
        """The names of all wallets but the one that was liquidated."""
        return {wallet.name for account in (self.before, self.after) for wallet in account.wallets.all()} - {
            self.wallet
        }


class Walk:
    """Accounts and prices as the events so far left them."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.prices: dict[str, Fraction] = {"USDT": Fraction(1)}
        self.newest: e.PricesMarked | None = None

    def take(self, event: e.AnyEvent) -> None:
        if isinstance(event, e.PricesMarked):
            self.newest = event
            self.prices |= {pair.removesuffix("/USDT"): Fraction(price) for pair, price in event.prices.items()}
        elif isinstance(event, e.AccountEvent):
            evolve(self.accounts.setdefault(event.account_id, Account.unopened(event.account_id)), event)

    def value(self, wallet: Wallet) -> tuple[Fraction, Fraction]:
        """What a wallet holds and what it owes, in USDT."""
        held = sum(
            (Fraction(one.held) * self.prices[asset] for asset, one in wallet.balances.items() if one.held), Fraction()
        )
        owed = sum(
            (Fraction(one.owed) * self.prices[asset] for asset, one in wallet.balances.items() if one.owed), Fraction()
        )
        return held, owed

    def lines(self, account: Account, wallet: str) -> tuple[Fraction, Fraction]:
        """The liquidation line and the call line of a margin wallet."""
        texts = LINES_OF_BUCKETS.get(wallet) or LINES_OF_THE_POOL[int(account.leverages.get("cross", 3))]
        return Fraction(texts[0]), Fraction(texts[1])

    def is_across(self, account: Account, wallet: Wallet) -> bool:
        """Whether a wallet is at or below its liquidation line."""
        held, owed = self.value(wallet)
        return owed > 0 and held <= self.lines(account, wallet.name)[0] * owed

    def is_to_be_called(self, account: Account, wallet: Wallet) -> bool:
        """Whether a wallet is at or below its call line and above its liquidation line."""
        held, owed = self.value(wallet)
        return owed > 0 and held <= self.lines(account, wallet.name)[1] * owed and not self.is_across(account, wallet)

    def owing(self) -> Iterator[tuple[Account, Wallet]]:
        for account in self.accounts.values():
            for wallet in account.wallets.all():
                if wallet.owes:
                    yield account, wallet


def log_of(url: str) -> list[RecordedEvent]:
    """The whole log of a database."""
    with connect(url) as connection:
        return read_log(connection, 0, 10**9)


def walked(log: Sequence[RecordedEvent]) -> Iterator[tuple[Walk, e.AnyEvent]]:
    """Each event, with everything as it was just before it."""
    walk = Walk()
    for recorded in log:
        yield walk, recorded.event
        walk.take(recorded.event)


def examined(log: Sequence[RecordedEvent]) -> Iterator[Walk]:
    """Everything as it was when the examination of each price vector was over: before anybody else did anything."""
    waits = False
    for walk, event in walked(log):
        if waits and event.actor == ACTOR:
            waits = False
            yield walk
        waits = waits or isinstance(event, e.PricesMarked)


def liquidated(log: Sequence[RecordedEvent]) -> Iterator[Liquidated]:
    """All liquidations, in order."""
    running: dict[str, Liquidated] = {}
    for walk, event in walked(log):
        if isinstance(event, e.LiquidationStarted):
            account = walk.accounts[event.account_id]
            running[event.account_id] = Liquidated(event.wallet, account.copy(), account, [])
        found = running.get(event.account_id)
        if found is not None and isinstance(event, e.AccountEvent):
            found.events.append(event)
            if isinstance(event, e.LiquidationCompleted):
                after = found.after.copy()
                evolve(after, event)
                yield running.pop(event.account_id)._replace(after=after)
