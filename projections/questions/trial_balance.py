"""The trial balance as an answer: every asset's books, which sum to zero, at a position."""

from datetime import datetime
from typing import Any

from ledger.money import plain
from projections.audit_trail.dates import dated_events
from projections.dating import Dated
from projections.projector import Connection
from projections.trial_balance.queries import trial_balance


def trial_balance_answer(connection: Connection, position: int, effective_at: datetime | None = None) -> dict[str, Any]:
    """What GET /v1/reports/trial-balance answers, as of a business time of what is dated up to it."""
    known = Dated(position) if effective_at is None else dated_events(connection, position, effective_at)
    return {
        "position": position,
        "assets": {
            asset: {
                "total": plain(sums["total"]),
                "books": {book: plain(amount) for book, amount in sums["books"].items()},
            }
            for asset, sums in trial_balance(connection, known).items()
        },
    }
