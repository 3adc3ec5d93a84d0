"""What the exchange has set: listings, limits, rates and mark prices, as every decision reads them."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from ledger.errors import LiquidationTargetTooLow, PriceStale, UnknownAsset, UnknownPair
from ledger.events import HeldPrice, MarkPrice, RiskLimitsSet
from ledger.money import ONE, VALUATION_ASSET, quote_of, valuation_pair
from ledger.tiers import CollateralTier, RiskTier
from ledger.words import CROSS, AssetUse, Execution, PairStatus

PRICE_MAX_AGE_SECONDS = 60
LIQUIDATION_FEE = Decimal("0.02")
DUST = Decimal(1)
FULL_COLLATERAL = (CollateralTier(ratio=ONE),)


def _tier(leverage: str, liquidation: str, margin_call: str, initial: str) -> RiskTier:
    return RiskTier.model_validate(
        {"max_leverage": leverage, "liquidation": liquidation, "margin_call": margin_call, "initial": initial}
    )


CROSS_TIERS = (_tier("3", "1.1", "1.3", "1.5"), _tier("5", "1.1", "1.16", "1.25"))
"""The lines of the cross pool at its two leverages, until the exchange sets others."""
PAIR_TIERS = (
    _tier("3", "1.18", "1.22", "1.5"),
    _tier("5", "1.15", "1.19", "1.25"),
    _tier("10", "1.05", "1.09", "1.111"),
)
"""The rows a pair's one tier is taken from, until the exchange sets its tiers."""


@dataclass(slots=True)
class Rates:
    """Daily interest rates of an asset by business time; before the first change, the listing's."""

    listed: Decimal
    since: list[datetime] = field(default_factory=list)
    rates: list[Decimal] = field(default_factory=list)

    def set(self, effective_at: datetime, rate: Decimal) -> None:
        """Add a rate; of two with the same time the later recorded one holds."""
        place = bisect_right(self.since, effective_at)
        self.since.insert(place, effective_at)
        self.rates.insert(place, rate)

    def at(self, hour: datetime) -> Decimal:
        """The rate of the hour that starts then."""
        place = bisect_right(self.since, hour)
        return self.rates[place - 1] if place else self.listed

    def next_change(self, hour: datetime) -> datetime | None:
        """When the next rate after that of an hour begins to count, if one does."""
        place = bisect_right(self.since, hour)
        return self.since[place] if place < len(self.since) else None


@dataclass(slots=True)
class AssetListing:
    symbol: str
    scale: int
    rates: Rates
    borrow_limit: Decimal | None = None
    collateral_tiers: tuple[CollateralTier, ...] = FULL_COLLATERAL
    enabled: frozenset[AssetUse] = frozenset(AssetUse)


@dataclass(slots=True)
class PairListing:
    pair: str
    price_scale: int
    max_leverage: Decimal
    status: PairStatus = PairStatus.TRADING


class RiskLimits(NamedTuple):
    """The limits of the cross pool or of one pair's buckets; the fee is a part of the debt repaid, dust a value.

    The jump limit, of a pair only, is a part of the last price; None: prices jump as they like.
    `liquidation_target` is the level that a liquidation brings a wallet back to; None: it closes it out in full.
    """

    tiers: tuple[RiskTier, ...]
    price_max_age_seconds: int = PRICE_MAX_AGE_SECONDS
    liquidation_fee: Decimal = LIQUIDATION_FEE
    dust: Decimal = DUST
    price_jump_limit: Decimal | None = None
    liquidation_target: Decimal | None = None
    liquidation_execution: Execution = Execution.HOUSE
    execution_time_limit_seconds: int | None = None

    @classmethod
    def of(cls, event: RiskLimitsSet) -> "RiskLimits":
        """The limits that an event has set."""
        return cls(
            tiers=tuple(event.tiers),
            price_max_age_seconds=event.price_max_age_seconds,
            liquidation_fee=event.liquidation_fee,
            dust=event.dust,
            price_jump_limit=event.price_jump_limit,
            liquidation_target=event.liquidation_target,
            liquidation_execution=event.liquidation_execution or Execution.HOUSE,
            execution_time_limit_seconds=event.execution_time_limit_seconds,
        )

    def require_target_above_lines(self, scope: str) -> None:
        """LiquidationTargetTooLow unless a wallet that is back at its target is above the line of every tier."""
        target, highest = self.liquidation_target, max(tier.liquidation for tier in self.tiers)
        if target is not None and target <= highest:
            raise LiquidationTargetTooLow(
                f"a liquidation target of {target:f} would hold for {scope}, its highest liquidation line is "
                f"{highest:f}; set a target above that, or null for none"
            )


