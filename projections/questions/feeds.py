"""The feeds of prices: how old each pair's last mark is, by the newest vector and by the clock, and what is held."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ledger.market import Market
from projections.market.held_queries import HeldRow, last_held, still_held
from projections.market.queries import market_at
from projections.projector import Connection

READS = ("market",)
"""The projections that feeds are read from."""


class Feed(NamedTuple):
    """A pair's last mark: its age by the clock, how far it is behind the newest vector, and how old it may be.

    `is_stale`: decisions dated now are refused for it. `is_behind`: so is what the ledger does by itself, dated with
    the newest vector.
    """

    pair: str
    effective_at: datetime
    age_seconds: float
    behind_seconds: float
    max_age_seconds: int
    is_stale: bool
    is_behind: bool
    held: Sequence[HeldRow]


def feeds(connection: Connection, position: int, now: datetime) -> list[Feed]:
    """Every pair that was marked, in order of its name."""
    market = market_at(connection, position)
    held = still_held(last_held(connection, position), market.prices)
    return [_feed(market, pair, now, [row for row in held if row.pair == pair]) for pair in sorted(market.prices)]


def _feed(market: Market, pair: str, now: datetime, held: Sequence[HeldRow]) -> Feed:
    marked_at = market.prices[pair].effective_at
    newest = market.newest_prices_at or marked_at
    age, behind = (max(0.0, (later - marked_at).total_seconds()) for later in (now, newest))
    verdicts = market.is_stale(pair, now), market.is_stale(pair)
    return Feed(pair, marked_at, age, behind, market.max_age_of(pair), *verdicts, held)


def feeds_answer(found: Sequence[Feed], most: int) -> dict[str, Any]:
    """What /health tells of them, of the stale ones at most so many: names and times, no price."""
    stale = [feed for feed in found if feed.is_stale]
    held = [row for feed in found for row in feed.held]
    return {
        "newest_prices_at": max((feed.effective_at for feed in found), default=None),
        "stale_prices": len(stale),
        "stale": [_stale(feed) for feed in stale[:most]],
        "held_prices": len(held),
        "held": [{"pair": row.pair, "source": row.source, "effective_at": row.effective_at} for row in held[:most]],
    }


def _stale(feed: Feed) -> dict[str, Any]:
    return {
        "pair": feed.pair,
        "effective_at": feed.effective_at,
        "age_seconds": round(feed.age_seconds, 3),
        "behind_seconds": round(feed.behind_seconds, 3),
        "max_age_seconds": feed.max_age_seconds,
    }
