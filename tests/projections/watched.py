"""A market and wallets in memory as the watch reads them from the database, and what the exact loop finds of them."""

import copy
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import numpy as np

from ledger import events as e
from ledger.market import Market
from ledger.money import VALUATION_ASSET, divide_down, quote_of, step_of
from ledger.wallets import Balance, Wallet
from ledger.words import CROSS, Band, isolated, pair_of
from projections.margin_levels.queries import OwingWallet
from projections.margin_levels.wallet_rows import balances_of
from projections.questions.levels import Candidate, candidate_of, margin_after_interest
from projections.watch.amounts import NEVER, Entries
from projections.watch.kept import Wallets
from projections.watch.watch import Watch
from tests.ledger.given import NOON, given_market, happened, market_after
from tests.ledger.happenings import asset_listed, pair_listed, risk_limits, tier

SCALES = {"USDT": 8, "BTC": 8, "ETH": 6, "SOL": 2, "DAI": 18, "XRP": 0}
RATES = {"USDT": "0.024", "BTC": "0.0024", "ETH": "0.0048", "SOL": "0", "DAI": "0.1", "XRP": "0.001"}
PRICES = {"BTC/USDT": "50000", "ETH/USDT": "2000", "SOL/USDT": "100", "DAI/USDT": "1", "XRP/USDT": "0.5"}
PAIRS = {"BTC/USDT": "10", "ETH/USDT": "5", "SOL/USDT": "3", "DAI/USDT": "3", "XRP/USDT": "3", "ETH/BTC": "3"}
PRICE_SCALE = 4
FINEST_SCALE = 60
NAMES = [CROSS, *map(isolated, ("BTC/USDT", "ETH/USDT", "XRP/USDT", "ETH/BTC"))]
# The second tier is easier to come to by its base, the third by its quote; lines need not rise with the tiers.
TIERS = [
    tier("10", "1.111", "1.09", "1.05", base_limit="2", quote_limit="80000"),
    tier("5", "1.25", "1.19", "1.15", base_limit="3", quote_limit="200000"),
    tier("3", "1.5", "1.15", "1.12", base_limit="5", quote_limit="200000"),
]


def columns_of(wallets: Iterable[OwingWallet], market: Market) -> Wallets:
    """The columns that the query gives of wallets."""
    ordered = sorted(wallets, key=lambda one: one.wallet.name)
    places = {symbol: place for place, symbol in enumerate(market.assets, start=1)}
    entries = [entry for number, one in enumerate(ordered) for entry in _entries(number, one.wallet, places)]
    columns = zip(*entries, strict=True) if entries else [[]] * len(Entries._fields)
    kinds = (np.int64, np.int64, np.float64, np.float64, np.float64, np.int32)
    return Wallets(
        [(name, len(list(same))) for name, same in groupby(ordered, lambda one: one.wallet.name)],
        [one.account_id for one in ordered],
        [balances_of(one.wallet) for one in ordered],
        {number: one.leverage for number, one in enumerate(ordered) if one.leverage is not None},
        {number: one.called_at for number, one in enumerate(ordered) if one.called_at is not None},
        Entries(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True))),
    )


def _entries(number: int, wallet: Wallet, places: Mapping[str, int]) -> Iterable[tuple[float, ...]]:
    for asset, (free, locked, borrowed, interest) in wallet.balances.items():
        held, owed = float(free) + float(locked), float(borrowed) + float(interest)
        if held or owed:
            hour = wallet.next_hours.get(asset)
            first = NEVER if hour is None else int(hour.timestamp()) // 3600
            yield (number, places[asset], held, owed, float(borrowed), first)


def exact_candidates(wallets: Iterable[OwingWallet], market: Market) -> set[Candidate]:
    """What the exact loop finds."""
    return {found for one in wallets if (found := candidate_of(one, market)) is not None}


def marked(prices: dict[str, str], at: datetime) -> Any:
    return happened(e.PricesMarked, at=at, prices=prices, source="index")


