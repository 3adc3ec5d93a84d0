"""Events to the rows they are found by; their bodies stay in the log."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import ClassVar

from ledger.words import PRICES
from projections.dating import lateness
from projections.projector import Batch, RecordedEvent, Tables, Writes
from projections.writing import copied_text, copied_time

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


Latest = dict[bool, datetime]
"""The latest business time so far, of prices (True) and of all other events."""
LaterDate = tuple[int, bool, datetime]
"""The position of an event that is dated later than all before, whether it is of prices, and its date."""


class AuditTrailProjector:
    """Keeps the latest business time of prices and of all other events."""

    name: ClassVar[str] = "audit_trail"
    tables: ClassVar[tuple[str, ...]] = ("audit_trail",)

    def __init__(self) -> None:
        self._dated_to: Latest | None = None

    def project(self, batch: Batch, tables: Tables) -> Writes:
        if self._dated_to is None:
            # A copy from nothing has no dates, and no index to find them by.
            is_first = batch.start == 0
            self._dated_to = {} if is_first else dict(tables.connection.execute(LAST_DATES).fetchall())
        latest, lines = self._dated_to, []
        others = deque(batch.of_others(self.name, _dates(batch.events, latest.copy())))
        for recorded in batch.events:
            _take_others(latest, others, recorded.position)
            lines.append(_line(recorded, latest))
        _take_others(latest, others, batch.last)
        writes = Writes()
        writes.append_lines("audit_trail", COLUMNS, lines)
        return writes

    def forget(self) -> None:
        self._dated_to = None


def _dates(events: Iterable[RecordedEvent], latest: Latest) -> Iterator[LaterDate]:
    """The dates that are later than all before."""
    for position, _, event in events:
        kind, effective_at = event.account_id == PRICES, event.effective_at
        if kind not in latest or effective_at > latest[kind]:
            latest[kind] = effective_at
            yield position, kind, effective_at


def _take_others(latest: Latest, others: deque[LaterDate], until: int) -> None:
    """Takes the dates of the other half of the accounts up to a position."""
    while others and others[0][0] <= until:
        _, kind, effective_at = others.popleft()
        latest[kind] = max(latest.get(kind, effective_at), effective_at)


def _line(recorded: RecordedEvent, latest: Latest) -> str:
    position, recorded_at, event = recorded
    kind, effective_at = event.account_id == PRICES, event.effective_at
    latest[kind] = dated_to = max(latest.get(kind, effective_at), effective_at)
    names = f"{copied_text(event.TOPIC)}\t{copied_text(event.actor)}\t{copied_text(event.correlation_id)}"
    times = f"{copied_time(effective_at)}\t{copied_time(recorded_at)}\t{copied_time(dated_to)}"
    late = lateness(effective_at, dated_to)
    return f"{position}\t{copied_text(event.account_id)}\t{event.version}\t{names}\t{times}\t{late}"
