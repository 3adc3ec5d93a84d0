"""How debt and collateral are spread over accounts: the largest shares, the Herfindahl index, the largest debtors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappush, heappushpop
from typing import Any, Generic, NamedTuple, TypeVar

from ledger.errors import PriceStale
from ledger.market import Market
from ledger.money import ZERO, divide_down, plain
from ledger.wallets import Wallet

SHARE_SCALE = 8
TOPS = (1, 5, 10)
WHOLE = "all"
"""Stands for all assets together, in value; no asset is written so."""
T = TypeVar("T")


class Largest(Generic[T]):
    """The `most` things of the largest amounts; of equal amounts those that came first."""

    def __init__(self, most: int) -> None:
        self._most, self._came = most, 0
        self._kept: list[tuple[Decimal, int, T]] = []

    def add(self, amount: Decimal, thing: T) -> None:
        self._came += 1
        entry = (amount, -self._came, thing)
        if len(self._kept) < self._most:
            heappush(self._kept, entry)
        elif self._kept and entry > self._kept[0]:
            heappushpop(self._kept, entry)

    def in_order(self) -> list[tuple[Decimal, T]]:
        """The largest first."""
        return [(amount, thing) for amount, _, thing in sorted(self._kept, key=lambda one: one[:2], reverse=True)]


@dataclass(slots=True)
class Spread:
    """An amount spread over accounts, of which only sums and the largest parts are kept."""

    accounts: int = 0
    total: Decimal = ZERO
    squares: Decimal = ZERO
    largest: Largest[None] = field(default_factory=lambda: Largest(max(TOPS)))

    def add(self, amount: Decimal) -> None:
        """Add what one account has; nothing is no part."""
        if amount > 0:
            self.accounts += 1
            self.total += amount
            self.squares += amount * amount
            self.largest.add(amount, None)

    def figures(self) -> dict[str, Any]:
        """Shares and the index as parts of 1, at 8 decimals, down.

        The Herfindahl index is the sum of the squared shares (Herfindahl 1950, Hirschman 1945): 1 where one account has
        all, 1 / n where n have the same.
        """
        amounts = [amount for amount, _ in self.largest.in_order()]
        shares = {f"top_{top}": _share(sum(amounts[:top], ZERO), self.total) for top in TOPS}
        index = _share(self.squares, self.total * self.total)
        return {"accounts": self.accounts, "total": plain(self.total), **shares, "herfindahl": index}


def _share(part: Decimal, total: Decimal) -> str:
    return f"{divide_down(part, total, SHARE_SCALE):f}"


class Debtor(NamedTuple):
    """What an account has and owes over all its margin wallets that owe, by asset."""

    account_id: str
    wallets: tuple[str, ...]
    debts: Mapping[str, Decimal]
    collateral: Mapping[str, Decimal]


class Concentration:
    """Debtors taken in one by one; `limit` of the largest are kept."""

    def __init__(self, market: Market, limit: int) -> None:
        self._market = market
        self._debts: dict[str, Spread] = {}
        self._collateral: dict[str, Spread] = {}
        self._debtors: Largest[Debtor] = Largest(limit)

    def add(self, account_id: str, wallets: Iterable[Wallet]) -> None:
        """Take in an account with all its wallets that owe."""
        debtor = _debtor(account_id, list(wallets))
        for spreads, amounts in ((self._debts, debtor.debts), (self._collateral, debtor.collateral)):
            for asset, amount in amounts.items():
                spreads.setdefault(asset, Spread()).add(amount)
            value = self._value(amounts)
            spreads.setdefault(WHOLE, Spread()).add(value)
            if amounts is debtor.debts:
                self._debtors.add(value, debtor)

    def _value(self, amounts: Mapping[str, Decimal]) -> Decimal:
        """At the prices last marked; what was never marked counts nothing."""
        value = ZERO
        for asset, amount in amounts.items():
            try:
                value += amount * self._market.last_prices([asset]).of[asset]
            except PriceStale:
                continue
        return value

    def debtors(self) -> list[dict[str, Any]]:
        """The largest debtors first, with what they owe, and what they hold in the wallets that owe."""
        return [
            {
                "account_id": one.account_id,
                "wallets": list(one.wallets),
                "debt_value": plain(value),
                "collateral_value": plain(self._value(one.collateral)),
                "debts": _plain(one.debts),
                "collateral": _plain(one.collateral),
            }
            for value, one in self._debtors.in_order()
        ]

    def figures(self) -> dict[str, Any]:
        """By asset, and in value for all assets together."""
        return {
            name: {asset: spreads[asset].figures() for asset in sorted(spreads) if spreads[asset].total}
            for name, spreads in (("debt", self._debts), ("collateral", self._collateral))
        }


def _debtor(account_id: str, wallets: list[Wallet]) -> Debtor:
    debts: dict[str, Decimal] = {}
    collateral: dict[str, Decimal] = {}
    for wallet in wallets:
        for asset, balance in wallet.balances.items():
            debts[asset] = debts.get(asset, ZERO) + balance.owed
            collateral[asset] = collateral.get(asset, ZERO) + balance.held
    return Debtor(account_id, tuple(wallet.name for wallet in wallets), debts, collateral)


def _plain(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {asset: plain(amount) for asset, amount in sorted(amounts.items()) if amount}
