"""The cross pool of an account as a whole, as of a log position."""

from typing import Any

from psycopg.rows import dict_row

from ledger.postgres import Connection

CROSS_POOL = """
select account_id, position, leverage, owes, liquidation_id, called_at, called_level
from cross_pool_states
where account_id = %s and position <= %s
order by position desc
limit 1
"""


def cross_pool(connection: Connection, position: int, account_id: str) -> dict[str, Any] | None:
    """The pool since its last change: leverage (None: the start leverage), owes (assets), liquidation_id (None: none
    runs), called_at and called_level of the last margin call; None for a pool that was never used.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(CROSS_POOL, [account_id, position]).fetchone()
