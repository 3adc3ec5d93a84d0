"""The positions of margin wallets as of a log position."""

from typing import Any

from psycopg.rows import dict_row

from ledger.postgres import Connection

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
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(POSITIONS, {"position": position, "account_id": account_id}).fetchall()
