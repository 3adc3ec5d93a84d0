"""Projects loans, leverage, calls and liquidations into the state of the cross pool as a whole."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from ledger.money import plain
from ledger.wallets import Balance, Wallets
from ledger.words import CROSS
from projections.folding import Kept, apply, touching
from projections.projector import Batch, Connection
from projections.wallet_settings import WalletSettings
from projections.writing import append, put

STATE_COLUMNS = {
    "account_id": "text",
    "position": "bigint",
    "leverage": "numeric",
    "owes": "jsonb",
    "liquidation_id": "text",
    "called_at": "timestamptz",
    "called_level": "text",
}
COLUMNS = {**STATE_COLUMNS, "debts": "jsonb"}


@dataclass(slots=True)
class Pool:
    """A pool as last projected; of what `wallets` hold, only the debts of the pool are complete."""

    wallets: Wallets
    settings: WalletSettings
    position: int = 0

    @property
    def state(self) -> tuple[Any, ...]:
        """What counts as a change of the pool: the columns of a state after its key."""
        settings = self.settings
        owes = json.dumps(sorted(self.wallets.cross.debts))
        return settings.leverage, owes, settings.liquidation_id, settings.called_at, settings.called_level


class CrossPoolProjector:
    name: ClassVar[str] = "cross_pool"
    tables: ClassVar[tuple[str, ...]] = ("cross_pool", "cross_pool_states")

    def __init__(self) -> None:
        self._kept = Kept(load_pools, lambda account_id: Pool(Wallets(account_id), WalletSettings()))

    def project(self, connection: Connection, batch: Batch) -> None:
        steps = touching(batch, lambda wallet: wallet == CROSS, settings=True)
        pools = self._kept.bring(connection, (step.account_id for step in steps))
        states: list[tuple[Any, ...]] = []
        for step in steps:
            pool = pools[step.account_id]
            before = pool.state
            apply(pool.wallets, step)
            pool.settings = pool.settings.after(step.event)
            if pool.position == 0 or pool.state != before:
                pool.position = step.position
                states.append((step.account_id, step.position, *pool.state))
        append(connection, "cross_pool_states", STATE_COLUMNS, states)
        current = [(account_id, pool.position, *pool.state, _debts(pool)) for account_id, pool in pools.items()]
        put(connection, "cross_pool", COLUMNS, current, key=["account_id"])

    def forget(self) -> None:
        self._kept.forget()


def _debts(pool: Pool) -> str:
    debts = pool.wallets.cross.debts
    return json.dumps({asset: [plain(owed.borrowed), plain(owed.interest)] for asset, owed in debts.items()})


def load_pools(connection: Connection, account_ids: Sequence[str]) -> dict[str, Pool]:
    """The pools of accounts as the table `cross_pool` has them."""
    rows = connection.execute(
        "select account_id, position, leverage, liquidation_id, called_at, called_level, debts from cross_pool"
        " where account_id = any(%s)",
        [list(account_ids)],
    )
    pools: dict[str, Pool] = {}
    for account_id, position, leverage, liquidation_id, called_at, called_level, debts in rows:
        settings = WalletSettings(
            leverage=leverage, liquidation_id=liquidation_id, called_at=called_at, called_level=called_level
        )
        pools[account_id] = pool = Pool(Wallets(account_id), settings, position)
        for asset, (borrowed, interest) in debts.items():
            owed = Balance(borrowed=Decimal(borrowed), interest=Decimal(interest))
            pool.wallets.cross.balances[asset] = owed
    return pools
