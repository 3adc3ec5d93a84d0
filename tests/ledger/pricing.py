"""Prices told to a market with a bound: what is marked, held, confirmed, rejected, and what counts then."""

from datetime import datetime, timedelta
from typing import Any

from ledger import exchange
from ledger.market import Market
from tests.ledger.given import NOON, events_on_exchange, market_after
from tests.ledger.happenings import risk_limits, the_market, tier

ROW = tier("10", "1.111", "1.09", "1.05")


def second(count: float) -> datetime:
    """So many seconds after noon, when all prices were marked."""
    return NOON + timedelta(seconds=count)


def bounded(limit: str | None = "0.2", age_seconds: int = 60) -> Market:
    """The market, where BTC/USDT was marked at 50,000 and may move by a fifth at once."""
    return market_after(the_market(), risk_limits("BTC/USDT", ROW, jump=limit, age_seconds=age_seconds))


def told(market: Market, **content: Any) -> list[Any]:
    """The events of a command a good while later, which the market then takes."""
    events = events_on_exchange(market, at=second(86_400), **content)
    for event in events:
        exchange.evolve(market, event)
    return events


def mark(market: Market, at: datetime, source: str = "a", **prices: str) -> list[Any]:
    """What comes of marking prices by the base asset's name."""
    named = {f"{base}/USDT": price for base, price in prices.items()}
    return told(market, type="mark_prices", prices=named, source=source, effective_at=at.isoformat())


def confirm(market: Market, price: str, **fields: Any) -> list[Any]:
    return told(market, type="confirm_price", pair="BTC/USDT", price=price, reason="seen elsewhere", **fields)


def reject(market: Market, **fields: Any) -> list[Any]:
    return told(market, type="reject_price", pair="BTC/USDT", reason="a slip", **fields)


def price_of(market: Market, pair: str = "BTC/USDT") -> tuple[str, datetime]:
    """The price that counts, and its time."""
    there = market.prices[pair]
    return f"{there.price:f}", there.effective_at


def held_of(market: Market, pair: str = "BTC/USDT") -> dict[str, str]:
    """What is held of a pair, by source."""
    return {source: f"{one.price:f}" for source, one in market.held_prices.get(pair, {}).items()}


FIRST = ("50000", NOON)
