"""Projects trades, and all that moves what a margin wallet holds, into positions by pair."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from ledger.money import plain
from ledger.positions import Position
from ledger.wallets import Balance, Wallet, Wallets
from ledger.words import SPOT
from projections.folding import Kept, apply, touching, wallet_to_write
from projections.projector import Batch, Connection
from projections.writing import append, put

COLUMNS = {
    "account_id": "text",
    "wallet": "text",
    "pair": "text",
    "position": "bigint",
    "quantity": "numeric",
    "cost": "numeric",
    "realised_profit": "numeric",
}
KEY = ("account_id", "wallet", "pair")
WALLET_COLUMNS = {"account_id": "text", "wallet": "text", "net": "jsonb", "closing_prices": "jsonb"}


class PositionsProjector:
    """Keeps margin wallets by account; of what a wallet holds, positions depend on the net of each asset only."""

    name: ClassVar[str] = "positions"
    tables: ClassVar[tuple[str, ...]] = ("positions", "position_states", "position_wallets")

    def __init__(self) -> None:
        self._kept = Kept(load_wallets, Wallets)

    def project(self, connection: Connection, batch: Batch) -> None:
        steps = touching(batch, lambda wallet: wallet != SPOT)
        wallets = self._kept.bring(connection, (step.account_id for step in steps))
        states: list[tuple[Any, ...]] = []
        touched: dict[tuple[str, str], Wallet] = {}
        for step in steps:
            account = wallets[step.account_id]
            names = sorted(step.wallets)
            before = [account.wallet(name).positions.copy() for name in names]
            apply(account, step)
            for name, positions in zip(names, before, strict=True):
                wallet = touched[step.account_id, name] = account.wallet(name)
                for pair, state in changed(positions, wallet.positions):
                    states.append((step.account_id, name, pair, step.position, *state))
        append(connection, "position_states", COLUMNS, states)
        put(connection, "positions", COLUMNS, list({row[:3]: row for row in states}.values()), key=KEY)
        put(connection, "position_wallets", WALLET_COLUMNS, list(map(_row_of, touched.items())), key=KEY[:2])

    def forget(self) -> None:
        self._kept.forget()


def changed(before: dict[str, Position], after: dict[str, Position]) -> list[tuple[str, Position]]:
    """The pairs whose positions are not what they were, in order, with what they are."""
    return [(pair, position) for pair, position in sorted(after.items()) if before.get(pair) != position]


def _row_of(touched: tuple[tuple[str, str], Wallet]) -> tuple[str, str, str, str]:
    (account_id, name), wallet = touched
    net = {asset: balance.net for asset, balance in wallet.balances.items()}
    return account_id, name, _json(net), _json(wallet.closing_prices)


def _json(amounts: dict[str, Decimal]) -> str:
    return json.dumps({asset: plain(amount) for asset, amount in amounts.items()})


def load_wallets(connection: Connection, account_ids: Sequence[str]) -> dict[str, Wallets]:
    """The margin wallets of accounts as the tables have them; all that a wallet has net of an asset counts as free."""
    wallets: dict[str, Wallets] = {}
    rows = connection.execute(
        "select account_id, wallet, net, closing_prices from position_wallets where account_id = any(%s)",
        [list(account_ids)],
    )
    for account_id, name, net, closing_prices in rows:
        wallet = wallet_to_write(wallets.setdefault(account_id, Wallets(account_id)), name)
        wallet.balances.update({asset: Balance(Decimal(amount)) for asset, amount in net.items()})
        wallet.closing_prices = {asset: Decimal(price) for asset, price in closing_prices.items()}
    rows = connection.execute(
        "select account_id, wallet, pair, quantity, cost, realised_profit from positions where account_id = any(%s)",
        [list(account_ids)],
    )
    for account_id, name, pair, *state in rows:
        wallets[account_id].wallet(name).positions[pair] = Position(*state)
    return wallets
