"""Projects life cycle, settings, holds and withdrawals into accounts as they are and were."""

from datetime import datetime
from typing import Any, ClassVar

from projections.accounts.account_row import (
    ACCOUNT_COLUMNS,
    STATE_COLUMNS,
    VERSION_COLUMNS,
    AccountRow,
    load_accounts,
)
from projections.accounts.dated import EVENTS_BETWEEN, keep_fold, order_counts
from projections.accounts.holds import project_holds
from projections.accounts.withdrawals import project_withdrawals
from projections.folding import Kept, posted
from projections.projector import Batch, Connection
from projections.writing import append, put


class AccountsProjector:
    """Keeps accounts in memory; holds and withdrawals that a batch goes on with are read from the tables."""

    name: ClassVar[str] = "accounts"
    tables: ClassVar[tuple[str, ...]] = (
        "accounts",
        "account_states",
        "account_versions",
        "account_folds",
        "holds",
        "hold_states",
        "withdrawals",
    )

    def __init__(self) -> None:
        self._kept = Kept(load_accounts, AccountRow)

    def project(self, connection: Connection, batch: Batch) -> None:
        own = [recorded for recorded in batch if not recorded.event.account_id.startswith("@")]
        self._project_accounts(connection, batch, own)
        project_holds(connection, own)
        project_withdrawals(connection, own)

    def forget(self) -> None:
        self._kept.forget()

    def _project_accounts(self, connection: Connection, batch: Batch, own: Batch) -> None:
        accounts = self._kept.bring(connection, (recorded.event.account_id for recorded in own))
        versions: list[tuple[Any, ...]] = []
        states: list[tuple[Any, ...]] = []
        folds: list[tuple[str, int, int, datetime]] = []
        for (position, _, event), lines in posted(batch):
            if event.account_id not in accounts:
                continue
            account = accounts[event.account_id]
            date = account.date(event, ordered=order_counts(event, lines))
            versions.append((event.account_id, position, event.version, *date))
            if account.take(event, position):
                states.append(account.state)
            if account.disordered and event.version % EVENTS_BETWEEN == 0:
                folds.append((event.account_id, position, event.version, date[1]))
        append(connection, "account_versions", VERSION_COLUMNS, versions)
        append(connection, "account_states", STATE_COLUMNS, states)
        put(connection, "accounts", ACCOUNT_COLUMNS, [account.row for account in accounts.values()], key=["account_id"])
        for fold in folds:
            keep_fold(connection, *fold)
