"""Projects withdrawals: each from its request to its end."""

from collections.abc import Sequence
from typing import Any

from ledger import events as e
from ledger.words import WithdrawalStatus
from projections.folding import Step
from projections.writing import Writes

REQUEST = {
    "account_id": "text",
    "withdrawal_id": "text",
    "asset": "text",
    "amount": "numeric",
    "requested_position": "bigint",
    "requested_at": "timestamptz",
}
KEY = ("account_id", "withdrawal_id")
KINDS = {e.WithdrawalRequested, e.WithdrawalSettled, e.WithdrawalCancelled}
END = {
    "account_id": "text",
    "withdrawal_id": "text",
    "ended_as": "text",
    "ended_position": "bigint",
    "ended_at": "timestamptz",
    "reference": "text",
}


def project_withdrawals(writes: Writes, steps: Sequence[Step]) -> None:
    """Writes what a batch requests, settles and cancels."""
    requested: list[tuple[Any, ...]] = []
    ended: list[tuple[Any, ...]] = []
    for position, event in ((step.position, step.event) for step in steps if type(step.event) in KINDS):
        match event:
            case e.WithdrawalRequested():
                about = (event.asset, event.amount, position, event.effective_at)
                requested.append((event.account_id, event.withdrawal_id, *about))
            case e.WithdrawalSettled():
                end = (WithdrawalStatus.SETTLED, position, event.effective_at, event.reference)
                ended.append((event.account_id, event.withdrawal_id, *end))
            case e.WithdrawalCancelled():
                end = (WithdrawalStatus.CANCELLED, position, event.effective_at, None)
                ended.append((event.account_id, event.withdrawal_id, *end))
            case _:
                pass
    writes.append("withdrawals", REQUEST, requested)
    writes.change("withdrawals", END, ended, key=KEY)
