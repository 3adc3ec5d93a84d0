"""Closing a liquidated wallet out by the house, at mark price, in full: debts, fee, deficit, completion."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from ledger import events as e
from ledger.account.draft import Draft
from ledger.account.state import RunningLiquidation
from ledger.money import VALUATION_ASSET, ZERO, divide_down, divide_up, round_up
from ledger.wallets import Balance
from ledger.words import Execution

Prices = Mapping[str, Decimal]


def close_out(draft: Draft, wallet: str, prices: Prices) -> None:
    """Repay each debt from the same asset, then from all others; take the fee; cover what is left owed.

    Debts and assets are taken in order of their value at the start, largest first, then by symbol.
    `prices` are in the valuation asset, by asset.
    """
    balances = dict(draft.wallet(wallet).balances)
    debts = in_order_of_value({asset: balance.owed for asset, balance in balances.items()}, prices)
    assets = in_order_of_value({asset: balance.held for asset, balance in balances.items()}, prices)
    for debt in debts:
        _take(draft, wallet, debt, debt, prices)
    for debt in debts:
        for asset in assets:
            if asset != debt:
                _take(draft, wallet, asset, debt, prices)
    running = draft.account.liquidations[wallet]
    repaid_value = sum((amount * prices[asset] for asset, amount in running.repaid.items()), ZERO)
    fee_value = repaid_value * running.fee_rate
    fee = _fee(draft, wallet, assets, fee_value, prices)
    covered, covered_value = _cover(draft, wallet, running, debts, prices)
    _complete(draft, wallet, prices, repaid_value, fee_value, fee, covered, covered_value)


def in_order_of_value(amounts: Mapping[str, Decimal], prices: Prices) -> list[str]:
    """The assets of which there is something, largest value first, then by symbol."""
    present = [asset for asset, amount in amounts.items() if amount]
    return sorted(present, key=lambda asset: (-amounts[asset] * prices[asset], asset))


def _take(draft: Draft, wallet: str, asset: str, debt: str, prices: Prices) -> None:
    """The house takes of an asset what a debt needs, at most what is held, and credits the debt with its worth."""
    held, owed = draft.wallet(wallet).balance(asset).held, draft.wallet(wallet).balance(debt).owed
    if not held or not owed:
        return
    price, debt_price = prices[asset], prices[debt]
    taken = min(held, divide_up(owed * debt_price, price, _scale(draft, asset)))
    credited = min(owed, divide_down(taken * price, debt_price, _scale(draft, debt)))
    interest = min(credited, draft.wallet(wallet).balance(debt).interest)
    draft.record(
        e.LiquidationFilled,
        liquidation_id=draft.account.liquidations[wallet].liquidation_id,
        wallet=wallet,
        asset=asset,
        taken=taken,
        asset_price=price,
        debt_asset=debt,
        interest=interest,
        principal=credited - interest,
        debt_price=debt_price,
        closing_prices=_other_prices(draft, wallet, prices),
    )


def _other_prices(draft: Draft, wallet: str, prices: Prices) -> dict[str, Decimal] | None:
    """The prices of an external execution's completion; the house closes out at those the liquidation started at."""
    return dict(prices) if draft.account.liquidations[wallet].execution is Execution.EXTERNAL else None


def _scale(draft: Draft, asset: str) -> int:
    return draft.market.asset(asset).scale


def _fee(draft: Draft, wallet: str, assets: Iterable[str], value: Decimal, prices: Prices) -> dict[str, Decimal]:
    """What is taken of each asset for a fee of that value: rounded up, at most what is left."""
    fee = {}
    for asset in assets:
        held = draft.wallet(wallet).balance(asset).held
        if value > 0 and held:
            fee[asset] = min(held, divide_up(value, prices[asset], _scale(draft, asset)))
            value -= fee[asset] * prices[asset]
    return fee


def _cover(
    draft: Draft, wallet: str, running: RunningLiquidation, debts: Iterable[str], prices: Prices
) -> tuple[dict[str, Decimal], Decimal]:
    """The insurance fund pays what is still owed, in the valuation asset at mark price, rounded up."""
    covered, total = {}, ZERO
    for debt in debts:
        balance = draft.wallet(wallet).balance(debt)
        if balance.owed:
            value = round_up(balance.owed * prices[debt], _scale(draft, VALUATION_ASSET))
            _record_deficit(draft, wallet, running.liquidation_id, debt, balance, prices[debt], value)
            covered[debt] = balance.owed
            total += value
    return covered, total


def _record_deficit(
    draft: Draft, wallet: str, liquidation_id: str, debt: str, balance: Balance, price: Decimal, value: Decimal
) -> None:
    draft.record(
        e.DeficitCovered,
        liquidation_id=liquidation_id,
        wallet=wallet,
        asset=debt,
        interest=balance.interest,
        principal=balance.borrowed,
        price=price,
        value=value,
    )


def _complete(
    draft: Draft,
    wallet: str,
    prices: Prices,
    repaid_value: Decimal,
    fee_value: Decimal,
    fee: dict[str, Decimal],
    covered: dict[str, Decimal],
    covered_value: Decimal,
) -> None:
    running = draft.account.liquidations[wallet]
    left = {
        asset: balance.held - fee.get(asset, ZERO)
        for asset, balance in draft.wallet(wallet).balances.items()
        if balance.held > fee.get(asset, ZERO)
    }
    draft.record(
        e.LiquidationCompleted,
        liquidation_id=running.liquidation_id,
        wallet=wallet,
        sold=running.sold,
        repaid=running.repaid,
        repaid_value=repaid_value,
        fee=fee,
        fee_rate=running.fee_rate,
        fee_value=fee_value,
        covered=covered,
        covered_value=covered_value,
        left=left,
        closing_prices=_other_prices(draft, wallet, prices),
    )
