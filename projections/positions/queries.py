"""The positions of margin wallets as of a log position."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from ledger.postgres import Connection
from projections.rows import rows_of

POSITIONS = """
select known.account_id, known.wallet, known.pair, state.quantity, state.cost, state.realised_profit, state.position
from positions as known
cross join lateral (
    select quantity, cost, realised_profit, position
    from position_states
    where account_id = known.account_id and wallet = known.wallet and pair = known.pair and position <= %(position)s
    order by position desc
    limit 1
) as state
where known.account_id = %(account_id)s
order by known.wallet, known.pair
"""


def positions(connection: Connection, position: int, account_id: str) -> list[dict[str, Any]]:
    """Each wallet and pair that an account ever had a position in: quantity, cost, realised_profit, and since when.

    Whether a position counts as open depends on prices and on the pair's dust; one that is closed has quantity 0.
    """
    return rows_of(connection, POSITIONS, {"position": position, "account_id": account_id})


class Openness(NamedTuple):
    """When positions of a pair count as open: above a value of dust in its buckets and in the cross pool.

    `price` is that of the base asset in the valuation asset; None: whatever is not flat is open.
    """

    pair: str
    price: Decimal | None
    dust: Decimal
    cross_dust: Decimal


OPEN_INTEREST = """
with held as (
    select account_id, wallet, pair, quantity from positions where position <= %(position)s and quantity <> 0
    union all
    select past.account_id, past.wallet, past.pair, past.quantity
    from positions as known cross join lateral (
        select account_id, wallet, pair, quantity from position_states as state
        where (state.account_id, state.wallet, state.pair) = (known.account_id, known.wallet, known.pair)
        and state.position <= %(position)s order by state.position desc limit 1
    ) as past
    where known.position > %(position)s and past.quantity <> 0
)
select pair, quantity > 0 as is_long, count(*) as positions, sum(abs(quantity)) as quantity
from held join unnest(%(pairs)s::text[], %(prices)s::numeric[], %(dusts)s::numeric[], %(cross_dusts)s::numeric[])
    as listed (pair, price, dust, cross_dust) using (pair)
where account_id <> all(%(without)s)
and coalesce(abs(quantity) * price > case wallet when 'cross' then cross_dust else dust end, true)
group by pair, is_long order by pair, is_long desc
"""


def open_interest(
    connection: Connection, position: int, pairs: Iterable[Openness], without: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """By pair and direction how many positions are open at a log position, and their quantity of the base together.

    The accounts `without` are left out.
    """
    columns = [list(column) for column in zip(*pairs, strict=True)] or [[], [], [], []]
    asked = dict(zip(("pairs", "prices", "dusts", "cross_dusts"), columns, strict=True))
    return rows_of(connection, OPEN_INTEREST, {**asked, "position": position, "without": list(without)})
