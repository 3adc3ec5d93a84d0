"""Projects withdrawals: each from its request to its end."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ledger import events as e
from ledger.words import WithdrawalStatus
from projections.projector import Batch, Connection
from projections.writing import put

COLUMNS = {
    "account_id": "text",
    "withdrawal_id": "text",
    "asset": "text",
    "amount": "numeric",
    "requested_position": "bigint",
    "requested_at": "timestamptz",
    "ended_as": "text",
    "ended_position": "bigint",
    "ended_at": "timestamptz",
    "reference": "text",
}
KEY = ("account_id", "withdrawal_id")
WithdrawalEvent = e.WithdrawalRequested | e.WithdrawalSettled | e.WithdrawalCancelled
Withdrawals = dict[tuple[str, str], "WithdrawalRow"]


class WithdrawalRow(NamedTuple):
    """A withdrawal; what tells of its end is None while it is pending."""

    account_id: str
    withdrawal_id: str
    asset: str
    amount: Decimal
    requested_position: int
    requested_at: datetime
    ended_as: str | None = None
    ended_position: int | None = None
    ended_at: datetime | None = None
    reference: str | None = None


def project_withdrawals(connection: Connection, batch: Batch) -> None:
    """Writes what a batch requests, settles and cancels."""
    found = [(one.position, one.event) for one in batch if isinstance(one.event, WithdrawalEvent)]
    withdrawals = load_withdrawals(connection, {_key_of(event) for _, event in found})
    for position, event in found:
        key = _key_of(event)
        withdrawals[key] = _after(withdrawals.get(key), event, position)
    put(connection, "withdrawals", COLUMNS, list(withdrawals.values()), key=KEY)


def _key_of(event: WithdrawalEvent) -> tuple[str, str]:
    return event.account_id, event.withdrawal_id


def _after(withdrawal: WithdrawalRow | None, event: WithdrawalEvent, position: int) -> WithdrawalRow:
    if withdrawal is None:
        return WithdrawalRow(*_key_of(event), event.asset, event.amount, position, event.effective_at)
    settled = isinstance(event, e.WithdrawalSettled)
    return withdrawal._replace(
        ended_as=(WithdrawalStatus.SETTLED if settled else WithdrawalStatus.CANCELLED).value,
        ended_position=position,
        ended_at=event.effective_at,
        reference=event.reference if isinstance(event, e.WithdrawalSettled) else None,
    )


def load_withdrawals(connection: Connection, keys: set[tuple[str, str]]) -> Withdrawals:
    """Withdrawals as the table has them."""
    if not keys:
        return {}
    rows = connection.execute(
        "select account_id, withdrawal_id, asset, amount, requested_position, requested_at,"
        " ended_as, ended_position, ended_at, reference from withdrawals"
        " join unnest(%s::text[], %s::text[]) as wanted (account_id, withdrawal_id) using (account_id, withdrawal_id)",
        [list(column) for column in zip(*sorted(keys), strict=True)],
    )
    return {(row[0], row[1]): WithdrawalRow(*row) for row in rows}
