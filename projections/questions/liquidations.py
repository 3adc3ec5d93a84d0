"""Liquidations as answers: which of those that are executed outside the ledger are overdue, by the prices' time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from projections.liquidations.queries import count_overdue, liquidation, liquidations
from projections.market.queries import newest_prices_at
from projections.projector import Connection


def liquidations_answer(
    connection: Connection,
    position: int,
    *,
    overdue_only: bool = False,
    effective_at: datetime | None = None,
    **filters: Any,
) -> list[dict[str, Any]]:
    """Liquidations in log order, filtered as in the projection's queries, each saying whether it is overdue.

    A running one is overdue from `execute_by` on, by the newest prices' time: what dated its start.
    """
    now = newest_prices_at(connection, position, effective_at)
    if overdue_only and now is None:
        return []
    overdue_at = now if overdue_only else None
    rows = liquidations(connection, position, effective_at=effective_at, overdue_at=overdue_at, **filters)
    return [_judged(row, now) for row in rows]


def liquidation_answer(
    connection: Connection, position: int, liquidation_id: str, effective_at: datetime | None = None
) -> dict[str, Any] | None:
    """One liquidation with its steps in log order, saying whether it is overdue; None if it was not started by then."""
    found = liquidation(connection, position, liquidation_id, effective_at=effective_at)
    return None if found is None else _judged(found, newest_prices_at(connection, position, effective_at))


def overdue_now(connection: Connection, position: int) -> int:
    """How many liquidations are overdue at the end of what is projected."""
    now = newest_prices_at(connection, position)
    return 0 if now is None else count_overdue(connection, now)


def _judged(row: Mapping[str, Any], now: datetime | None) -> dict[str, Any]:
    by, runs = row["execute_by"], row["status"] == "running"
    return {**row, "overdue": runs and by is not None and now is not None and by < now}
