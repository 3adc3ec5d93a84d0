"""Open debts and their sums as of a business time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from projections.accounts.dated import DatedAccount
from projections.loans.queries import START, Loan, loans, totals
from projections.projector import Connection
from projections.questions.dated_log import dated_log

LOG_ORDER = ("next_hour", "charged")


def dated_loans(
    connection: Connection,
    position: int,
    effective_at: datetime,
    *,
    account_id: str | None = None,
    asset: str | None = None,
    after: tuple[str, str, str] = START,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Open debts in order of account, wallet and asset, after the loan (account, wallet, asset).

    Hours are charged as the log comes, not by date: of those a loan as of a business time says nothing.
    """
    through, instead = _dated(connection, position, effective_at, account_id)
    asked = {"account_id": account_id, "asset": asset, "limit": limit}
    rows = loans(connection, through, **asked, after=after, instead=instead)  # type: ignore[arg-type]
    return [{name: value for name, value in row.items() if name not in LOG_ORDER} for row in rows]


def dated_totals(connection: Connection, position: int, effective_at: datetime) -> list[dict[str, Any]]:
    """By asset: how many loans are open as of a business time, and their principal and interest together."""
    through, instead = _dated(connection, position, effective_at, None)
    return totals(connection, through, instead=instead)


def _dated(
    connection: Connection, position: int, effective_at: datetime, account_id: str | None
) -> tuple[int, dict[str, Sequence[Loan]]]:
    """The position up to which the log counts, and the loans of the accounts that stand apart."""
    log = dated_log(connection, position, effective_at)
    apart: dict[str, Sequence[Loan]] = dict.fromkeys(log.apart, ())
    apart |= {name: _loans_of(name, account) for name, account in log.accounts(connection, account_id)}
    return log.through, apart


def _loans_of(account_id: str, account: DatedAccount) -> list[Loan]:
    """What an account owes, also where that is below zero, as it may be."""
    return [
        Loan(account_id, wallet.name, asset, account.position, balance.borrowed, balance.interest)
        for wallet in account.wallets.all()
        for asset, balance in wallet.debts.items()
    ]
