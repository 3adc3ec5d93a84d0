"""How late events were entered: the latest business time known before each, and which events a moment lies across.

Along a stream of events the latest `effective_at` so far, `dated_to`, never decreases. So all that stands up to the
last event whose `dated_to` is not after a moment counts at that moment, and of what follows only what was entered late:
the events with effective_at <= moment < dated_to. They are found without walking the history by their lateness, the
number of digits of the microseconds between the two: one of n digits begins less than 10^n before the moment.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

END = 2**62
"""A position beyond the end of every log."""
MOST_DIGITS = 17
"""Lateness is counted up to this; 10^16 microseconds are 300 years."""
_ONE = timedelta(microseconds=1)
_START_OF_TIME = datetime.min.replace(tzinfo=UTC)

LATE = "unnest(%(lateness)s::smallint[], %(earliest)s::timestamptz[]) as class (lateness, earliest)"
"""The classes of lateness that `across` gives, to be joined with what has a lateness."""


Row = TypeVar("Row")
Part = int | list[int]
"""A part of the log: all up to a position, or some positions."""


class Dated(NamedTuple):
    """What counts at a moment, of a stream in log order: all up to `through`, and what is `beyond`, in order."""

    through: int
    beyond: Sequence[int] = ()

    @classmethod
    def of(cls, known: "int | Dated") -> "Dated":
        """A position, as what counts at it."""
        return cls(known) if isinstance(known, int) else known

    def read(self, ask: Callable[[Part, int], list[Row]], limit: int, *, newest_first: bool = False) -> list[Row]:
        """The first rows in log order, or the last: `ask` is told which part of the log, and how many rows at most."""
        parts: list[Part] = [self.through, list(self.beyond)] if self.beyond else [self.through]
        rows: list[Row] = []
        for part in reversed(parts) if newest_first else parts:
            if len(rows) < limit:
                rows += ask(part, limit - len(rows))
        return rows


def condition_on(part: Part) -> str:
    """The condition on `position` that takes such a part as its value."""
    return "position <= %s" if isinstance(part, int) else "position = any(%s)"


def lateness(effective_at: datetime, dated_to: datetime) -> int:
    """How many digits the microseconds have by which an event is dated before what was known already; 0: it is not."""
    late = (dated_to - effective_at) // _ONE
    return min(len(str(late)), MOST_DIGITS) if late > 0 else 0


def across(moment: datetime) -> dict[str, Any]:
    """The parameters of `LATE`: since when an event of each lateness must be dated to lie across a moment."""
    return {
        "lateness": list(range(1, MOST_DIGITS + 1)),
        "earliest": [*(_before(moment, 10**digits) for digits in range(1, MOST_DIGITS)), _START_OF_TIME],
        "moment": moment,
    }


def _before(moment: datetime, microseconds: int) -> datetime:
    """So long before a moment, or the start of time."""
    since = (moment - _START_OF_TIME) // _ONE
    return moment - microseconds * _ONE if microseconds < since else _START_OF_TIME
