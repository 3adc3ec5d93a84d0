"""The exchange's settings folded into a Market, kept in memory: at a position of the log they never change again."""

from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from ledger.events import read_event
from ledger.exchange import evolve
from ledger.market import Market
from projections.projector import Connection

KEPT_MARKETS = 64
LAST_SETTING = """
select position, version, recorded_at, md5(content::text) from market_settings
where position <= %s order by position desc limit 1
"""
SETTINGS = "select topic, content::text from market_settings where position <= %s order by position"


class _Key(NamedTuple):
    """The last setting of a market, of one database's log: with other content there it is another log."""

    database: tuple[str, int, str]
    position: int
    version: int
    recorded_at: datetime
    checksum: str


_markets: OrderedDict[_Key, Market] = OrderedDict()
_lock = Lock()


def settings_at(connection: Connection, position: int) -> Market:
    """The listings, limits and rates at a position, without prices; the caller may put others in their place."""
    last = connection.execute(LAST_SETTING, [position]).fetchone()
    if last is None:
        return Market()
    about = connection.info
    key = _Key((about.host, about.port, about.dbname), *last)
    with _lock:
        market = _markets.get(key)
        if market is not None:
            _markets.move_to_end(key)
    if market is None:
        market = _folded(connection, key.position)
        with _lock:
            _markets[key] = market
            while len(_markets) > KEPT_MARKETS:
                _markets.popitem(last=False)
    # Who walks through the past goes on to set what it finds.
    return market.copy()


def _folded(connection: Connection, position: int) -> Market:
    market = Market()
    for topic, content in connection.execute(SETTINGS, [position]):
        evolve(market, read_event(topic, content.encode()))  # type: ignore[arg-type]
    return market
