"""Events to the rows they are found by; their bodies stay in the log."""

from datetime import datetime
from typing import Any, ClassVar

from ledger.words import PRICES
from projections.dating import lateness
from projections.projector import Batch, RecordedEvent, Tables, Writes

COLUMNS = {
    "position": "bigint",
    "account_id": "text",
    "version": "bigint",
    "topic": "text",
    "actor": "text",
    "correlation_id": "text",
    "effective_at": "timestamptz",
    "recorded_at": "timestamptz",
    "dated_to": "timestamptz",
    "lateness": "smallint",
}
LAST_DATES = """
(select account_id = '@prices', dated_to from audit_trail where account_id <> '@prices'
 order by dated_to desc, position desc limit 1)
union all
(select account_id = '@prices', dated_to from audit_trail where account_id = '@prices'
 order by dated_to desc, position desc limit 1)
"""


class AuditTrailProjector:
    """Keeps the latest business time of prices and of all other events."""

    name: ClassVar[str] = "audit_trail"
    tables: ClassVar[tuple[str, ...]] = ("audit_trail",)

    def __init__(self) -> None:
        self._dated_to: dict[bool, datetime] | None = None

    def project(self, batch: Batch, tables: Tables) -> Writes:
        if self._dated_to is None:
            # A copy from nothing has no dates, and no index to find them by.
            is_first = batch.events[0].position == 1
            self._dated_to = {} if is_first else dict(tables.connection.execute(LAST_DATES).fetchall())
        latest = self._dated_to
        writes = Writes()
        writes.append("audit_trail", COLUMNS, [_row(recorded, latest) for recorded in batch.events])
        return writes

    def forget(self) -> None:
        self._dated_to = None


def _row(recorded: RecordedEvent, latest: dict[bool, datetime]) -> tuple[Any, ...]:
    position, recorded_at, event = recorded
    kind, effective_at = event.account_id == PRICES, event.effective_at
    latest[kind] = dated_to = max(latest.get(kind, effective_at), effective_at)
    subject = (event.account_id, event.version, event.TOPIC, event.actor, event.correlation_id)
    return (position, *subject, effective_at, recorded_at, dated_to, lateness(effective_at, dated_to))
