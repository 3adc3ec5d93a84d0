"""The market of the watched wallets: 50 assets, 49 pairs, and prices that wander in small steps."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ledger.events import MarkPrice
from ledger.market import AssetListing, Market, PairListing, Rates
from ledger.money import VALUATION_ASSET, valuation_pair

ASSETS = 50
SCALE = 8
PRICE_SCALE = 8
OPENED_AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
NEXT_HOUR = OPENED_AT + timedelta(hours=1)
DAILY_RATE = Decimal("0.0002")
MAX_LEVERAGE = Decimal(10)
FIRST_PRICE = 60_000.0
# From asset to asset the price falls by this part, down to about a tenth of the valuation asset.
FALL = 0.75
# The standard deviation of a price's step from tick to tick.
STEP = 0.0005


def coins() -> list[str]:
    """All assets but the valuation asset, from the one that is traded most to the one that is traded least."""
    return [f"COIN{number:02d}" for number in range(1, ASSETS)]


def weights() -> list[float]:
    """How often each coin is held or owed, and its pair traded: in proportion to 1 / rank."""
    return [1.0 / rank for rank in range(1, ASSETS)]


def opening_market() -> Market:
    """The listings, and a first price of every coin."""
    symbols = [VALUATION_ASSET, *coins()]
    market = Market(
        assets={symbol: AssetListing(symbol, SCALE, Rates(DAILY_RATE)) for symbol in symbols},
        pairs={valuation_pair(coin): PairListing(valuation_pair(coin), PRICE_SCALE, MAX_LEVERAGE) for coin in coins()},
    )
    return marked(market, {coin: FIRST_PRICE * FALL**rank for rank, coin in enumerate(coins())}, OPENED_AT)


def marked(market: Market, prices: dict[str, float], at: datetime) -> Market:
    """The market after a vector of these prices by coin."""
    version = market.prices_version + 1
    marks = {
        valuation_pair(coin): MarkPrice(price=Decimal(f"{price:.{PRICE_SCALE}f}"), effective_at=at, version=version)
        for coin, price in prices.items()
    }
    return replace(market, prices_version=version, prices={**market.prices, **marks}, newest_prices_at=at)


class Wandering:
    """Each vector moves the prices it has by some hundredths of a percent, a tenth of a second after the last."""

    def __init__(self, seed: int, market: Market) -> None:
        self._rng = random.Random(seed)
        self.market = market

    def tick(self, moved: Sequence[str]) -> Market:
        """The market after a vector of these coins' prices; all other prices stay fresh."""
        at = self.market.newest_prices_at
        assert at is not None
        of = self.market.prices
        prices = {coin: float(of[valuation_pair(coin)].price) * (1.0 + self._rng.gauss(0.0, STEP)) for coin in moved}
        self.market = marked(self.market, prices, at + timedelta(milliseconds=20))
        return self.market

    def a_coin(self) -> str:
        """One coin, as often as its pair is traded."""
        return self._rng.choices(coins(), weights())[0]

    def next_hour(self) -> Market:
        """The market after a vector with which a clock hour begins; the same prices."""
        at = self.market.newest_prices_at
        assert at is not None
        prices = {coin: float(self.market.prices[valuation_pair(coin)].price) for coin in coins()}
        self.market = marked(self.market, prices, at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
        return self.market
