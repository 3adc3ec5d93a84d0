"""What every account has and owes of each asset as of a position, over all its wallets, and nothing netted."""

from collections.abc import Iterator
from decimal import Decimal

from ledger.postgres import Connection

ROWS_AT_ONCE = 5_000
# Rows that did not change since the position are read as they are; each of the others by one descent into its states.
GROSS = b"""
select account_id, asset, sum(free + locked), sum(borrowed + interest), min(least(free, locked, borrowed, interest))
from (
    select account_id, asset, free, locked, borrowed, interest from balances where position <= %(position)s
    union all
    select past.* from balances as known cross join lateral (
        select account_id, asset, free, locked, borrowed, interest from balance_states
        where account_id = known.account_id and wallet = known.wallet and asset = known.asset
        and position <= %(position)s order by position desc limit 1
    ) as past
    where known.position > %(position)s
) as standing
group by account_id, asset
having sum(free + locked) <> 0 or sum(borrowed + interest) <> 0 or min(least(free, locked, borrowed, interest)) < 0
"""


def gross_amounts(connection: Connection, position: int) -> Iterator[tuple[str, str, Decimal, Decimal, Decimal]]:
    """Account, asset, what it has (free and locked), what it owes (principal, and interest charged), its lowest part.

    In any order. The lowest is the least of all four parts in any one wallet: sums alone hide one that is below zero.

    Read by a cursor of the server, some at a time: within a transaction.
    """
    with connection.cursor("gross_amounts") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        yield from cursor.execute(GROSS, {"position": position})
