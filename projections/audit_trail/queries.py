"""The events that were asked for, in log order or from the last one back, with their bodies as they were recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ledger.log import RecordedEvent, position_at, read_positions
from projections.dating import Dated
from projections.projector import Connection

END = 2**62


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; what is None does not restrict. The times bound `recorded_at`, both inclusive.

    `dated_to` leaves out what is dated after a business time.
    """

    account_id: str | None = None
    topic: str | None = None
    actor: str | None = None
    correlation_id: str | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    dated_to: datetime | None = None


EVERYTHING = Filter()


def events(
    connection: Connection,
    position: int | Dated,
    only: Filter = EVERYTHING,
    *,
    after: int = 0,
    before: int = END,
    limit: int = 100,
    newest_first: bool = False,
) -> list[RecordedEvent]:
    """The events up to a position that pass the filter, between two positions, both excluded.

    The first `limit` of them in log order, or with `newest_first` the last, from the last one back.
    """
    after, before = _within(connection, only, after, before)
    restrictions = [(condition, value) for condition, value in _restrictions(only) if value is not None]
    conditions = [condition for condition, _ in restrictions]
    values = [value for _, value in restrictions]
    order = "desc" if newest_first else "asc"

    def ask(condition: str, value: Any, most: int) -> list[int]:
        where = " and ".join([*conditions, "position > %s", "position < %s", condition])
        statement = f"select position from audit_trail where {where} order by position {order} limit %s"
        return [found for (found,) in connection.execute(statement, [*values, after, before, value, most])]

    found = Dated.of(position).read(ask, limit, newest_first=newest_first)
    recorded = read_positions(connection, found)
    return recorded[::-1] if newest_first else recorded


def _within(connection: Connection, only: Filter, after: int, before: int) -> tuple[int, int]:
    """The positions that times bound too, for recorded_at never decreases along the log; both excluded."""
    if only.recorded_from is not None:
        after = max(after, position_at(connection, only.recorded_from - timedelta(microseconds=1)))
    if only.recorded_to is not None:
        before = min(before, position_at(connection, only.recorded_to) + 1)
    return after, before


def _restrictions(only: Filter) -> list[tuple[str, Any]]:
    return [
        ("account_id = %s", only.account_id),
        ("topic = %s", only.topic),
        ("actor = %s", only.actor),
        ("correlation_id = %s", only.correlation_id),
        ("effective_at <= %s", only.dated_to),
    ]


def entry(recorded: RecordedEvent) -> dict[str, Any]:
    """One entry of the trail as answers carry it: where and when it was recorded, its topic and its body."""
    event = recorded.event
    body = event.model_dump(mode="json", exclude_none=True)
    return {"position": recorded.position, "topic": event.TOPIC, "recorded_at": recorded.recorded_at, **body}
