"""The cross pool and the buckets of an account as wholes, as of a position or a business time."""

from datetime import datetime
from typing import Any

from ledger.money import base_of, quote_of
from ledger.words import CROSS, isolated, pair_of
from projections.accounts.dated import DatedAccount
from projections.cross_pool.queries import cross_pool
from projections.isolated_buckets.queries import buckets
from projections.projector import Connection
from projections.questions.dated_account import dated_account
from projections.wallet_settings import WalletSettings


def pool_answer(
    connection: Connection, position: int, account_id: str, effective_at: datetime | None = None
) -> dict[str, Any] | None:
    """The cross pool; None for one that was never used. As of a business time `position` is the account's last."""
    if effective_at is None:
        return cross_pool(connection, position, account_id)
    account = dated_account(connection, position, account_id, effective_at)
    if account is None or CROSS not in account.settings:
        return None
    settings = account.settings[CROSS]
    return {
        "account_id": account_id,
        "position": account.position,
        "leverage": settings.leverage,
        "owes": sorted(account.wallets.cross.debts),
        "liquidation_id": settings.liquidation_id,
        "called_at": settings.called_at,
        "called_level": settings.called_level,
    }


def buckets_answer(
    connection: Connection, position: int, account_id: str, effective_at: datetime | None = None
) -> list[dict[str, Any]]:
    """Every bucket that was ever used or set, by pair. As of a business time `position` is the account's last."""
    if effective_at is None:
        return buckets(connection, position, account_id)
    account = dated_account(connection, position, account_id, effective_at)
    if account is None:
        return []
    pairs = sorted(pair for name in account.settings if (pair := pair_of(name)) is not None)
    return [_bucket(account_id, account, pair) for pair in pairs]


def _bucket(account_id: str, account: DatedAccount, pair: str) -> dict[str, Any]:
    wallet, settings = account.wallets.wallet(isolated(pair)), account.settings[isolated(pair)]
    balances = {
        f"{side}_{part}": amount
        for side, asset in (("base", base_of(pair)), ("quote", quote_of(pair)))
        for part, amount in wallet.balance(asset)._asdict().items()
    }
    return {
        "account_id": account_id,
        "pair": pair,
        "position": account.position,
        **balances,
        **{name: getattr(settings, name) for name in WalletSettings._fields},
    }
