"""The market as an answer: listings, limits, rates and prices at a position."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ledger.events import HeldPrice
from ledger.market import AssetListing, Market, PairListing, RiskLimits
from ledger.money import VALUATION_ASSET, plain
from ledger.tiers import CollateralTier, RiskTier
from ledger.words import AssetUse
from projections.market.held_queries import HeldRow, last_held, still_held
from projections.market.queries import MarkedPrice, market_and_prices
from projections.projector import Connection


def market_answer(connection: Connection, position: int, effective_at: datetime | None = None) -> dict[str, Any]:
    """What GET /v1/market answers; as of a business time the prices are those of then."""
    market, prices = market_and_prices(connection, position, effective_at)
    return {
        "position": position,
        "version": market.version,
        "prices_version": market.prices_version,
        "valuation_asset": VALUATION_ASSET,
        "assets": {symbol: _asset(listing) for symbol, listing in sorted(market.assets.items())},
        "pairs": {name: _pair(listing, market) for name, listing in sorted(market.pairs.items())},
        "cross": _limits(market.limits_of("cross")),
        "prices": {pair: _price(price, market) for pair, price in prices.items()},
        "held_prices": held_answer(still_held(last_held(connection, position), market.prices, effective_at)),
        "prices_effective_at": market.newest_prices_at,
    }


def _asset(listing: AssetListing) -> dict[str, Any]:
    rates = listing.rates
    return {
        "scale": listing.scale,
        "listed_daily_interest_rate": plain(rates.listed),
        "daily_interest_rates": [
            {"effective_at": since, "daily_rate": plain(rate)}
            for since, rate in zip(rates.since, rates.rates, strict=True)
        ],
        "borrow_limit": None if listing.borrow_limit is None else plain(listing.borrow_limit),
        "collateral_tiers": [_collateral_tier(tier) for tier in listing.collateral_tiers],
        "enabled": [use for use in AssetUse if use in listing.enabled],
    }


def _collateral_tier(tier: CollateralTier) -> dict[str, Any]:
    return {"up_to": None if tier.up_to is None else plain(tier.up_to), "ratio": plain(tier.ratio)}


def _pair(listing: PairListing, market: Market) -> dict[str, Any]:
    return {
        "price_scale": listing.price_scale,
        "max_leverage": plain(listing.max_leverage),
        "status": listing.status,
        "risk_limits": _limits(market.limits_of(listing.pair)),
    }


def _limits(limits: RiskLimits) -> dict[str, Any]:
    return {
        "tiers": [_risk_tier(tier) for tier in limits.tiers],
        "price_max_age_seconds": limits.price_max_age_seconds,
        "liquidation_fee": plain(limits.liquidation_fee),
        "dust": plain(limits.dust),
        "price_jump_limit": None if limits.price_jump_limit is None else plain(limits.price_jump_limit),
        "liquidation_target": None if limits.liquidation_target is None else plain(limits.liquidation_target),
        "liquidation_execution": limits.liquidation_execution,
        "execution_time_limit_seconds": limits.execution_time_limit_seconds,
    }


def _risk_tier(tier: RiskTier) -> dict[str, Any]:
    return {
        name: None if value is None else plain(value)
        for name, value in ((name, getattr(tier, name)) for name in RiskTier.model_fields)
    }


def _price(price: MarkedPrice, market: Market) -> dict[str, Any]:
    return {
        "price": plain(price.price),
        "position": price.position,
        "version": price.version,
        "effective_at": price.effective_at,
        "stale": market.is_stale(price.pair),
    }


def held_answer(rows: Iterable[HeldRow]) -> dict[str, list[dict[str, Any]]]:
    """What is held, by pair, with all that explains it; nothing is valued by it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pair, []).append(_held(row, row.price))
    return found


def _held(row: HeldRow, held: HeldPrice) -> dict[str, Any]:
    return {
        "price": plain(held.price),
        "source": held.source,
        "position": row.position,
        "version": held.version,
        "effective_at": held.effective_at,
        "last_price": plain(held.last.price),
        "last_effective_at": held.last.effective_at,
        "price_jump_limit": plain(held.price_jump_limit),
    }
