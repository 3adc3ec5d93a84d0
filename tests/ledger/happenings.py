"""What has happened, one word an event: the words in which tests tell the past of an account and the exchange."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ledger import events as e
from ledger.market import Market
from tests.ledger.given import NOON, Happened, given_market, happened

BTC_BUCKET = "isolated:BTC/USDT"
ETH_BUCKET = "isolated:ETH/USDT"
# Rates a day of which an hour is easily told: 0.001, 0.0001 and 0.0002.
RATES = {"USDT": "0.024", "BTC": "0.0024", "ETH": "0.0048", "SOL": "0"}
PRICES = {"BTC/USDT": "50000", "ETH/USDT": "2000", "SOL/USDT": "100"}
FULL = [{"ratio": "1"}]


def opened() -> Happened:
    return happened(e.AccountOpened)


def frozen(*blocks: str) -> Happened:
    every = ["deposit", "withdraw", "transfer", "borrow", "trade"]
    return happened(e.AccountFrozen, blocks=list(blocks) or every)


def unfrozen() -> Happened:
    return happened(e.AccountUnfrozen)


def closed() -> Happened:
    return happened(e.AccountClosed)


def deposited(amount: str, asset: str, **fields: Any) -> Happened:
    return happened(e.FundsDeposited, amount=amount, asset=asset, **fields)


def withdrawal_requested(amount: str, asset: str, withdrawal_id: str = "W1") -> Happened:
    return happened(e.WithdrawalRequested, amount=amount, asset=asset, withdrawal_id=withdrawal_id)


def withdrawal_settled(amount: str, asset: str, withdrawal_id: str = "W1") -> Happened:
    return happened(e.WithdrawalSettled, amount=amount, asset=asset, withdrawal_id=withdrawal_id)


def withdrawal_cancelled(amount: str, asset: str, withdrawal_id: str = "W1") -> Happened:
    return happened(e.WithdrawalCancelled, amount=amount, asset=asset, withdrawal_id=withdrawal_id)


def transferred(amount: str, asset: str, source: str = "spot", target: str = "cross", **fields: Any) -> Happened:
    return happened(e.FundsTransferred, amount=amount, asset=asset, source=source, target=target, **fields)


def sent(amount: str, asset: str, to: str) -> Happened:
    return happened(e.TransferSent, amount=amount, asset=asset, to_account_id=to)


def received(amount: str, asset: str, sender: str) -> Happened:
    return happened(e.TransferReceived, amount=amount, asset=asset, from_account_id=sender)


def margin_added(amount: str, asset: str, pair: str = "BTC/USDT", source: str = "spot", **fields: Any) -> Happened:
    return happened(e.MarginAdded, amount=amount, asset=asset, pair=pair, source=source, **fields)


def margin_removed(amount: str, asset: str, pair: str = "BTC/USDT", target: str = "spot", **fields: Any) -> Happened:
    return happened(e.MarginRemoved, amount=amount, asset=asset, pair=pair, target=target, **fields)


def mode_set(mode: str, pair: str = "BTC/USDT") -> Happened:
    return happened(e.MarginModeSet, pair=pair, mode=mode)


def leverage_set(leverage: str, wallet: str = BTC_BUCKET, **fields: Any) -> Happened:
    return happened(e.LeverageSet, wallet=wallet, leverage=leverage, **fields)


def borrowed(amount: str, asset: str, wallet: str = "cross", **fields: Any) -> Happened:
    return happened(e.LoanBorrowed, amount=amount, asset=asset, wallet=wallet, **fields)


def repaid(interest: str, principal: str, asset: str, wallet: str = "cross", **fields: Any) -> Happened:
    return happened(e.LoanRepaid, interest=interest, principal=principal, asset=asset, wallet=wallet, **fields)


def line(amount: str, asset: str, principal: str, rate: str, first_hour: datetime = NOON, hours: int = 1) -> Any:
    """One line of interest accrued."""
    return e.InterestLine(
        asset=asset,
        rate=Decimal(rate),
        principal=Decimal(principal),
        first_hour=first_hour,
        hours=hours,
        amount=Decimal(amount),
    )


def accrued(*lines: Any, wallet: str = "cross") -> Happened:
    return happened(e.InterestAccrued, wallet=wallet, lines=list(lines))


def held(amount: str, asset: str, hold_id: str = "H1", wallet: str = "spot", **fields: Any) -> Happened:
    return happened(e.FundsHeld, amount=amount, asset=asset, hold_id=hold_id, wallet=wallet, **fields)


def released(amount: str, asset: str, hold_id: str = "H1", wallet: str = "spot") -> Happened:
    return happened(e.HoldReleased, amount=amount, asset=asset, hold_id=hold_id, wallet=wallet)


def traded(
    side: str, quantity: str, price: str, pair: str = "BTC/USDT", wallet: str = "cross", **fields: Any
) -> Happened:
    """A fill; its quote amount is quantity times price, its fee nothing, unless told."""
    quote_amount = fields.pop("quote_amount", f"{Decimal(quantity) * Decimal(price):f}")
    fee: Any = {"fee": "0", "fee_asset": pair.partition("/")[2], "trade_id": "T1", **fields}
    terms: Any = {"side": side, "quantity": quantity, "price": price, "pair": pair, "wallet": wallet}
    return happened(e.TradeBooked, **terms, quote_amount=quote_amount, **fee)


def called(wallet: str, at: datetime = NOON, threshold: str = "1.3", level: str = "1.2") -> Happened:
    numbers: Any = {"level": level, "threshold": threshold, "assets": "1200", "debt": "1000", "prices": {}}
    return happened(e.MarginCalled, at=at, wallet=wallet, **numbers)


# The exchange


def asset_listed(asset: str, rate: str = "0", scale: int = 8, **fields: Any) -> Happened:
    tiers = fields.pop("collateral_tiers", FULL)
    return happened(e.AssetListed, asset=asset, scale=scale, daily_interest_rate=rate, collateral_tiers=tiers, **fields)


def asset_limits(asset: str, enabled: tuple[str, ...] = ("transfer", "borrow", "trade"), **fields: Any) -> Happened:
    tiers = fields.pop("collateral_tiers", FULL)
    return happened(e.AssetLimitsSet, asset=asset, collateral_tiers=tiers, enabled=list(enabled), **fields)


def pair_listed(pair: str, max_leverage: str, price_scale: int = 2) -> Happened:
    return happened(e.PairListed, pair=pair, price_scale=price_scale, max_leverage=max_leverage)


def pair_status(pair: str, status: str) -> Happened:
    return happened(e.PairStatusSet, pair=pair, status=status)


def tier(leverage: str, initial: str, margin_call: str, liquidation: str, **fields: Any) -> Any:
    """One row of risk limits."""
    lines = {"max_leverage": leverage, "initial": initial, "margin_call": margin_call, "liquidation": liquidation}
    return {**lines, **fields}


def risk_limits(
    scope: str,
    *tiers: Any,
    age_seconds: int = 60,
    fee: str = "0.02",
    dust: str = "1",
    jump: str | None = None,
    **fields: Any,
) -> Happened:
    numbers: Any = {
        "price_max_age_seconds": age_seconds,
        "liquidation_fee": fee,
        "dust": dust,
        "price_jump_limit": jump,
        **fields,
    }
    return happened(e.RiskLimitsSet, scope=scope, tiers=list(tiers), **numbers)


def rate_set(asset: str, rate: str, at: datetime = NOON) -> Happened:
    return happened(e.InterestRateSet, at=at, asset=asset, daily_rate=rate)


def marked(at: datetime | None = None, **changed: str) -> Happened:
    """A vector of all prices; changed ones by the base asset's name: marked(BTC="48000")."""
    prices = {**PRICES, **{f"{base}/USDT": price for base, price in changed.items()}}
    return happened(e.PricesMarked, at=at, prices=prices, source="index")


def the_market(rates: bool = False, at: datetime = NOON, **prices: str) -> Market:
    """Four assets, three pairs (10x, 5x, 3x) and their prices; loans cost nothing unless rates are asked for."""
    listings = [asset_listed(asset, rate if rates else "0") for asset, rate in RATES.items()]
    pairs = [pair_listed("BTC/USDT", "10"), pair_listed("ETH/USDT", "5"), pair_listed("SOL/USDT", "3")]
    return given_market(*listings, *pairs, pair_listed("ETH/BTC", "3", 6), marked(None, **prices), at=at)


def hours(count: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=count)
