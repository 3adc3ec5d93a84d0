"""The trial balance as an answer: every asset's books, which sum to zero, at a position."""

from typing import Any

from ledger.money import plain
from projections.projector import Connection
from projections.trial_balance.queries import trial_balance


def trial_balance_answer(connection: Connection, position: int) -> dict[str, Any]:
    """What GET /v1/reports/trial-balance answers."""
    return {
        "position": position,
        "assets": {
            asset: {
                "total": plain(sums["total"]),
                "books": {book: plain(amount) for book, amount in sums["books"].items()},
            }
            for asset, sums in trial_balance(connection, position).items()
        },
    }
