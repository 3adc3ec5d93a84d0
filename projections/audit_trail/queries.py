"""The events that were asked for, in log order, with their bodies as they were recorded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.log import RecordedEvent, read_positions
from projections.projector import Connection


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; what is None does not restrict. The times bound `recorded_at`, both inclusive."""

    account_id: str | None = None
    topic: str | None = None
    actor: str | None = None
    correlation_id: str | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None


EVERYTHING = Filter()


def events(
    connection: Connection, position: int, only: Filter = EVERYTHING, *, after: int = 0, limit: int = 100
) -> list[RecordedEvent]:
    """The events up to a position that pass the filter, the first `limit` after the position `after`."""
    conditions = ["position <= %s", "position > %s"]
    values: list[Any] = [position, after]
    for condition, value in _restrictions(only):
        conditions.append(condition)
        values.append(value)
    rows = connection.execute(
        f"select position from audit_trail where {' and '.join(conditions)} order by position limit %s",
        [*values, limit],
    )
    return read_positions(connection, [found for (found,) in rows])


def _restrictions(only: Filter) -> list[tuple[str, Any]]:
    asked = [
        ("account_id = %s", only.account_id),
        ("topic = %s", only.topic),
        ("actor = %s", only.actor),
        ("correlation_id = %s", only.correlation_id),
        ("recorded_at >= %s", only.recorded_from),
        ("recorded_at <= %s", only.recorded_to),
    ]
    return [(condition, value) for condition, value in asked if value is not None]


def entry(recorded: RecordedEvent) -> dict[str, Any]:
    """One entry of the trail as answers carry it: where and when it was recorded, its topic and its body."""
    event = recorded.event
    body = event.model_dump(mode="json", exclude_none=True)
    return {"position": recorded.position, "topic": event.TOPIC, "recorded_at": recorded.recorded_at, **body}
