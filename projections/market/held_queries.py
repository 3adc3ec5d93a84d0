"""Prices that are held at a position: of each pair and source the last one, unless it was rejected or marked past."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from ledger.events import HeldPrice, MarkPrice
from ledger.market import Market
from projections.projector import Connection


class HeldRow(NamedTuple):
    """What was last recorded of a held price: that it is held, or that it was rejected."""

    pair: str
    source: str
    position: int
    version: int
    effective_at: datetime
    is_rejected: bool
    held: str

    @property
    def price(self) -> HeldPrice:
        """The price as its event has it."""
        return HeldPrice.model_validate_json(self.held)

    def is_ended_by(self, mark: MarkPrice | None) -> bool:
        """Whether it waits no more beside the pair's last mark, which ends what was held before it up to its time."""
        marked_past = mark is not None and mark.version > self.version and mark.effective_at >= self.effective_at
        return self.is_rejected or marked_past


# From each pair and source straight to the next one, so that many prices held of one cost no more than one.
LAST_HELD = """
with recursive listed (pair, source) as (
    (select pair, source from market_held_prices order by pair, source limit 1)
    union all
    select next.pair, next.source from listed cross join lateral (
        select pair, source from market_held_prices as later
        where (later.pair, later.source) > (listed.pair, listed.source) order by later.pair, later.source limit 1
    ) as next
)
select last.pair, last.source, last.position, last.version, last.effective_at, last.is_rejected, last.held::text as held
from listed cross join lateral (
    select * from market_held_prices as held
    where held.pair = listed.pair and held.source = listed.source and held.position <= %s
    order by held.position desc limit 1
) as last order by last.pair, last.version, last.source
"""


def last_held(connection: Connection, position: int) -> list[HeldRow]:
    """The last row of each pair and source at a position, those that ended included, in order of pair and version."""
    with connection.cursor(row_factory=class_row(HeldRow)) as cursor:
        return cursor.execute(LAST_HELD, [position]).fetchall()


def still_held(
    rows: Iterable[HeldRow], marks: Mapping[str, MarkPrice], effective_at: datetime | None = None
) -> list[HeldRow]:
    """Of these rows those that wait beside these marks; as of a business time what is dated up to it."""
    return [
        row
        for row in rows
        if (effective_at is None or row.effective_at <= effective_at) and not row.is_ended_by(marks.get(row.pair))
    ]


def with_held(market: Market, rows: Sequence[HeldRow], effective_at: datetime | None = None) -> Market:
    """The market, its prices being there, with what of these rows is held beside them."""
    held: dict[str, dict[str, HeldPrice]] = {}
    for row in still_held(rows, market.prices, effective_at):
        held.setdefault(row.pair, {})[row.source] = row.price
    market.held_prices = held
    if effective_at is None:
        market.prices_version = max([market.prices_version, *(row.version for row in rows)])
    return market