class Prices(NamedTuple):
    """Prices of assets in the valuation asset, and the marks they were taken from by pair."""

    of: dict[str, Decimal]
    used: dict[str, MarkPrice]


@dataclass(slots=True)
class Market:
    """The state of the exchange's own streams; `version` counts @exchange, `prices_version` counts @prices.

    `held_prices` are by pair and source; nothing is valued by them.
    """

    version: int = 0
    prices_version: int = 0
    assets: dict[str, AssetListing] = field(default_factory=dict)
    pairs: dict[str, PairListing] = field(default_factory=dict)
    limits: dict[str, RiskLimits] = field(default_factory=lambda: {CROSS: RiskLimits(CROSS_TIERS)})
    prices: dict[str, MarkPrice] = field(default_factory=dict)
    newest_prices_at: datetime | None = None
    held_prices: dict[str, dict[str, HeldPrice]] = field(default_factory=dict)
    withdrawable_insurance: dict[str, Decimal] = field(default_factory=dict)

    def copy(self) -> "Market":
        """A market of its own down to its listings, which evolving changes in place; prices and limits are replaced."""
        assets = {
            symbol: replace(one, rates=Rates(one.rates.listed, one.rates.since.copy(), one.rates.rates.copy()))
            for symbol, one in self.assets.items()
        }
        return replace(
            self,
            assets=assets,
            pairs={name: replace(one) for name, one in self.pairs.items()},
            limits=self.limits.copy(),
            prices=self.prices.copy(),
            withdrawable_insurance=self.withdrawable_insurance.copy(),
        )

    def asset(self, symbol: str) -> AssetListing:
        """The listing of an asset, or UnknownAsset."""
        listing = self.assets.get(symbol)
        if listing is None:
            raise UnknownAsset(f"asset {symbol} is not listed; list_asset lists it")
        return listing

    def pair(self, name: str) -> PairListing:
        """The listing of a pair, or UnknownPair."""
        listing = self.pairs.get(name)
        if listing is None:
            raise UnknownPair(f"pair {name} is not listed; list_pair lists it")
        return listing

    def limits_of(self, scope: str) -> RiskLimits:
        """The risk limits of `cross` or of a pair; until some are set, those its leverage gives."""
        limits = self.limits.get(scope)
        return limits if limits is not None else default_limits(self.pair(scope).max_leverage)

    def max_age_of(self, pair: str) -> int:
        """How many seconds old a pair's price may be for all that it values: its buckets, and the cross pool."""
        own = self.limits_of(pair).price_max_age_seconds
        return min(own, self.limits[CROSS].price_max_age_seconds) if quote_of(pair) == VALUATION_ASSET else own

    def is_stale(self, pair: str, at: datetime | None = None) -> bool:
        """Whether a pair's last price is older at `at` than it may be; None: at the newest price vector's time."""
        mark, now = self.prices.get(pair), at or self.newest_prices_at
        return mark is None or (now is not None and mark.effective_at < now - _seconds(self.max_age_of(pair)))

    def fresh_prices(self, assets: Iterable[str], scope: str, at: datetime) -> Prices:
        """Prices of assets for a decision at `at`; PriceStale where one is older than the scope's limits allow."""
        max_age = self.limits_of(scope).price_max_age_seconds
        oldest = at - _seconds(max_age)
        prices = self.last_prices(assets)
        for pair, mark in prices.used.items():
            if mark.effective_at < oldest:
                raise PriceStale(
                    f"the price of {pair} is of {mark.effective_at.isoformat()}, the decision is of {at.isoformat()} "
                    f"and may use prices up to {max_age} seconds old; mark a newer one"
                )
        return prices

    def last_prices(self, assets: Iterable[str]) -> Prices:
        """The prices last marked, however old; PriceStale where one was never marked."""
        of, used = {}, {}
        for asset in assets:
            if asset == VALUATION_ASSET:
                of[asset] = ONE
                continue
            pair = valuation_pair(asset)
            mark = self.prices.get(pair)
            if mark is None:
                raise PriceStale(
                    f"the price of {pair} has never been marked and the decision needs it; mark_prices marks it"
                )
            of[asset], used[pair] = mark.price, mark
        return Prices(of, used)


@lru_cache(maxsize=256)
def _seconds(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


@lru_cache(maxsize=256)
def default_limits(max_leverage: Decimal) -> RiskLimits:
    """One tier without limit: the row with the nearest leverage not below the pair's own."""
    return RiskLimits((next(row for row in PAIR_TIERS if row.max_leverage >= max_leverage),))
