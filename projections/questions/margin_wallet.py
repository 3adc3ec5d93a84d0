"""A margin wallet judged at the prices last marked: its sums, levels and band, as far as prices are known."""

from decimal import Decimal

from ledger.errors import PriceStale
from ledger.margin import Margin, margin_of, valued_assets
from ledger.market import Market
from ledger.money import plain
from ledger.wallets import Wallet
from ledger.words import CROSS, pair_of
from projections.questions.figures import level_figure

UNPRICED = "unpriced"
"""The band of a wallet that lacks a price."""


def margin_at_last_prices(wallet: Wallet, market: Market, leverage: Decimal) -> Margin | None:
    """The wallet at the prices last marked, however old; None where one it needs was never marked."""
    try:
        return margin_of(wallet, market.last_prices(valued_assets(wallet)).of, market, leverage)
    except PriceStale:
        return None


def margin_at_fresh_prices(wallet: Wallet, market: Market, leverage: Decimal) -> Margin | None:
    """The wallet as an examination at the newest price vector's time would see it; None where a price is not fresh."""
    assets, at = valued_assets(wallet), market.newest_prices_at
    try:
        prices = market.last_prices(assets) if at is None else market.fresh_prices(assets, scope_of(wallet), at)
    except PriceStale:
        return None
    return margin_of(wallet, prices.of, market, leverage)


def scope_of(wallet: Wallet) -> str:
    """Whose risk limits judge a wallet: `cross` or its pair."""
    return pair_of(wallet.name) or CROSS


def sums(margin: Margin | None) -> dict[str, str | None]:
    """Assets, debt and equity in the valuation asset; None where a price is lacking."""
    if margin is None:
        return {"total_assets": None, "total_debt": None, "equity": None}
    valuation = margin.valuation
    return {
        "total_assets": plain(valuation.assets),
        "total_debt": plain(valuation.debt),
        "equity": plain(valuation.equity),
    }


def level(margin: Margin | None) -> str | None:
    """ML = A / D."""
    return None if margin is None else level_figure(margin.valuation.level)


def collateral_level(margin: Margin | None) -> str | None:
    """CML = C / D."""
    return None if margin is None else level_figure(margin.valuation.collateral_level)


def band(margin: Margin | None) -> str:
    """The wallet's band; `unpriced` where a price is lacking."""
    if margin is None:
        return UNPRICED
    return str(margin.band) if margin.valuation.debt >= 0 else "normal"


def lacking_prices(wallet: Wallet, market: Market) -> list[str]:
    """The assets of a wallet whose price is not fresh at the newest price vector's time."""
    lacking = []
    for asset in valued_assets(wallet):
        try:
            if market.newest_prices_at is None:
                market.last_prices([asset])
            else:
                market.fresh_prices([asset], scope_of(wallet), market.newest_prices_at)
        except PriceStale:
            lacking.append(asset)
    return lacking
