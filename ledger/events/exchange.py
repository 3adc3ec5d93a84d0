"""Events of the exchange: listings, limits, rates, prices and the insurance fund."""

from datetime import datetime

from ledger.events.event import Event, Fact, MarkPrice
from ledger.money import Exact
from ledger.tiers import CollateralTier, RiskTier
from ledger.words import AssetUse, Execution, PairStatus


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
    """The limits of `cross` or a pair in force from here on, also those that were not changed.

    Without a target liquidations close out in full, without an execution the house executes them, without a time limit
    an external execution is never overdue.
    """

    TOPIC = "risk_limits.set"
    scope: str
    tiers: list[RiskTier]
    price_max_age_seconds: int
    liquidation_fee: Exact
    dust: Exact
    price_jump_limit: Exact | None = None
    liquidation_target: Exact | None = None
    liquidation_execution: Execution | None = None
    execution_time_limit_seconds: int | None = None


class InterestRateSet(Event):
    TOPIC = "interest_rate.set"
    asset: str
    daily_rate: Exact


class HeldPrice(Fact):
    """A price that is held, for it lies further from the last mark than the pair's bound (a part of that mark) allows.

    `version` is that of the event of the @prices stream that held it.
    """

    price: Exact
    effective_at: datetime
    version: int
    source: str
    last: MarkPrice
    price_jump_limit: Exact


class PricesMarked(Event):
    """Prices that count from here on; the only event that makes one.

    `confirmed` has, of pairs that moved beyond their bound, the held price that agrees; `vouched_price` is what an
    operator says it was, where one confirmed it.
    """

    TOPIC = "prices.marked"
    prices: dict[str, Exact]
    source: str
    confirmed: dict[str, HeldPrice] | None = None
    vouched_price: Exact | None = None


class PricesHeld(Event):
    """Prices of a vector that do not count: each waits until another source or an operator confirms it."""

    TOPIC = "prices.held"
    prices: dict[str, HeldPrice]


class PriceRejected(Event):
    """Held prices of a pair that an operator says are wrong: nothing waits for them any more."""

    TOPIC = "price.rejected"
    pair: str
    rejected: list[HeldPrice]


class InsuranceFunded(Event):
    TOPIC = "insurance.funded"
    asset: str
    amount: Exact


class InsuranceWithdrawn(Event):
    TOPIC = "insurance.withdrawn"
    asset: str
    amount: Exact
