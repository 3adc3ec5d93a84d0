"""Events to the rows they are found by; their bodies stay in the log."""

from typing import Any, ClassVar

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
}


class AuditTrailProjector:
    """Keeps nothing in memory."""

    name: ClassVar[str] = "audit_trail"
    tables: ClassVar[tuple[str, ...]] = ("audit_trail",)

    def project(self, batch: Batch, tables: Tables) -> Writes:  # noqa: ARG002
        writes = Writes()
        writes.append("audit_trail", COLUMNS, [_row(recorded) for recorded in batch.events])
        return writes

    def forget(self) -> None:
        pass


def _row(recorded: RecordedEvent) -> tuple[Any, ...]:
    position, recorded_at, event = recorded
    subject = (event.account_id, event.version, event.TOPIC, event.actor, event.correlation_id)
    return (position, *subject, event.effective_at, recorded_at)
