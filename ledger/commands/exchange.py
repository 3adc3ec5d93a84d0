"""Commands of the exchange: listings, limits, rates, prices and the insurance fund."""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ledger.commands.command import Command
from ledger.commands.fields import Scale, Text, distinct
from ledger.money import Amount, NotNegative
from ledger.tiers import CollateralTier, Leverage, RiskTier
from ledger.words import CROSS, EXCHANGE, PRICES, AssetSymbol, AssetUse, Execution, PairName, PairStatus


class ExchangeCommand(Command):
    @property
    def stream(self) -> str:
        return EXCHANGE


def _rising_tiers(tiers: list[CollateralTier]) -> list[CollateralTier]:
    bounds = [tier.up_to for tier in tiers]
    known = [bound for bound in bounds[:-1] if bound is not None]
    if len(known) != len(bounds) - 1 or sorted(set(known)) != known:
        raise ValueError("each collateral tier but the last states a higher up_to than the one before")
    if known and bounds[-1] is not None and bounds[-1] <= known[-1]:
        raise ValueError("each collateral tier states a higher up_to than the one before")
    ratios = [tier.ratio for tier in tiers]
    if sorted(ratios, reverse=True) != ratios or ratios[0] > 1:
        raise ValueError("collateral ratios are between 0 and 1 and never rise from one tier to the next")
    return tiers


CollateralTiers = Annotated[list[CollateralTier], Field(min_length=1, max_length=50), AfterValidator(_rising_tiers)]


class ListAsset(ExchangeCommand):
    type: Literal["list_asset"] = "list_asset"
    asset: AssetSymbol
    scale: Scale
    daily_interest_rate: NotNegative
    borrow_limit: NotNegative | None = None
    collateral_tiers: CollateralTiers | None = None


class SetAssetLimits(ExchangeCommand):
    """Sets what is stated; what is left out stays as it is. A borrow_limit of null lifts the limit."""

    type: Literal["set_asset_limits"] = "set_asset_limits"
    asset: AssetSymbol
    borrow_limit: NotNegative | None = None
    collateral_tiers: CollateralTiers | None = None
    enabled: Annotated[list[AssetUse], AfterValidator(distinct)] | None = None


class ListPair(ExchangeCommand):
    type: Literal["list_pair"] = "list_pair"
    pair: PairName
    price_scale: Scale
    max_leverage: Leverage


class SetPairStatus(ExchangeCommand):
    type: Literal["set_pair_status"] = "set_pair_status"
    pair: PairName
    status: PairStatus


def _at_most_all(fee: Decimal) -> Decimal:
    if fee > 1:
        raise ValueError("a fee is a part of the debt repaid, at most 1")
    return fee


def _below_all(limit: Decimal) -> Decimal:
    if limit >= 1:
        raise ValueError(
            "a bound on jumps is a part of the last price, below 1: a bound of 1 would let every fall pass"
        )
    return limit


def _above_one(target: Decimal) -> Decimal:
    if target <= 1:
        raise ValueError("a liquidation target is a level, above 1")
    return target


def _ordered_lines(tiers: list[RiskTier]) -> list[RiskTier]:
    for tier in tiers:
        if not 1 < tier.liquidation < tier.margin_call <= min(tier.initial, tier.transfer_out):
            raise ValueError("lines of a tier rise: 1 < liquidation < margin_call <= initial and transfer_out")
    return tiers


Seconds = Annotated[int, Field(strict=True, ge=1, le=10**9)]


