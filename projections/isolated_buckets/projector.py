"""Projects all that touches an isolated bucket into its state as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ledger.money import base_of, quote_of
from ledger.wallets import Balance, Wallets
from ledger.words import isolated, pair_of
from projections.folding import Kept, apply, touching, wallet_to_write
from projections.projector import Batch, Connection
from projections.wallet_settings import WalletSettings
from projections.writing import append, put

COLUMNS = {
    "account_id": "text",
    "pair": "text",
    "position": "bigint",
    "base_free": "numeric",
    "base_locked": "numeric",
    "base_borrowed": "numeric",
    "base_interest": "numeric",
    "quote_free": "numeric",
    "quote_locked": "numeric",
    "quote_borrowed": "numeric",
    "quote_interest": "numeric",
    "leverage": "numeric",
    "mode": "text",
    "tier": "integer",
    "liquidation_id": "text",
    "called_at": "timestamptz",
    "called_level": "text",
}


@dataclass(slots=True)
class Buckets:
    """The buckets of an account as last projected; settings by pair."""

    wallets: Wallets
    settings: dict[str, WalletSettings] = field(default_factory=dict)

    def state(self, pair: str) -> tuple[Any, ...]:
        """The columns of a bucket after its key and position."""
        bucket = self.wallets.wallet(isolated(pair))
        return *bucket.balance(base_of(pair)), *bucket.balance(quote_of(pair)), *self.settings[pair]


class IsolatedBucketsProjector:
    name: ClassVar[str] = "isolated_buckets"
    tables: ClassVar[tuple[str, ...]] = ("isolated_buckets", "isolated_bucket_states")

    def __init__(self) -> None:
        self._kept = Kept(load_buckets, lambda account_id: Buckets(Wallets(account_id)))

    def project(self, connection: Connection, batch: Batch) -> None:
        steps = touching(batch, lambda wallet: pair_of(wallet) is not None, settings=True)
        accounts = self._kept.bring(connection, (step.account_id for step in steps))
        states: list[tuple[Any, ...]] = []
        for step in steps:
            buckets = accounts[step.account_id]
            apply(buckets.wallets, step)
            for pair in sorted(filter(None, map(pair_of, step.wallets))):
                buckets.settings[pair] = buckets.settings.get(pair, WalletSettings()).after(step.event)
                states.append((step.account_id, pair, step.position, *buckets.state(pair)))
        append(connection, "isolated_bucket_states", COLUMNS, states)
        current = {row[:2]: row for row in states}
        put(connection, "isolated_buckets", COLUMNS, list(current.values()), key=["account_id", "pair"])

    def forget(self) -> None:
        self._kept.forget()


def load_buckets(connection: Connection, account_ids: Sequence[str]) -> dict[str, Buckets]:
    """The buckets of accounts as the table `isolated_buckets` has them."""
    accounts: dict[str, Buckets] = {}
    rows = connection.execute(
        "select account_id, pair, base_free, base_locked, base_borrowed, base_interest,"
        " quote_free, quote_locked, quote_borrowed, quote_interest,"
        " leverage, mode, tier, liquidation_id, called_at, called_level"
        " from isolated_buckets where account_id = any(%s)",
        [list(account_ids)],
    )
    for account_id, pair, *columns in rows:
        buckets = accounts.setdefault(account_id, Buckets(Wallets(account_id)))
        balances = wallet_to_write(buckets.wallets, isolated(pair)).balances
        balances[base_of(pair)], balances[quote_of(pair)] = Balance(*columns[:4]), Balance(*columns[4:8])
        buckets.settings[pair] = WalletSettings(*columns[8:])
    return accounts
