"""Events of the exchange: listings, limits, rates, prices and the insurance fund."""

from ledger.events.event import Event
from ledger.money import Exact
from ledger.tiers import CollateralTier, RiskTier
from ledger.words import AssetUse, PairStatus


class AssetListed(Event):
    TOPIC = "asset.listed"
    asset: str
    scale: int
    daily_interest_rate: Exact
    borrow_limit: Exact | None = None
    collateral_tiers: list[CollateralTier]


class AssetLimitsSet(Event):
    """The limits in force from here on, also those that were not changed."""

    TOPIC = "asset_limits.set"
    asset: str
    borrow_limit: Exact | None = None
    collateral_tiers: list[CollateralTier]
    enabled: list[AssetUse]


class PairListed(Event):
    TOPIC = "pair.listed"
    pair: str
    price_scale: int
    max_leverage: Exact


class PairStatusSet(Event):
    TOPIC = "pair_status.set"
    pair: str
    status: PairStatus


class RiskLimitsSet(Event):
    """The limits of `cross` or a pair in force from here on, also those that were not changed."""

    TOPIC = "risk_limits.set"
    scope: str
    tiers: list[RiskTier]
    price_max_age_seconds: int
    liquidation_fee: Exact
    dust: Exact


class InterestRateSet(Event):
    TOPIC = "interest_rate.set"
    asset: str
    daily_rate: Exact


class PricesMarked(Event):
    TOPIC = "prices.marked"
    prices: dict[str, Exact]
    source: str


class InsuranceFunded(Event):
    TOPIC = "insurance.funded"
    asset: str
    amount: Exact


class InsuranceWithdrawn(Event):
    TOPIC = "insurance.withdrawn"
    asset: str
    amount: Exact
