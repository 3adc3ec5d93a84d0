"""Projects postings into balances: what each wallet has and owes of each asset, after every event."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ledger.wallets import Wallets
from projections.folding import Kept, apply, every_wallet, touching, wallets_from
from projections.projector import Batch, Connection
from projections.writing import append, put

COLUMNS = {
    "account_id": "text",
    "wallet": "text",
    "asset": "text",
    "position": "bigint",
    "free": "numeric",
    "locked": "numeric",
    "borrowed": "numeric",
    "interest": "numeric",
    "next_hour": "timestamptz",
}
KEY = ("account_id", "wallet", "asset")


class BalancesProjector:
    """Keeps wallets by account. The positions that fold along in them are not complete, and never read."""

    name: ClassVar[str] = "balances"
    tables: ClassVar[tuple[str, ...]] = ("balances", "balance_states")

    def __init__(self) -> None:
        self._kept = Kept(load_wallets, Wallets)

    def project(self, connection: Connection, batch: Batch) -> None:
        steps = touching(batch, every_wallet)
        wallets = self._kept.bring(connection, (step.account_id for step in steps))
        states: list[tuple[Any, ...]] = []
        for step in steps:
            account = wallets[step.account_id]
            for name, asset in sorted(apply(account, step)):
                wallet = account.wallet(name)
                state = (*wallet.balance(asset), wallet.next_hours.get(asset))
                states.append((step.account_id, name, asset, step.position, *state))
        append(connection, "balance_states", COLUMNS, states)
        put(connection, "balances", COLUMNS, list({row[:3]: row for row in states}.values()), key=KEY)

    def forget(self) -> None:
        self._kept.forget()


def load_wallets(connection: Connection, account_ids: Sequence[str]) -> dict[str, Wallets]:
    """The wallets of accounts as the table `balances` has them."""
    return wallets_from(
        connection.execute(
            "select account_id, wallet, asset, free, locked, borrowed, interest, next_hour from balances"
            " where account_id = any(%s)",
            [list(account_ids)],
        )
    )
