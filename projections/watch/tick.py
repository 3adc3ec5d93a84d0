"""The market at one tick as the watch needs it: fresh prices by asset, and what an hour can add to a debt at most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from ledger.interest import HOURS_OF_A_DAY
from ledger.market import AssetListing, Market
from ledger.money import ONE, VALUATION_ASSET, step_of, valuation_pair
from projections.watch.screening import Floats

NO_ASSET = 0
"""The place of no asset; its price is one. Assets have the places from 1 on, in the order in which they were listed."""
NO_HOUR = -1
SECONDS_OF_AN_HOUR = 3600


@dataclass(slots=True)
class Tick:
    """`hour` is the clock hour of the newest prices, counted from 1970, NO_HOUR before the first vector.

    `hourly` and `steps` bound by place what an hour adds to a debt: hourly x principal + step.
    """

    market: Market
    places: dict[str, int]
    hour: int
    hourly: Floats
    steps: Floats

    @classmethod
    def of(cls, market: Market, before: "Tick | None" = None) -> "Tick":
        """The market's tick; where its rates are those of the tick before, the very same arrays."""
        at = market.newest_prices_at
        hour = NO_HOUR if at is None else int(at.timestamp() // SECONDS_OF_AN_HOUR)
        if before is not None and (before.market is market or before.market.assets == market.assets):
            return cls(market, before.places, hour, before.hourly, before.steps)
        listings = list(market.assets.values())
        places = {listing.symbol: place for place, listing in enumerate(listings, start=1)}
        hourly = np.array([0.0, *(_highest_hourly_rate(listing) for listing in listings)])
        steps = np.array([0.0, *(float(step_of(listing.scale)) for listing in listings)])
        return cls(market, places, hour, hourly, steps)

    def oldest(self, scope: str) -> datetime | None:
        """The time from which on a price is fresh for wallets of a scope."""
        at = self.market.newest_prices_at
        age = self.market.limits_of(scope).price_max_age_seconds
        return None if at is None else at - timedelta(seconds=age)

    def price(self, asset: str, oldest: datetime | None) -> Decimal | None:
        """The price of an asset in the valuation asset; None where it was never marked or is not fresh."""
        if asset == VALUATION_ASSET:
            return ONE
        mark = self.market.prices.get(valuation_pair(asset))
        return None if mark is None or (oldest is not None and mark.effective_at < oldest) else mark.price

    def prices(self, scope: str) -> list[Decimal | None]:
        """The fresh prices by place."""
        oldest = self.oldest(scope)
        return [ONE, *(self.price(asset, oldest) for asset in self.places)]


def as_floats(prices: Sequence[Decimal | None]) -> Floats:
    """Prices as floats; not a number where one is lacking, and so is every sum it is in."""
    return np.array([np.nan if price is None else float(price) for price in prices])


def _highest_hourly_rate(listing: AssetListing) -> float:
    return float(max([listing.rates.listed, *listing.rates.rates])) / float(HOURS_OF_A_DAY)
