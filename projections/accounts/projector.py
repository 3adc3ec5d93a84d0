"""Projects life cycle, settings, holds and withdrawals into accounts as they are and were."""

from typing import Any, ClassVar

from projections.accounts.account_row import (
    ACCOUNT_COLUMNS,
    STATE_COLUMNS,
    VERSION_COLUMNS,
    AccountRow,
    load_accounts,
)
from projections.accounts.holds import project_holds
from projections.accounts.withdrawals import project_withdrawals
from projections.folding import Kept
from projections.projector import Batch, Connection
from projections.writing import append, put


class AccountsProjector:
    """Keeps accounts in memory; holds and withdrawals that a batch goes on with are read from the tables."""

    name: ClassVar[str] = "accounts"
    tables: ClassVar[tuple[str, ...]] = (
        "accounts",
        "account_states",
        "account_versions",
        "holds",
        "hold_states",
        "withdrawals",
    )

    def __init__(self) -> None:
        self._kept = Kept(load_accounts, AccountRow)

    def project(self, connection: Connection, batch: Batch) -> None:
        own = [recorded for recorded in batch if not recorded.event.account_id.startswith("@")]
        self._project_accounts(connection, own)
        project_holds(connection, own)
        project_withdrawals(connection, own)

    def forget(self) -> None:
        self._kept.forget()

    def _project_accounts(self, connection: Connection, batch: Batch) -> None:
        accounts = self._kept.bring(connection, (recorded.event.account_id for recorded in batch))
        versions: list[tuple[str, int, int]] = []
        states: list[tuple[Any, ...]] = []
        for position, _, event in batch:
            account = accounts[event.account_id]
            versions.append((event.account_id, position, event.version))
            if account.take(event, position):
                states.append(account.state)
        append(connection, "account_versions", VERSION_COLUMNS, versions)
        append(connection, "account_states", STATE_COLUMNS, states)
        put(connection, "accounts", ACCOUNT_COLUMNS, [account.row for account in accounts.values()], key=["account_id"])
