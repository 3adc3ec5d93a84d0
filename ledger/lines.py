"""The lines that a margin wallet is judged by, from its risk tiers, its leverage and what it has borrowed."""

from decimal import Decimal
from typing import NamedTuple

from ledger.money import ONE, Ratio
from ledger.tiers import RiskTier


class Lines(NamedTuple):
    """The lines a wallet's level is compared with; `tier` counts from 1, None in the cross pool."""

    transfer_out: Decimal
    initial: Ratio
    margin_call: Decimal
    liquidation: Decimal
    tier: int | None


def cross_lines(tiers: tuple[RiskTier, ...], leverage: Decimal) -> Lines:
    row = next(row for row in tiers if row.max_leverage == leverage)
    return Lines(row.transfer_out, Ratio.of(row.initial), row.margin_call, row.liquidation, None)


def is_within(tier: RiskTier, base: Decimal, quote: Decimal) -> bool:
    within_base = tier.base_limit is None or base <= tier.base_limit
    return within_base and (tier.quote_limit is None or quote <= tier.quote_limit)


def _tier_of(tiers: tuple[RiskTier, ...], base: Decimal, quote: Decimal) -> tuple[int, RiskTier]:
    for number, tier in enumerate(tiers, 1):
        if is_within(tier, base, quote):
            return number, tier
    return len(tiers), tiers[-1]


def bucket_lines(tiers: tuple[RiskTier, ...], leverage: Decimal, base: Decimal, quote: Decimal) -> Lines:
    """The lines of the lowest tier that takes both loans (past the last one, the last one's)."""
    number, tier = _tier_of(tiers, base, quote)
    initial = Ratio.of(tier.initial) if leverage >= tier.max_leverage else initial_ratio(leverage)
    return Lines(tier.transfer_out, initial, tier.margin_call, tier.liquidation, number)


def initial_ratio(leverage: Decimal) -> Ratio:
    """IR = L / (L - 1); infinite at leverage 1, where nothing can be borrowed."""
    return Ratio(leverage, leverage - ONE)
