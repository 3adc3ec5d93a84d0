"""What the exchange is exposed to: longs and shorts by pair, who owes most, concentration, wallets near their line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from ledger.account import leverage_of
from ledger.margin import Margin
from ledger.market import Market
from ledger.money import ZERO, plain
from ledger.wallets import Wallets
from projections.margin_levels.queries import OwingWallet, wallets_that_owe
from projections.market.queries import market_at
from projections.questions.dated_log import dated_log
from projections.questions.exposure_concentration import Concentration, Largest
from projections.questions.exposure_nearness import Move, move_to_line, near_row
from projections.questions.exposure_positions import pairs_answer
from projections.questions.levels import dated_wallets_that_owe
from projections.questions.margin_wallet import margin_at_fresh_prices
from projections.questions.what_if_examination import account_of
from projections.snapshot import Snapshot

NEAR_PERCENT = Decimal(10)


def exposure_answer(snapshot: Snapshot, *, within_percent: Decimal = NEAR_PERCENT, limit: int = 100) -> dict[str, Any]:
    """What GET /v1/reports/exposure answers; `limit` bounds the lists of debtors and of wallets near their line.

    Debts are those charged so far. Values are at the prices last marked, however old; how near a wallet is to its line
    is told at fresh prices only.
    """
    connection, position = snapshot.connection, snapshot.position
    market = market_at(connection, position, snapshot.effective_at)
    found = _Found(market, Concentration(market, limit), within_percent, Largest(limit))
    for account_id, wallets in groupby(_wallets(snapshot), key=lambda one: one.account_id):
        found.take(account_id, list(wallets))
    return {
        "position": position,
        "prices_effective_at": market.newest_prices_at,
        "pairs": _pairs(snapshot, market),
        "debtors": found.concentration.debtors(),
        "concentration": found.concentration.figures(),
        "near": found.near_figures(),
        "unpriced": found.unpriced,
        "backdated": found.backdated,
    }


def _wallets(snapshot: Snapshot) -> Iterator[OwingWallet]:
    if snapshot.effective_at is None:
        return wallets_that_owe(snapshot.connection, snapshot.position)
    return dated_wallets_that_owe(snapshot.connection, snapshot.position, snapshot.effective_at)


def _pairs(snapshot: Snapshot, market: Market) -> dict[str, Any]:
    connection, position = snapshot.connection, snapshot.position
    if snapshot.effective_at is None:
        return pairs_answer(connection, position, market, ())
    log = dated_log(connection, position, snapshot.effective_at)
    apart: Iterable[Wallets] = (account.wallets for _, account in log.accounts(connection))
    return pairs_answer(connection, log.through, market, apart, log.apart)


@dataclass
class _Found:
    """What is found in one pass over the wallets that owe, account by account."""

    market: Market
    concentration: Concentration
    within_percent: Decimal
    nearest: Largest[tuple[str, Margin, Move]]
    near: int = 0
    unpriced: int = 0
    backdated: int = 0
    near_debt: Decimal = ZERO

    def take(self, account_id: str, wallets: list[OwingWallet]) -> None:
        """Take in one account; a wallet with something below zero, as of a business time, is only counted."""
        sound = [one for one in wallets if all(min(balance) >= ZERO for balance in one.wallet.balances.values())]
        self.backdated += len(wallets) - len(sound)
        if sound:
            self.concentration.add(account_id, [one.wallet for one in sound])
        for one in sound:
            self._look_at(one)

    def _look_at(self, one: OwingWallet) -> None:
        leverage = leverage_of(account_of(one), one.wallet.name, self.market)
        margin = margin_at_fresh_prices(one.wallet, self.market, leverage)
        if margin is None:
            self.unpriced += 1
            return
        move = move_to_line(margin)
        if move is not None and move.is_within(self.within_percent):
            self.near += 1
            self.near_debt += margin.valuation.debt
            self.nearest.add(-abs(move.shown), (one.account_id, margin, move))

    def near_figures(self) -> dict[str, Any]:
        """The nearest first, then in order of account and wallet."""
        return {
            "within_percent": plain(self.within_percent),
            "count": self.near,
            "debt_value": plain(self.near_debt),
            "wallets": [near_row(*one, self.market) for _, one in self.nearest.in_order()],
        }