def opening_market() -> Market:
    """Six assets, six pairs; BTC/USDT has three tiers."""
    assets = [asset_listed(asset, RATES[asset], scale) for asset, scale in SCALES.items()]
    pairs = [pair_listed(pair, leverage, PRICE_SCALE) for pair, leverage in PAIRS.items()]
    return given_market(*assets, *pairs, risk_limits("BTC/USDT", *TIERS), marked(PRICES, NOON))


class World:
    """A market and wallets, and a watch that is told of all that happens to them."""

    def __init__(self) -> None:
        self.market = opening_market()
        self.wallets: dict[tuple[str, str], OwingWallet] = {}
        self.watch = Watch(self.market)

    @property
    def at(self) -> datetime:
        assert self.market.newest_prices_at is not None
        return self.market.newest_prices_at

    def change(self, *news: Any, at: datetime = NOON) -> None:
        """Something happens on the exchange."""
        self.market = market_after(copy.deepcopy(self.market), *news, at=at)
        self.watch.mark(self.market)

    def put(self, *wallets: OwingWallet) -> None:
        """Wallets come to be so."""
        self.wallets |= {(one.wallet.name, one.account_id): one for one in wallets}
        watched = [one for one in wallets if one.wallet.owes and one.liquidation_id is None]
        self.watch.drop([(one.wallet.name, one.account_id) for one in wallets if one not in watched])
        self.watch.put(columns_of(watched, self.market))

    def check(self) -> int:
        """The watch and the exact loop agree; on how many."""
        found = self.watch.candidates()
        owing = [one for one in self.wallets.values() if one.wallet.owes]
        assert len(found) == len(set(found))
        assert set(found) == exact_candidates(owing, self.market)
        priced = [place_of(one) for one in found if one.level is not None]
        assert priced == sorted(priced)
        assert all(one.level is None for one in found[len(priced) :])
        return len(found)


def place_of(one: Candidate) -> tuple[bool, Decimal, str, str]:
    """By what candidates that are priced are ordered: those to be liquidated first, then the lowest level."""
    assert one.level is not None
    return one.band != Band.LIQUIDATION, Decimal(one.level), one.account_id, one.wallet


def at_its_line(one: OwingWallet, market: Market, line_name: str, steps: int = 0) -> OwingWallet | None:
    """The wallet with as much USDT, or of its pair's quote, as brings it to a line, or so many steps beside it.

    Exactly there where the quote's price divides what lacks; below it by less than 1e-60 where it does not.
    """
    margin = margin_after_interest(one, market)
    if margin is None:
        return None
    pair = pair_of(one.wallet.name)
    asset = VALUATION_ASSET if pair is None else quote_of(pair)
    price = margin.prices[asset] if asset in margin.prices else market.last_prices([asset]).of[asset]
    line: Decimal = getattr(margin.lines, line_name)
    old = one.wallet.balance(asset)
    lacking = line * margin.valuation.debt - margin.valuation.assets
    free = old.free + divide_down(lacking, price, FINEST_SCALE) + steps * step_of(18)
    if free < 0:
        return None
    return one._replace(wallet=one.wallet.with_balances({**one.wallet.balances, asset: old._replace(free=free)}))


def price_at_its_line(
    one: OwingWallet, market: Market, asset: str, line_name: str, scale: int = PRICE_SCALE
) -> Decimal | None:
    """The price of an asset at which the wallet is at its line, the others fixed, cut to a scale."""
    margin = margin_after_interest(one, market)
    if margin is None or asset == VALUATION_ASSET:
        return None
    line: Decimal = getattr(margin.lines, line_name)
    own = margin.wallet.balance(asset)
    others = margin.with_balances({asset: Balance()}).valuation
    each = own.held - line * own.owed
    if not each:
        return None
    price = divide_down(line * others.debt - others.assets, each, scale)
    return price if price > 0 else None


def prices_beside(price: Decimal, scale: int) -> list[Decimal]:
    """A price, those some steps of a scale beside it, the float nearest to it and the two beside that; above zero."""
    steps = [price + count * step_of(scale) for count in (-1, 0, 1, 2)]
    floats = [Decimal(repr(math.nextafter(float(price), towards))) for towards in (0.0, float(price), math.inf)]
    return [one for one in steps + floats if one > 0]
