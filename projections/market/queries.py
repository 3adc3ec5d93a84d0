"""The exchange's settings and prices at a position: as one Market, as history, and by business time."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg.rows import class_row

from ledger.events import AssetLimitsSet, AssetListed, MarkPrice, PairListed, RiskLimitsSet, read_event
from ledger.log import RecordedEvent
from ledger.market import Market
from projections.market.held_queries import last_held, with_held
from projections.market.settings import settings_at
from projections.projector import Connection
from projections.rows import rows_of


class MarkedPrice(NamedTuple):
    """A price of a pair, with the log position and the version of the @prices stream that marked it."""

    pair: str
    price: Decimal
    position: int
    version: int
    effective_at: datetime

    @property
    def mark(self) -> MarkPrice:
        """The price as decisions read it."""
        return MarkPrice(price=self.price, effective_at=self.effective_at, version=self.version)


PRICE_COLUMNS = "price.pair, price.price, price.position, price.version, price.effective_at"
VALUING_TOPICS = [kind.TOPIC for kind in (AssetListed, AssetLimitsSet, PairListed, RiskLimitsSet)]


def market_at(connection: Connection, position: int, effective_at: datetime | None = None) -> Market:
    """The market as decisions at a position saw it; as of a business time with the prices known then that are dated so.

    Listings, limits and rates are those known at the position, whenever they are dated.
    """
    return market_and_prices(connection, position, effective_at)[0]


def market_and_prices(
    connection: Connection, position: int, effective_at: datetime | None = None
) -> tuple[Market, dict[str, MarkedPrice]]:
    """The same, and its prices with the positions that marked them."""
    market = settings_at(connection, position)
    pairs = sorted(market.pairs)
    if effective_at is None:
        prices = prices_at(connection, position, pairs)
    else:
        prices = prices_as_of_effective(connection, position, effective_at, pairs)
    return with_held(with_prices(market, prices), last_held(connection, position), effective_at), prices


def with_prices(market: Market, prices: dict[str, MarkedPrice]) -> Market:
    """The market with these prices as its last."""
    market.prices = {pair: price.mark for pair, price in prices.items()}
    market.prices_version = max((price.version for price in prices.values()), default=0)
    market.newest_prices_at = max((price.effective_at for price in prices.values()), default=None)
    return market


def prices_at(connection: Connection, position: int, pairs: Sequence[str] | None = None) -> dict[str, MarkedPrice]:
    """The price last marked at a position of every pair that has one; of `pairs`, where they are named."""
    return _last_prices(
        connection,
        "market_prices.position <= %(position)s order by market_prices.position desc",
        {"position": position, "pairs": _pairs(connection, position, pairs)},
    )


def newest_prices_at(connection: Connection, position: int, effective_at: datetime | None = None) -> datetime | None:
    """The business time of the newest price known at a position, of those dated up to `effective_at`; None: none is.

    What the ledger does by itself is dated so, and what waits for it is judged by that time.
    """
    if effective_at is None:
        prices = prices_at(connection, position)
    else:
        prices = prices_as_of_effective(connection, position, effective_at)
    return max((price.effective_at for price in prices.values()), default=None)


def prices_as_of_effective(
    connection: Connection, position: int, effective_at: datetime, pairs: Sequence[str] | None = None
) -> dict[str, MarkedPrice]:
    """The newest price of every pair dated up to a business time, of those known at the position.

    A vector is refused for a pair that has a later price: no price of a position is dated after the last one there.
    """
    return _last_prices(
        connection,
        "market_prices.position <= %(position)s and market_prices.effective_at <= least(%(effective_at)s, ("
        "select effective_at from market_prices as last where last.pair = listed.pair and last.position <= %(position)s"
        " order by last.position desc limit 1)) order by market_prices.effective_at desc, market_prices.position desc",
        {"position": position, "effective_at": effective_at, "pairs": _pairs(connection, position, pairs)},
    )


def _pairs(connection: Connection, position: int, pairs: Sequence[str] | None) -> list[str]:
    return sorted(settings_at(connection, position).pairs) if pairs is None else list(pairs)


def _last_prices(connection: Connection, which: str, values: dict[str, Any]) -> dict[str, MarkedPrice]:
    """One descent of an index for each pair."""
    newest = f"select * from market_prices where pair = listed.pair and {which} limit 1"
    with connection.cursor(row_factory=class_row(MarkedPrice)) as cursor:
        cursor.execute(
            f"select {PRICE_COLUMNS} from unnest(%(pairs)s::text[]) as listed (pair)"
            f" cross join lateral ({newest}) as price order by price.pair",
            values,
        )
        return {price.pair: price for price in cursor}


def prices_at_each(connection: Connection, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], MarkPrice]:
    """The price last marked of each (pair, position) that has one, by one query over all of them."""
    pairs, positions = [pair for pair, _ in wanted], [position for _, position in wanted]
    newest = "position <= wanted.point order by position desc"
    return _prices_of_each(connection, "bigint", newest, {"pairs": pairs, "points": positions})


def prices_as_of_each(
    connection: Connection, position_limit: int, wanted: Sequence[tuple[str, datetime]]
) -> dict[tuple[str, datetime], MarkPrice]:
    """The newest price of each (pair, business time), of those dated up to it and known at the position."""
    pairs, times = [pair for pair, _ in wanted], [at for _, at in wanted]
    newest = "position <= %(limit)s and effective_at <= wanted.point order by effective_at desc, position desc"
    asked = {"pairs": pairs, "points": times, "limit": position_limit}
    return _prices_of_each(connection, "timestamptz", newest, asked)


def _prices_of_each(connection: Connection, kind: str, newest: str, asked: dict[str, Any]) -> dict[Any, MarkPrice]:
    rows = connection.execute(
        f"""
        select wanted.pair, wanted.point, price.price, price.effective_at, price.version
        from unnest(%(pairs)s::text[], %(points)s::{kind}[]) as wanted (pair, point)
        cross join lateral (select * from market_prices where pair = wanted.pair and {newest} limit 1) as price
        """,
        asked,
    )
    return {
        (pair, point): MarkPrice(price=price, effective_at=at, version=version)
        for pair, point, price, at, version in rows
    }


def price_history(
    connection: Connection,
    position: int,
    pair: str,
    *,
    effective_from: datetime | None = None,
    effective_to: datetime | None = None,
    after: int = 0,
    limit: int = 1000,
) -> list[dict[str, Any]]:
    """The prices of a pair in log order up to a position, after the position `after`; the times are inclusive."""
    return rows_of(
        connection,
        "select pair, price, position, version, effective_at, recorded_at, source from market_prices"
        " where pair = %s and position <= %s and position > %s"
        " and (%s::timestamptz is null or effective_at >= %s) and (%s::timestamptz is null or effective_at <= %s)"
        " order by position limit %s",
        [pair, position, after, effective_from, effective_from, effective_to, effective_to, limit],
    )


def valuing_settings(connection: Connection, after: int, until: int) -> list[RecordedEvent]:
    """The listings and limits set after one position up to another: all that wallets are valued by beside prices."""
    rows = connection.execute(
        "select position, recorded_at, topic, content::text from market_settings"
        " where position > %s and position <= %s and topic = any(%s) order by position",
        [after, until, VALUING_TOPICS],
    )
    return [RecordedEvent(position, at, read_event(topic, content.encode())) for position, at, topic, content in rows]


def prices_between(
    connection: Connection, pairs: Sequence[str], after: int, until: int, most: int
) -> list[MarkedPrice]:
    """The prices of some pairs marked after one position up to another in log order: of each pair the last `most`."""
    with connection.cursor(row_factory=class_row(MarkedPrice)) as cursor:
        cursor.execute(
            f"""
            select {PRICE_COLUMNS} from unnest(%s::text[]) as listed (pair)
            cross join lateral (
                select * from market_prices where pair = listed.pair and position > %s and position <= %s
                order by position desc limit %s
            ) as price order by price.position, price.pair
            """,
            [list(pairs), after, until, most],
        )
        return cursor.fetchall()


def settings_history(
    connection: Connection,
    position: int,
    scope: str,
    *,
    after: int = 0,
    limit: int = 1000,
    effective_at: datetime | None = None,
) -> list[dict[str, Any]]:
    """Every setting of an asset, a pair or `cross` in log order up to a position: listing, limits, rates, status."""
    return rows_of(
        connection,
        "select position, version, topic, scope, content, effective_at, recorded_at from market_settings"
        " where scope = %s and position <= %s and position > %s and (%s::timestamptz is null or effective_at <= %s)"
        " order by position limit %s",
        [scope, position, after, effective_at, effective_at, limit],
    )
