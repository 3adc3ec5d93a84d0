"""Closing a liquidated wallet out by the house, at mark price: in full, back to a target, or down to a lower tier."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from ledger import events as e
from ledger.account.closing import Closing
from ledger.margin import show_level
from ledger.money import VALUATION_ASSET, ZERO, base_of, round_up
from ledger.tiers import RiskTier
from ledger.wallets import Balance
from ledger.words import pair_of


def close_out(closing: Closing) -> None:
    """Repay until the wallet is back at its target or, without one, until a bucket is above the line of a lower tier;
    else in full, and cover what is left owed. Then take the fee.

    Each debt is repaid from the same asset, then from all others; debts and assets are taken in order of their value
    at the start, largest first, then by symbol.
    """
    is_relieved = closing.is_at_target() or _step_down(closing) or _repay(closing, lambda balance, _: balance.owed)
    covered, covered_value = ({}, ZERO) if is_relieved else _cover(closing)
    _complete(closing, covered, covered_value)


Wanted = Callable[[Balance, str], Decimal]
"""How much of a debt is to be repaid, of its balance and its asset."""


def _repay(closing: Closing, wanted: Wanted, to_tier: int | None = None) -> bool:
    """Repay what is wanted of each debt, from one asset after the other; whether the target was met on the way."""
    for asset, debt in _pairs(closing):
        if closing.repay(asset, debt, wanted(closing.balance(debt), debt), to_tier):
            return True
    return False


def _pairs(closing: Closing) -> Iterator[tuple[str, str]]:
    """Each debt with the same asset, then each with every other."""
    for debt in closing.debts:
        yield debt, debt
    for debt in closing.debts:
        for asset in closing.assets:
            if asset != debt:
                yield asset, debt


def _step_down(closing: Closing) -> bool:
    """Bring a bucket down tier by tier, and look at it again with each one's line; whether it may be left there.

    Where a target is set it is left at the target only. What the fills of an external execution brought down to a
    lower tier is looked at first. At the lowest tier, and in the pool, nothing is to be stepped down.
    """
    looked_at = closing.running.tier
    while (tier := closing.margin.lines.tier) is not None and looked_at is not None:
        if tier < looked_at and closing.target is None and closing.is_above_line():
            return True
        if tier == 1:
            return False
        looked_at = tier
        if _repay(closing, _excess(closing, tier - 1), to_tier=tier - 1):
            return True
        if not any(closing.standing.held.values()):
            return False  # All is taken: what is still owed is covered.
    return False


def _excess(closing: Closing, tier: int) -> Wanted:
    """What must be repaid, interest first, until what is borrowed fits a tier's limits.

    It is rounded up at the debt's scale: limits of old events may have more decimals than anything that is owed.
    """
    limits: RiskTier = closing.margin.limits.tiers[tier - 1]
    base = base_of(pair_of(closing.wallet) or "")

    def wanted(balance: Balance, debt: str) -> Decimal:
        limit = limits.base_limit if debt == base else limits.quote_limit
        if limit is None or balance.borrowed <= limit:
            return ZERO
        return round_up(balance.owed - limit, closing.scale(debt))

    return wanted


def _cover(closing: Closing) -> tuple[dict[str, Decimal], Decimal]:
    """The fund pays what is still owed, in the valuation asset at mark price, rounded up: amounts, and the value."""
    covered, total = {}, ZERO
    for debt in closing.debts:
        balance, price = closing.balance(debt), closing.prices[debt]
        if balance.owed:
            covered[debt], value = balance.owed, round_up(balance.owed * price, closing.scale(VALUATION_ASSET))
            total += value
            closing.draft.record(
                e.DeficitCovered,
                liquidation_id=closing.running.liquidation_id,
                wallet=closing.wallet,
                asset=debt,
                interest=balance.interest,
                principal=balance.borrowed,
                price=price,
                value=value,
            )
    return covered, total


def _complete(closing: Closing, covered: dict[str, Decimal], covered_value: Decimal) -> None:
    running, standing = closing.running, closing.standing
    fee = standing.fee(closing.terms)
    left = {asset: held - fee.get(asset, ZERO) for asset, held in _held(closing).items() if held > fee.get(asset, ZERO)}
    closing.draft.record(
        e.LiquidationCompleted,
        liquidation_id=running.liquidation_id,
        wallet=closing.wallet,
        sold=running.sold,
        repaid=running.repaid,
        repaid_value=standing.repaid,
        fee=fee,
        fee_rate=running.fee_rate,
        fee_value=standing.repaid * running.fee_rate,
        covered=covered,
        covered_value=covered_value,
        left=left,
        closing_prices=closing.other_prices(),
        **_going_on(closing),
    )


def _held(closing: Closing) -> dict[str, Decimal]:
    balances = closing.draft.wallet(closing.wallet).balances
    return {asset: balance.held for asset, balance in balances.items()}


def _going_on(closing: Closing) -> dict[str, Any]:
    """What a completion states of a wallet that goes on with debts; nothing of one that is closed out."""
    owed = {debt: balance.owed for debt in closing.debts if (balance := closing.balance(debt)).owed}
    if not owed:
        return {}
    lines = closing.margin.lines
    return {
        "owed": owed,
        "level": show_level(closing.level),
        "liquidation_level": lines.liquidation,
        "tier": lines.tier,
    }
