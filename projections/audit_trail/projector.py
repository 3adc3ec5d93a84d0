"""Events to the rows they are found by; their bodies stay in the log."""

from typing import Any, ClassVar

from projections.projector import Batch, Connection, RecordedEvent
from projections.writing import append

COLUMNS = ("position", "account_id", "version", "topic", "actor", "correlation_id", "effective_at", "recorded_at")


class AuditTrailProjector:
    """Keeps nothing in memory."""

    name: ClassVar[str] = "audit_trail"
    tables: ClassVar[tuple[str, ...]] = ("audit_trail",)

    def project(self, connection: Connection, batch: Batch) -> None:
        append(connection, "audit_trail", COLUMNS, [_row(recorded) for recorded in batch])

    def forget(self) -> None:
        pass


def _row(recorded: RecordedEvent) -> tuple[Any, ...]:
    position, recorded_at, event = recorded
    subject = (event.account_id, event.version, event.TOPIC, event.actor, event.correlation_id)
    return (position, *subject, event.effective_at, recorded_at)
