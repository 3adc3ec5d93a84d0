"""The whole of one account as an answer: wallets, levels, positions and the prices they were told with."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ledger.account import Account, is_position_open, leverage_of
from ledger.errors import PriceStale
from ledger.margin import Margin, liquidation_price, reference_liquidation_price, valued_assets
from ledger.market import Market
from ledger.money import VALUATION_ASSET, base_of, plain, quote_of, valuation_pair
from ledger.positions import Position
from ledger.wallets import Wallet, bucket_of
from ledger.words import CROSS, MarginMode, pair_of
from projections.market.queries import MarkedPrice, market_and_prices
from projections.projector import Connection
from projections.questions.account_state import account_at, is_below_zero
from projections.questions.figures import ENTRY_PRICE_SCALE, balance_figures, debt_ratio_figure, line_figures, rounded
from projections.questions.margin_wallet import (
    band,
    collateral_level,
    lacking_prices,
    level,
    margin_at_last_prices,
    sums,
)


def account_answer(
    connection: Connection,
    position: int,
    account_id: str,
    *,
    effective_at: datetime | None = None,
    as_of: dict[str, Any] | None = None,
) -> dict[str, Any] | None:
    """What GET /v1/accounts/{id} answers at a log position; None if the account was not opened by then.

    As of a business time it is of what is known at the position and dated up to that time, None where nothing is.
    Listings and limits are those known at the position. `backdated` says that something is below zero.
    """
    account = account_at(connection, position, account_id, effective_at)
    if account is None:
        return None
    market, prices = market_and_prices(connection, position, effective_at)
    answer = answer_of(account, market, prices, position, as_of)
    return answer if effective_at is None else {**answer, "backdated": is_below_zero(account)}


def answer_of(
    account: Account, market: Market, prices: dict[str, MarkedPrice], position: int, as_of: dict[str, Any] | None
) -> dict[str, Any]:
    """An account as an answer, valued at these prices."""
    buckets = {pair: bucket_of(account.wallets, pair) for pair in _pairs_with_a_bucket(account)}
    margin_wallets = [account.wallets.cross, *buckets.values()]
    return {
        "account_id": account.id,
        "version": account.version,
        "position": position,
        "as_of": as_of,
        "status": account.status,
        "blocks": sorted(account.blocks),
        "spot": _assets(account.wallets.spot, owes=False),
        "cross": _cross(account, market),
        "isolated": {pair: _bucket(account, bucket, market) for pair, bucket in buckets.items()},
        "margin_modes": dict(sorted(account.modes.items())),
        "positions": list(_positions(margin_wallets, market)),
        "prices": _prices_used(margin_wallets, market, prices),
    }


def _pairs_with_a_bucket(account: Account) -> list[str]:
    """The pairs whose bucket was ever used, is isolated now, or has a leverage of its own."""
    isolated = {pair for pair, mode in account.modes.items() if mode is MarginMode.ISOLATED}
    with_leverage = {pair for pair in map(pair_of, account.leverages) if pair is not None}
    return sorted({*account.wallets.isolated, *isolated, *with_leverage})


def _assets(wallet: Wallet, *, owes: bool = True) -> dict[str, dict[str, str]]:
    return {asset: balance_figures(balance, owes=owes) for asset, balance in sorted(wallet.balances.items())}


def _cross(account: Account, market: Market) -> dict[str, Any]:
    wallet = account.wallets.cross
    leverage = leverage_of(account, wallet.name, market)
    margin = margin_at_last_prices(wallet, market, leverage)
    return {
        "assets": _assets(wallet),
        **sums(margin),
        "margin_level": level(margin),
        "collateral_margin_level": collateral_level(margin),
        "debt_ratio": None if margin is None else debt_ratio_figure(margin.valuation.debt_ratio),
        "band": band(margin),
        "lines": line_figures(Margin(wallet, {}, market.limits_of(CROSS), leverage, None).lines),
        "max_leverage": plain(leverage),
        "liquidation_prices": dict(_reference_prices(wallet, margin, market)),
        "lacking_prices": lacking_prices(wallet, market),
    }


def _reference_prices(wallet: Wallet, margin: Margin | None, market: Market) -> Iterable[tuple[str, str | None]]:
    """For every asset of the pool but the valuation asset, the price at which the pool would be liquidated."""
    for asset in sorted(wallet.balances):
        pair = valuation_pair(asset)
        if asset != VALUATION_ASSET and pair in market.pairs:
            scale = market.pair(pair).price_scale
            yield pair, _written(None if margin is None else reference_liquidation_price(margin, asset, scale))


def _written(price: Decimal | None) -> str | None:
    """A price with all the decimals of its scale."""
    return None if price is None else f"{price:f}"


def _bucket(account: Account, bucket: Wallet, market: Market) -> dict[str, Any]:
    leverage = leverage_of(account, bucket.name, market)
    margin = margin_at_last_prices(bucket, market, leverage)
    # Neither the tier nor the liquidation price of a bucket needs a price.
    unvalued = Margin(bucket, {}, market.limits_of(pair_of(bucket.name) or ""), leverage, None)
    scale = market.pair(pair_of(bucket.name) or "").price_scale
    return {
        "assets": _assets(bucket),
        **sums(margin),
        "margin_level": level(margin),
        "band": band(margin),
        "tier": unvalued.lines.tier,
        "lines": line_figures(unvalued.lines),
        "max_leverage": plain(leverage),
        "liquidation_price": _written(liquidation_price(unvalued, scale)),
        "lacking_prices": lacking_prices(bucket, market),
    }


def _positions(wallets: Iterable[Wallet], market: Market) -> Iterable[dict[str, Any]]:
    """The positions that are open: their value is above dust at the prices last marked."""
    for wallet in wallets:
        for pair, position in sorted(wallet.positions.items()):
            if is_position_open(wallet, pair, market):
                yield {"pair": pair, "wallet": wallet.name, **_position(pair, position, market)}


def _position(pair: str, position: Position, market: Market) -> dict[str, Any]:
    """Entry price at 8 decimals and profits at the quote asset's scale, half to even."""
    scale = market.asset(quote_of(pair)).scale
    price = _price_of(pair, market)
    cost, quantity = Fraction(position.cost), Fraction(position.quantity)
    return {
        "quantity": plain(position.quantity),
        "entry_price": rounded(cost / quantity, ENTRY_PRICE_SCALE),
        "realised_profit": rounded(Fraction(position.realised_profit), scale),
        "unrealised_profit": None if price is None else rounded(quantity * price - cost, scale),
    }


def _price_of(pair: str, market: Market) -> Fraction | None:
    """The price of a pair in its quote asset, as the quotient of both assets' prices; None where one is lacking."""
    base, quote = base_of(pair), quote_of(pair)
    try:
        prices = market.last_prices([base, quote]).of
    except PriceStale:
        return None
    return Fraction(prices[base]) / Fraction(prices[quote])


def _prices_used(
    wallets: Iterable[Wallet], market: Market, prices: dict[str, MarkedPrice]
) -> dict[str, dict[str, Any]]:
    """The prices that value the wallets and their open positions, with the position that marked each."""
    assets: set[str] = set()
    for wallet in wallets:
        opened = [pair for pair in wallet.positions if is_position_open(wallet, pair, market)]
        assets.update(valued_assets(wallet), map(base_of, opened), map(quote_of, opened))
    used = {valuation_pair(asset) for asset in assets} & prices.keys()
    return {pair: _price(prices[pair]) for pair in sorted(used)}


def _price(marked: MarkedPrice) -> dict[str, Any]:
    return {"price": plain(marked.price), "position": marked.position, "effective_at": marked.effective_at}
