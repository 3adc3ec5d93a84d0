"""The range of a statement: from the points that it is asked between to what will always be in it."""

from datetime import datetime
from typing import Any, NamedTuple

from ledger.errors import Malformed, RuleRefusal
from ledger.log import log_end, position_at, read_positions
from projections.journal.statement_queries import Dated, Recorded
from projections.snapshot import AsOf, Snapshot


class RangeOpen(RuleRefusal):
    code, title = "range_open", "What lies in the range is not certain yet"


class Asked(NamedTuple):
    """A statement as it is asked for: what came after `first` (None: all) up to `last` (None: all there is now).

    Both are positions or recorded times, or both business times, then of what was known at the position `known` (None:
    all there is now). With a wallet, of that one only. Refusals name the ends as whoever asks does.
    """

    account_id: str
    first: AsOf | None = None
    last: AsOf | None = None
    known: int | None = None
    wallet: str | None = None
    end_names: tuple[str, str] = ("from_recorded_at", "to_recorded_at")

    @property
    def is_dated(self) -> bool:
        """Whether it is asked between business times; Malformed where ends do not go together."""
        kinds = {one.kind for one in (self.first, self.last) if one is not None}
        if "effective_at" not in kinds:
            if self.known is not None:
                raise Malformed(
                    f"position {self.known} says what was known, which goes with business times only; what is asked "
                    "between positions or recorded times is as known at its end"
                )
            return False
        if len(kinds) > 1 or self.last is None:
            ends = [("from", self.first), ("to", self.last)]
            stated = " and ".join(f"{name}_{one.kind}" for name, one in ends if one is not None)
            raise Malformed(
                "a statement between business times needs its end, to_effective_at, and no end of another kind; "
                f"asked for is {stated}"
            )
        return True

    @property
    def snapshot_point(self) -> dict[str, Any]:
        """What the snapshot that answers it is as of."""
        if self.is_dated:
            assert self.last is not None
            return {"position": self.known, "effective_at": self.last.value}
        return {} if self.last is None else {self.last.kind: self.last.value}


class End(NamedTuple):
    """An end of a range: the time that was asked for, and the position with when that event was recorded.

    Between business times there is no position, and a time of None is the start of time. Nothing is recorded at 0.
    """

    time: datetime | None
    position: int | None
    recorded_at: datetime | None


class Span(NamedTuple):
    """The range of a statement, all of which stays as it is for ever; `known` is how far the log is told from."""

    by: str
    first: End
    last: End
    known: End

    @property
    def lines(self) -> Recorded | Dated:
        """Which lines are in it."""
        assert self.known.position is not None
        if self.first.position is None:
            assert self.last.time is not None
            return Dated(self.first.time, self.last.time, self.known.position)
        return Recorded(self.first.position, self.known.position)


def span_of(snapshot: Snapshot, asked: Asked) -> Span:
    """The range that is asked for, in the snapshot as of its point.

    Refusals: Malformed where it ends before it begins; RangeOpen where something may still be recorded up to a time
    that is asked for, as nothing was recorded after it yet.
    """
    if asked.is_dated:
        return _business_times(snapshot, asked)
    after = 0 if asked.first is None else _position(snapshot, asked.first, asked.end_names[0])
    until = snapshot.position if asked.last is None else _position(snapshot, asked.last, asked.end_names[1])
    if after > until:
        raise Malformed(f"the statement would begin after position {after} and end at {until}; ask from an earlier one")
    last = _end(snapshot, until, asked.last)
    return Span("recorded_at", _end(snapshot, after, asked.first), last, last._replace(time=None))


def _business_times(snapshot: Snapshot, asked: Asked) -> Span:
    assert asked.last is not None
    first, last = None if asked.first is None else asked.first.value, asked.last.value
    assert not isinstance(first, int)
    assert not isinstance(last, int)
    if first is not None and first > last:
        raise Malformed(
            f"the statement would begin after {first.isoformat()} and end at {last.isoformat()}; begin earlier"
        )
    known = _end(snapshot, snapshot.position, None)
    return Span("effective_at", End(first, None, None), End(last, None, None), known)


def _position(snapshot: Snapshot, at: AsOf, name: str) -> int:
    """The last position up to an end. A time is one only once something was recorded after it."""
    if not isinstance(at.value, datetime):
        return at.value
    position, end = position_at(snapshot.connection, at.value), log_end(snapshot.connection)
    if position < end.position:
        return position
    recorded = (
        "is empty" if end.recorded_at is None else f"ends at position {end.position}, {end.recorded_at.isoformat()}"
    )
    raise RangeOpen(
        f"{name} is {at.value.isoformat()}, and the log {recorded}: what comes next may still be recorded by that "
        f"time. State position {end.position} instead of the time, or ask again once something was recorded after it"
    )


def _end(snapshot: Snapshot, position: int, at: AsOf | None) -> End:
    time = at.value if at is not None and isinstance(at.value, datetime) else None
    events = read_positions(snapshot.connection, [position])
    return End(time, position, events[0].recorded_at if events else None)
