"""Tiers of collateral and of risk: what commands set, events keep and margin arithmetic reads."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from ledger.money import Amount, NotNegative, decimals_of


def _leverage(value: Decimal) -> Decimal:
    if value < 1 or decimals_of(value) > 2:
        raise ValueError("a leverage is at least 1 and has at most two decimals")
    return value


Leverage = Annotated[Amount, AfterValidator(_leverage)]


class Tier(BaseModel):
    """Never changed once made; fields it does not know are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CollateralTier(Tier):
    """Value in the valuation asset up to `up_to` counts at `ratio`; None: without end (the last tier only)."""

    up_to: Amount | None = None
    ratio: NotNegative


class RiskTier(Tier):
    """Lines of a margin wallet up to a size; ratios of assets to debt, limits in base and quote (None: no limit)."""

    max_leverage: Leverage
    initial: Amount
    margin_call: Amount
    liquidation: Amount
    transfer_out: Amount = Decimal(2)
    base_limit: Amount | None = None
    quote_limit: Amount | None = None
