"""What each wallet had and owed as of a log position."""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import dict_row

from ledger.postgres import Connection
from ledger.wallets import Wallets
from projections.folding import wallets_from

BALANCES = """
select known.account_id, known.wallet, known.asset, state.free, state.locked, state.borrowed, state.interest,
       state.next_hour, state.position
from balances as known
cross join lateral (
    select free, locked, borrowed, interest, next_hour, position
    from balance_states
    where account_id = known.account_id and wallet = known.wallet and asset = known.asset and position <= %(position)s
    order by position desc
    limit 1
) as state
where known.account_id = any(%(account_ids)s)
order by known.account_id, known.wallet, known.asset
"""


def balances(connection: Connection, position: int, account_id: str) -> list[dict[str, Any]]:
    """Each wallet and asset that an account ever held: free, locked, borrowed, interest, next_hour, and since when."""
    return balances_of(connection, position, [account_id])


def balances_of(connection: Connection, position: int, account_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The balances of several accounts, in order of account, wallet and asset."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(BALANCES, {"position": position, "account_ids": list(account_ids)}).fetchall()


def wallets_of(connection: Connection, position: int, account_ids: Sequence[str]) -> dict[str, Wallets]:
    """Wallets of accounts, with balances and uncharged hours, as margin arithmetic takes them, no positions."""
    found = {account_id: Wallets(account_id) for account_id in account_ids}
    rows = balances_of(connection, position, account_ids)
    return found | wallets_from(tuple(row.values())[:8] for row in rows)
