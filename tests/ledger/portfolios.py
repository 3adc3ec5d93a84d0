"""Wallets in trouble, drawn at random: what they hold and owe, at prices and scales of all sizes."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import strategies as st

from ledger.account import Account, evolve
from ledger.events import Event, PricesMarked, read_event, write_event
from ledger.market import Market
from ledger.postings import postings
from tests.ledger.given import Happened, given, given_market, happened
from tests.ledger.happenings import (
    accrued,
    asset_listed,
    borrowed,
    deposited,
    line,
    opened,
    pair_listed,
    transferred,
)

SCALES = {"USDT": 6, "BTC": 8, "ETH": 5, "SOL": 2}


class Portfolio(NamedTuple):
    """Amounts by asset: held, and owed as principal and interest; prices in USDT."""

    held: dict[str, Decimal]
    principal: dict[str, Decimal]
    interest: dict[str, Decimal]
    prices: dict[str, Decimal]

    def past(self, wallet: str) -> list[Happened]:
        """How a wallet came to it: it was given all and its loans have left it."""
        news = [opened(), deposited("77", "USDT")]
        for asset, amount in self.held.items():
            news += [deposited(f"{amount:f}", asset), transferred(f"{amount:f}", asset, "spot", wallet)]
        for asset, amount in self.principal.items():
            news += [borrowed(f"{amount:f}", asset, wallet), transferred(f"{amount:f}", asset, wallet, "spot")]
        charged = [line(f"{cost:f}", asset, "1", "0.01") for asset, cost in self.interest.items()]
        return [*news, accrued(*charged, wallet=wallet)] if charged else news

    def account(self, wallet: str) -> Account:
        return given(*self.past(wallet))

    def market(self, *limits: Happened) -> Market:
        listings = [asset_listed(asset, scale=scale) for asset, scale in SCALES.items()]
        pairs = [pair_listed(f"{asset}/USDT", "10") for asset in SCALES if asset != "USDT"]
        prices = {f"{asset}/USDT": f"{price:f}" for asset, price in self.prices.items()}
        return given_market(*listings, *pairs, *limits, happened(PricesMarked, prices=prices, source="index"))


def _split(value: int, weights: list[int]) -> list[Fraction]:
    return [Fraction(value * weight, sum(weights)) for weight in weights]


def _amount(value: Fraction, asset: str, prices: Mapping[str, Decimal]) -> Decimal:
    """At least a step."""
    scale, price = SCALES[asset], Fraction(prices.get(asset, Decimal(1)))
    return Decimal(max(1, int(value / price * 10**scale))).scaleb(-scale)


@st.composite
def portfolios(draw: Any, assets: tuple[str, ...] = tuple(SCALES), worst: int = 1000, best: int = 1100) -> Portfolio:
    """Debts of 1 to 10 million USDT in all, and assets of `worst` to `best` thousandths of that."""
    prices = {
        "BTC": Decimal(draw(st.integers(10**5, 10**7))).scaleb(-2),
        "ETH": Decimal(draw(st.integers(10**3, 10**6))).scaleb(-2),
        "SOL": Decimal(draw(st.integers(1, 10**5))).scaleb(-2),
    }
    debts = draw(st.lists(st.sampled_from(assets), min_size=1, max_size=3, unique=True))
    holdings = draw(st.lists(st.sampled_from(assets), min_size=1, max_size=len(assets), unique=True))
    debt = draw(st.integers(1, 10 ** draw(st.integers(1, 7))))
    owed = _split(debt, draw(st.lists(st.integers(1, 99), min_size=len(debts), max_size=len(debts))))
    parts = draw(st.lists(st.integers(1, 99), min_size=len(holdings), max_size=len(holdings)))
    level = Fraction(draw(st.integers(worst, best)), 1000)
    worths = [part * level for part in _split(debt, parts)]
    principal = {asset: _amount(value, asset, prices) for asset, value in zip(debts, owed, strict=True)}
    costs = {asset: _amount(value / 1000, asset, prices) for asset, value in zip(debts, owed, strict=True)}
    interest = costs if draw(st.booleans()) else {}
    held = {asset: _amount(value, asset, prices) for asset, value in zip(holdings, worths, strict=True)}
    return Portfolio(held, principal, interest, prices)


def require_sound(before: Account, after: Account, events: list[Event], wallet: str) -> None:
    """Every event posts zero, nothing is below zero, only this wallet was touched, and a fold gives the same."""
    for event in events:
        sums: dict[str, Decimal] = {}
        for posted in postings(event):  # type: ignore[arg-type]
            sums[posted.asset] = sums.get(posted.asset, Decimal(0)) + posted.amount
        assert not any(sums.values()), event
    assert all(amount >= 0 for one in after.wallets.all() for four in one.balances.values() for amount in four)
    for one in after.wallets.all():
        assert one.name == wallet or one == before.wallets.wallet(one.name)
    assert not after.liquidations
    again = before.copy()
    for event in events:
        evolve(again, read_event(event.TOPIC, write_event(event)))  # type: ignore[arg-type]
    assert again == after
