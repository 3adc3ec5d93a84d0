"""What an account has and owes, and how its margin stands, folded from its events alone."""

from typing import Any

from ledger.account import Account, leverage_of
from ledger.errors import PriceStale, Unknown
from ledger.margin import liquidation_price, margin_of, show_level, valued_assets
from ledger.market import Market
from ledger.money import plain
from ledger.wallets import Wallet
from ledger.words import SPOT, pair_of


def standing_of(account: Account, market: Market) -> dict[str, Any]:
    """The account as JSON: every wallet with its balances, levels at the prices last marked, positions and settings."""
    return {
        "account_id": account.id,
        "version": account.version,
        "status": account.status.value,
        "blocks": sorted(account.blocks),
        "wallets": {wallet.name: _wallet(account, market, wallet) for wallet in account.wallets.all()},
        "positions": [
            {
                "pair": pair,
                "wallet": wallet.name,
                "quantity": plain(position.quantity),
                "cost": plain(position.cost),
                "realised_profit": plain(position.realised_profit),
            }
            for wallet in account.wallets.all()
            for pair, position in sorted(wallet.positions.items())
            if position.quantity or position.realised_profit
        ],
        "margin_modes": {pair: mode.value for pair, mode in sorted(account.modes.items())},
        "leverages": {wallet: plain(leverage) for wallet, leverage in sorted(account.leverages.items())},
        "holds": {
            hold_id: {"wallet": hold.wallet, "asset": hold.asset, "amount": plain(hold.amount)}
            for hold_id, hold in sorted(account.holds.items())
        },
        "backdated": _is_backdated(account),
    }


def _wallet(account: Account, market: Market, wallet: Wallet) -> dict[str, Any]:
    assets = {
        asset: {
            "free": plain(balance.free),
            "locked": plain(balance.locked),
            "borrowed": plain(balance.borrowed),
            "interest": plain(balance.interest),
            "net": plain(balance.net),
        }
        for asset, balance in sorted(wallet.balances.items())
    }
    if wallet.name == SPOT or _is_backdated(account):
        return {"assets": assets}
    return {"assets": assets, **_levels(account, market, wallet)}


def _levels(account: Account, market: Market, wallet: Wallet) -> dict[str, Any]:
    """How a margin wallet stands at the prices last marked; which price is missing where one is."""
    try:
        prices = market.last_prices(valued_assets(wallet))
        margin = margin_of(wallet, prices.of, market, leverage_of(account, wallet.name, market))
    except (PriceStale, Unknown) as missing:
        return {"unpriced": missing.detail}
    valuation, pair = margin.valuation, pair_of(wallet.name)
    found = {
        "total_assets": plain(valuation.assets),
        "total_debt": plain(valuation.debt),
        "equity": plain(valuation.equity),
        "margin_level": show_level(valuation.level),
        "band": margin.band.value,
        "max_leverage": plain(margin.leverage),
    }
    if pair is None:
        return {**found, "collateral_margin_level": show_level(valuation.collateral_level)}
    price = liquidation_price(margin, market.pair(pair).price_scale)
    return {**found, "tier": margin.lines.tier, "liquidation_price": None if price is None else plain(price)}


def _is_backdated(account: Account) -> bool:
    return any(min(balance) < 0 for wallet in account.wallets.all() for balance in wallet.balances.values())
