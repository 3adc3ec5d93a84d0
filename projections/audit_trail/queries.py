"""The events that were asked for, in log order or from the last one back, with their bodies as they were recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ledger.log import RecordedEvent, position_at, read_positions, read_versions
from projections.dating import END, Dated, Part
from projections.projector import Connection

FILTERS = ("account_id", "topic", "actor", "correlation_id")
INDEXES = (("correlation_id",), ("account_id", "topic"), ("account_id",), ("actor", "topic"), ("actor",), ("topic",))
"""What the trail is found by, each then by position: of what a question states, the first that it has all of."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; what is None does not restrict. The times bound `recorded_at`, both inclusive.

    `dated_to` leaves out what is dated after a business time. `after_version` is of the account, which is then named.
    """

    account_id: str | None = None
    topic: str | None = None
    actor: str | None = None
    correlation_id: str | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    dated_to: datetime | None = None
    after_version: int = 0


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
    search = _Search.of(only, "desc" if newest_first else "asc")

    def ask(part: Part, most: int) -> list[int]:
        if isinstance(part, int):
            return search.walk(connection, after, min(before, part + 1), most)
        return search.pick(connection, [place for place in part if after < place < before], most)

    found = Dated.of(position).read(ask, limit, newest_first=newest_first)
    recorded = read_positions(connection, found)
    return recorded[::-1] if newest_first else recorded


class _Search(NamedTuple):
    """An index of the trail, by the columns before the position in it, and what else must hold of its rows."""

    key: tuple[str, ...]
    wanted: dict[str, Any]
    conditions: dict[str, str]
    order: str

    @classmethod
    def of(cls, only: Filter, order: str) -> "_Search":
        """The index by the filter that leaves fewest; what else is asked for is looked at in each row."""
        wanted = {name: getattr(only, name) for name in FILTERS if getattr(only, name) is not None}
        key = next((names for names in INDEXES if set(names) <= wanted.keys()), ())
        conditions = {name: f"{name} = %({name})s" for name in wanted}
        if only.dated_to is not None:
            wanted["dated_to"], conditions["dated_to"] = only.dated_to, "effective_at <= %(dated_to)s"
        return cls(key, wanted, conditions, order)

    def walk(self, connection: Connection, after: int, before: int, most: int) -> list[int]:
        """The first positions between two that are found, or the last."""
        # Rows are compared and ordered as in the index, so that no plan walks another one, or the table. That a column
        # of the key is as wanted follows; to say so once more would let the walk begin before the first position.
        row = ", ".join((*self.key, "position"))
        start, end = (
            ", ".join((*(f"%({name})s" for name in self.key), place)) for place in ("%(after)s", "%(before)s")
        )
        bounds = [f"({row}) > ({start})", f"({row}) < ({end})"]
        order = ", ".join(f"{name} {self.order}" for name in (*self.key, "position"))
        asked = {**self.wanted, "after": after, "before": before, "most": most}
        others = [condition for name, condition in self.conditions.items() if name not in self.key]
        where = " and ".join([*others, *bounds])
        rows = connection.execute(
            f"select position from audit_trail where {where} order by {order} limit %(most)s", asked
        )
        return [position for (position,) in rows]

    def pick(self, connection: Connection, positions: list[int], most: int) -> list[int]:
        """Those of some positions that are found, the first or the last."""
        where = " and ".join([*self.conditions.values(), "position = any(%(positions)s)"])
        statement = f"select position from audit_trail where {where} order by position {self.order} limit %(most)s"
        rows = connection.execute(statement, {**self.wanted, "positions": positions, "most": most})
        return [position for (position,) in rows]


def _within(connection: Connection, only: Filter, after: int, before: int) -> tuple[int, int]:
    """The positions that times and a version bound too: neither decreases along the log; both excluded."""
    if only.recorded_from is not None:
        after = max(after, position_at(connection, only.recorded_from - timedelta(microseconds=1)))
    if only.recorded_to is not None:
        before = min(before, position_at(connection, only.recorded_to) + 1)
    if only.account_id is not None and only.after_version:
        version = read_versions(connection, only.account_id, [only.after_version])
        after = max(after, version[0].position if version else END)
    return after, before


def entry(recorded: RecordedEvent) -> dict[str, Any]:
    """One entry of the trail as answers carry it: where and when it was recorded, its topic and its body."""
    event = recorded.event
    body = event.model_dump(mode="json", exclude_none=True)
    return {"position": recorded.position, "topic": event.TOPIC, "recorded_at": recorded.recorded_at, **body}


def entry_at(connection: Connection, position: int) -> dict[str, Any]:
    """The entry of the event at a position of the log, which must be there; no projection is asked."""
    (recorded,) = read_positions(connection, [position])
    return entry(recorded)
