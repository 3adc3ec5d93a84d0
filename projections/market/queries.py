"""The exchange's settings and prices at a position: as one Market, as history, and by business time."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg.rows import class_row, dict_row

from ledger.events import MarkPrice, read_event
from ledger.exchange import evolve
from ledger.market import Market
from projections.projector import Connection


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
LISTED_PAIRS = "(select scope from market_settings where topic = 'pair.listed' and position <= %(position)s) as listed"


def market_at(connection: Connection, position: int) -> Market:
    """The market as decisions at a position saw it."""
    market = Market()
    rows = connection.execute(
        "select topic, content::text from market_settings where position <= %s order by position", [position]
    )
    for topic, content in rows:
        evolve(market, read_event(topic, content.encode()))  # type: ignore[arg-type]
    return with_prices(market, prices_at(connection, position))


def with_prices(market: Market, prices: dict[str, MarkedPrice]) -> Market:
    """The market with these prices as its last."""
    market.prices = {pair: price.mark for pair, price in prices.items()}
    market.prices_version = max((price.version for price in prices.values()), default=0)
    market.newest_prices_at = max((price.effective_at for price in prices.values()), default=None)
    return market


def prices_at(connection: Connection, position: int) -> dict[str, MarkedPrice]:
    """The price last marked of every pair that has one, at a position."""
    return _last_prices(
        connection,
        "market_prices.position <= %(position)s order by market_prices.position desc",
        {"position": position},
    )


def prices_as_of_effective(
    connection: Connection, position_limit: int, effective_at: datetime
) -> dict[str, MarkedPrice]:
    """The newest price of every pair dated up to a business time, of those known at the position."""
    return _last_prices(
        connection,
        "market_prices.position <= %(position)s and market_prices.effective_at <= %(effective_at)s"
        " order by market_prices.effective_at desc, market_prices.position desc",
        {"position": position_limit, "effective_at": effective_at},
    )


def _last_prices(connection: Connection, which: str, values: dict[str, Any]) -> dict[str, MarkedPrice]:
    """One descent of an index for each listed pair."""
    newest = f"select * from market_prices where pair = listed.scope and {which} limit 1"
    with connection.cursor(row_factory=class_row(MarkedPrice)) as cursor:
        cursor.execute(
            f"select {PRICE_COLUMNS} from {LISTED_PAIRS} cross join lateral ({newest}) as price order by price.pair",
            values,
        )
        return {price.pair: price for price in cursor}


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
    return _rows(
        connection,
        "select pair, price, position, version, effective_at, recorded_at, source from market_prices"
        " where pair = %s and position <= %s and position > %s"
        " and (%s::timestamptz is null or effective_at >= %s) and (%s::timestamptz is null or effective_at <= %s)"
        " order by position limit %s",
        [pair, position, after, effective_from, effective_from, effective_to, effective_to, limit],
    )


def settings_history(
    connection: Connection, position: int, scope: str, *, after: int = 0, limit: int = 1000
) -> list[dict[str, Any]]:
    """Every setting of an asset, a pair or `cross` in log order up to a position: listing, limits, rates, status."""
    return _rows(
        connection,
        "select position, version, topic, scope, content, effective_at, recorded_at from market_settings"
        " where scope = %s and position <= %s and position > %s order by position limit %s",
        [scope, position, after, limit],
    )


def _rows(connection: Connection, statement: str, values: list[Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
