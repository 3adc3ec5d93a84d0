"""The wallets of an account at a log position, put together from balances and positions, and what closes them."""

from typing import Any

from ledger.positions import Position
from ledger.wallets import Wallets
from projections.balances import queries as balances
from projections.cross_pool.queries import cross_pool
from projections.isolated_buckets.queries import buckets
from projections.liquidations.queries import liquidation
from projections.positions import queries as positions
from projections.projector import Connection


def wallets_at(connection: Connection, position: int, account_id: str) -> Wallets:
    """The account's balances, uncharged hours and positions at a log position."""
    wallets = balances.wallets_of(connection, position, [account_id])[account_id]
    for row in positions.positions(connection, position, account_id):
        traded = Position(row["quantity"], row["cost"], row["realised_profit"])
        wallets.wallet(row["wallet"]).positions[row["pair"]] = traded
    return wallets


def running_at(connection: Connection, position: int, account_id: str) -> dict[str, dict[str, Any]]:
    """The liquidations that run on an account at a log position, by wallet."""
    # What a wallet's state names is found at once; an account may have had many liquidations.
    states = [cross_pool(connection, position, account_id), *buckets(connection, position, account_id)]
    named = [state["liquidation_id"] for state in states if state is not None]
    found = [liquidation(connection, position, one) for one in named if one is not None]
    return {one["wallet"]: one for one in found if one is not None}
