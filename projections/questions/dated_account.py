"""An account as of a business time: from states kept in log order, or folded where that is not the order of dates."""

from datetime import datetime

from ledger.account import Account
from ledger.account.state import RunningLiquidation
from ledger.money import ZERO
from ledger.words import CROSS, AccountStatus, Capability, Execution, MarginMode, isolated
from projections.accounts import queries as accounts
from projections.accounts.dated import Base, DatedAccount, earliest_since, go_on, kept_fold, nothing_yet
from projections.accounts.dates import Counted, LastDated, counted, first_out_of_order, last_dated
from projections.cross_pool.queries import cross_pool
from projections.isolated_buckets.queries import buckets
from projections.projector import Connection
from projections.questions.wallets import running_at, wallets_at
from projections.wallet_settings import WalletSettings


def dated_account(connection: Connection, position: int, account_id: str, until: datetime) -> DatedAccount | None:
    """What the events dated up to a business time, of those known at the position, made of the account.

    They are folded by (effective_at, position); what they leave may be below zero. None where no event is so old.
    """
    counts = counted(connection, position, account_id, until)
    if not counts.through and not counts.beyond:
        return None
    base = _base(connection, position, account_id, until, counts)
    return go_on(connection, account_id, base, counts.version, counts.beyond)


def account_of(account_id: str, dated: DatedAccount) -> Account:
    """The same as decisions know an account, without holds and withdrawals."""
    account = Account(
        account_id, dated.wallets, dated.version, dated.status, dated.blocks, dated.modes, dated.leverages
    )
    for name, settings in dated.settings.items():
        if settings.called_at is not None:
            account.called_at[name] = settings.called_at
        if settings.liquidation_id is not None:
            one = RunningLiquidation(settings.liquidation_id, Execution.EXTERNAL, ZERO, repaid={}, sold={})
            account.liquidations[name] = one
    return account


def _base(connection: Connection, position: int, account_id: str, until: datetime, counts: Counted) -> Base:
    """The latest state that is known of the account and that nothing recorded since belongs before.

    As far as the log has an account's events in the order of their dates, what is kept at every position is such.
    """
    disorder = first_out_of_order(connection, counts.through, account_id)
    if disorder is None and not counts.is_disordered:
        return _kept(connection, account_id, LastDated(counts.through, counts.version, until))
    fold = kept_fold(connection, account_id, position, until)
    limit = counts.through if disorder is None else min(counts.through, disorder - 1)
    while True:
        last = _last_settled(connection, account_id, limit, until)
        if last.dated_to is None or (fold.dated_to is not None and last.dated_to <= fold.dated_to):
            return fold
        earliest = earliest_since(connection, account_id, last.position, last.dated_to, position)
        if earliest is None:
            return _kept(connection, account_id, last)
        limit, until = last.position - 1, earliest


def _last_settled(connection: Connection, account_id: str, limit: int, until: datetime) -> LastDated:
    """The last event up to a limit with which all are dated up to a time, and no liquidation runs.

    The prices of a liquidation that runs are kept nowhere: one that goes on is folded from before it.
    """
    last = last_dated(connection, limit, account_id, until)
    while last.position and (closing := running_at(connection, last.position, account_id)):
        before = min(one["started_position"] for one in closing.values()) - 1
        last = last_dated(connection, before, account_id, until)
    return last


def _kept(connection: Connection, account_id: str, last: LastDated) -> Base:
    row = accounts.account(connection, last.position, account_id)
    if row is None:
        return nothing_yet(account_id)
    state = DatedAccount(
        wallets_at(connection, last.position, account_id),
        last.position,
        last.version,
        AccountStatus(row["status"]),
        frozenset(map(Capability, row["blocks"])),
        {pair: MarginMode(mode) for pair, mode in row["modes"].items()},
        accounts.leverages_of(row),
        _settings(connection, last.position, account_id),
    )
    return Base(last.dated_to, last.position, last.version, state)


def _settings(connection: Connection, position: int, account_id: str) -> dict[str, WalletSettings]:
    rows = {isolated(row["pair"]): row for row in buckets(connection, position, account_id)}
    pool = cross_pool(connection, position, account_id)
    if pool is not None:
        rows[CROSS] = pool
    return {
        name: WalletSettings(**{field: row[field] for field in WalletSettings._fields if field in row})
        for name, row in rows.items()
    }
