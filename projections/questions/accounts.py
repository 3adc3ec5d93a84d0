"""The list of accounts as of a business time."""

from datetime import datetime
from typing import Any

from ledger.money import plain
from projections.accounts.dated import DatedAccount
from projections.accounts.queries import list_accounts
from projections.projector import Connection
from projections.questions.dated_log import dated_log


def dated_accounts(
    connection: Connection,
    position: int,
    effective_at: datetime,
    *,
    status: str | None = None,
    blocked: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Accounts in order of id, from the one after `after`, with what was set of them by date."""
    log = dated_log(connection, position, effective_at)
    instead = dict.fromkeys(log.apart) | {name: _row(name, account) for name, account in log.accounts(connection)}
    asked = {"status": status, "blocked": blocked, "after": after, "limit": limit}
    return list_accounts(connection, log.through, **asked, instead=instead)  # type: ignore[arg-type]


def _row(account_id: str, account: DatedAccount) -> dict[str, Any]:
    called = {name: one.called_at.isoformat() for name, one in account.settings.items() if one.called_at is not None}
    return {
        "account_id": account_id,
        "version": account.version,
        "position": account.position,
        "status": account.status.value,
        "blocks": sorted(account.blocks),
        "modes": {pair: mode.value for pair, mode in account.modes.items()},
        "leverages": {wallet: plain(leverage) for wallet, leverage in account.leverages.items()},
        "called_at": called,
    }