class SetRiskLimits(ExchangeCommand):
    """Sets what is stated for `cross` or a pair; what is left out stays as it is.

    `price_jump_limit`, of a pair only, is how far a price may lie from the last one, as a part of that (0.2 is 20 %);
    null lifts it.

    `liquidation_target` is the level that a liquidation brings a wallet back to, above the liquidation line of every
    tier; null, as at first, has it closed out in full. `liquidation_execution` is who executes the liquidations that an
    examination starts. `execution_time_limit_seconds` is how long an external execution may run before it is reported
    as overdue; null: for ever.
    """

    type: Literal["set_risk_limits"] = "set_risk_limits"
    scope: Literal["cross"] | PairName = Field(union_mode="left_to_right")
    tiers: Annotated[list[RiskTier], Field(min_length=1, max_length=50), AfterValidator(_ordered_lines)] | None = None
    price_max_age_seconds: Seconds | None = None
    liquidation_fee: Annotated[NotNegative, AfterValidator(_at_most_all)] | None = None
    dust: NotNegative | None = None
    price_jump_limit: Annotated[Amount, AfterValidator(_below_all)] | None = None
    liquidation_target: Annotated[Amount, AfterValidator(_above_one)] | None = None
    liquidation_execution: Execution | None = None
    execution_time_limit_seconds: Seconds | None = None

    @model_validator(mode="after")
    def _tiers_fit_the_scope(self) -> Self:
        tiers = self.tiers or []
        if self.scope == CROSS:
            _require_rows_of_the_pool(tiers)
            if self.price_jump_limit is not None:
                raise ValueError("price_jump_limit is of a pair; state the pair as scope")
        else:
            for lower, higher in pairwise(tiers):
                _require_rising_limits(lower, higher)
        return self


def _require_rows_of_the_pool(tiers: list[RiskTier]) -> None:
    if any(tier.base_limit is not None or tier.quote_limit is not None for tier in tiers):
        raise ValueError("tiers of the cross pool have no limits")
    leverages = {tier.max_leverage for tier in tiers}
    if len(leverages) != len(tiers) or not leverages <= {3, 5}:
        raise ValueError("the cross pool has one tier for leverage 3 and one for leverage 5")
    if any(tier.initial > tier.transfer_out for tier in tiers):
        raise ValueError("in the cross pool the initial ratio is at most the transfer_out line")


def _require_rising_limits(lower: RiskTier, higher: RiskTier) -> None:
    """Raise unless the higher tier allows larger loans at lines no easier than the lower one's."""
    for name in ("base_limit", "quote_limit"):
        low, high = getattr(lower, name), getattr(higher, name)
        if (low is None and high is not None) or (low is not None and high is not None and high < low):
            raise ValueError(f"the {name} of each tier is at least that of the tier before")
    if higher.max_leverage > lower.max_leverage or higher.initial < lower.initial:
        raise ValueError("each tier has at most the max_leverage and at least the initial ratio of the tier before")


class SetInterestRate(ExchangeCommand):
    type: Literal["set_interest_rate"] = "set_interest_rate"
    asset: AssetSymbol
    daily_rate: NotNegative


class PriceCommand(Command):
    @property
    def stream(self) -> str:
        return PRICES


class MarkPrices(PriceCommand):
    """Marks a vector of prices of one source; a price beyond its pair's bound is held until somebody confirms it."""

    KEY_MAY_BE_LEFT_OUT = True
    type: Literal["mark_prices"] = "mark_prices"
    prices: Annotated[dict[PairName, Amount], Field(min_length=1, max_length=5000)]
    source: Text


class ConfirmPrice(PriceCommand):
    """Says what the price of a pair is: the newest held one within the pair's bound of that counts, of its own time."""

    type: Literal["confirm_price"] = "confirm_price"
    pair: PairName
    price: Amount
    reason: Text

    @model_validator(mode="after")
    def _counts_from_its_own_time(self) -> Self:
        if self.effective_at is not None:
            raise ValueError("effective_at is left out: a held price counts from the time that it was stated for")
        return self


class RejectPrice(PriceCommand):
    """Says that what is held of a pair is wrong: of all sources, or of the one named."""

    type: Literal["reject_price"] = "reject_price"
    pair: PairName
    source: Text | None = None
    reason: Text


class FundInsurance(ExchangeCommand):
    type: Literal["fund_insurance"] = "fund_insurance"
    asset: AssetSymbol
    amount: Amount


class WithdrawInsurance(ExchangeCommand):
    type: Literal["withdraw_insurance"] = "withdraw_insurance"
    asset: AssetSymbol
    amount: Amount
