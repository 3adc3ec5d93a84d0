"""What each wallet had and owed as of a log position."""

from collections.abc import Sequence
from typing import Any

from ledger.postgres import Connection
from ledger.wallets import Balance, Wallet, Wallets
from ledger.words import pair_of
from projections.rows import rows_of

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
    return rows_of(connection, BALANCES, {"position": position, "account_ids": list(account_ids)})


def wallets_of(connection: Connection, position: int, account_ids: Sequence[str]) -> dict[str, Wallets]:
    """Wallets of accounts, with balances and uncharged hours, as margin arithmetic takes them, no positions."""
    found = {account_id: Wallets(account_id) for account_id in account_ids}
    for row in balances_of(connection, position, account_ids):
        wallet = _wallet_to_write(found[row["account_id"]], row["wallet"])
        wallet.balances[row["asset"]] = Balance(row["free"], row["locked"], row["borrowed"], row["interest"])
        if row["next_hour"] is not None:
            wallet.next_hours[row["asset"]] = row["next_hour"]
    return found


def _wallet_to_write(wallets: Wallets, name: str) -> Wallet:
    """The wallet of that name; a bucket is kept from then on."""
    wallet, pair = wallets.wallet(name), pair_of(name)
    return wallet if pair is None else wallets.isolated.setdefault(pair, wallet)
