"""Projects all that touches an isolated bucket into its state as a whole."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ledger import events as e
from ledger.account.state import Account
from ledger.money import base_of, quote_of
from ledger.words import isolated, pair_of
from projections.folding import SETTINGS, Setting, Step
from projections.keeping import Kept
from projections.projector import Batch, Connection, Tables, Writes
from projections.wallet_settings import WalletSettings
from projections.writing import History

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
    "mode": "text",
    "leverage": "numeric",
    "liquidation_id": "text",
    "called_at": "timestamptz",
    "tier": "integer",
    "called_level": "text",
}
HISTORY = History("isolated_bucket_states", "isolated_buckets", COLUMNS, COLUMNS, ("account_id", "pair"))


Buckets = dict[str, WalletSettings]
"""Of each bucket of an account, by pair, the tier and the level of the last call; nothing else of it is read."""


class IsolatedBucketsProjector:
    """Keeps what decisions said of buckets; all else is the account's."""

    name: ClassVar[str] = "isolated_buckets"
    tables: ClassVar[tuple[str, ...]] = ("isolated_buckets", "isolated_bucket_states")

    def __init__(self) -> None:
        self._kept: Kept[Buckets] = Kept(_load, dict, _has_no_bucket)

    def project(self, batch: Batch, tables: Tables) -> Writes:
        touched = [(step, pairs) for step in batch.margin_steps if (pairs := _pairs_of(step))]
        judged = self._kept.bring(tables, [step for step, _ in touched])
        states = [_state(step, pair, judged[step.event.account_id]) for step, pairs in touched for pair in pairs]
        writes = Writes()
        writes.add_states(HISTORY, states)
        return writes

    def forget(self) -> None:
        self._kept.forget()


def _pairs_of(step: Step) -> list[str]:
    """The pairs whose bucket an event touches: it writes to it, acts on it or sets something of it."""
    pairs = [pair for _, wallet in step.written if (pair := pair_of(wallet.name)) is not None]
    event, named = step.event, None
    if type(event) in SETTINGS and isinstance(event, Setting):
        named = event.pair if isinstance(event, e.MarginModeSet) else pair_of(event.wallet)
    return pairs if named is None else sorted({*pairs, named})


def _state(step: Step, pair: str, judged: Buckets) -> tuple[Any, ...]:
    account = step.after
    assert account is not None
    judged[pair] = told = judged.get(pair, WalletSettings()).after(step.event, isolated(pair))
    bucket = account.wallets.wallet(isolated(pair))
    balances = (*bucket.balance(base_of(pair)), *bucket.balance(quote_of(pair)))
    return (account.id, pair, step.position, *balances, *_settings(account, pair), told.tier, told.called_level)


def _settings(account: Account, pair: str) -> tuple[Any, ...]:
    name = isolated(pair)
    running = account.liquidations.get(name)
    liquidation_id = None if running is None else running.liquidation_id
    return str(account.mode(pair)), account.leverages.get(name), liquidation_id, account.called_at.get(name)


def _has_no_bucket(account: Account) -> bool:
    return not (account.wallets.isolated or account.modes or account.leverages)


def _load(connection: Connection, account_ids: Sequence[str]) -> dict[str, Buckets]:
    """What the table `isolated_buckets` says of the buckets of accounts."""
    accounts: dict[str, Buckets] = {}
    rows = connection.execute(
        "select account_id, pair, tier, called_level from isolated_buckets where account_id = any(%s)",
        [list(account_ids)],
    )
    for account_id, pair, tier, called_level in rows:
        accounts.setdefault(account_id, {})[pair] = WalletSettings(tier=tier, called_level=called_level)
    return accounts
