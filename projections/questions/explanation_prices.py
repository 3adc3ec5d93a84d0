"""The prices that led to a decision: vectors of the log, read backwards as far as they are needed."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, cast

from ledger import exchange
from ledger.events import ExchangeEvent, MarkPrice
from ledger.log import Connection, RecordedEvent, read_versions, stream_back, version_at
from ledger.market import Market
from ledger.words import PRICES
from projections.questions.explanation_case import MOST_WALKED


class LoggedMark(NamedTuple):
    """A price as decisions read it, with the log position of the vector that marked it."""

    mark: MarkPrice
    position: int


class Feed:
    """The vectors recorded up to a position, the newest first, read as far back as is asked for.

    `is_cut` once there are more of them than are walked at most.
    """

    def __init__(self, connection: Connection, position: int, most: int = MOST_WALKED) -> None:
        self._back = stream_back(connection, PRICES, version_at(connection, PRICES, position))
        self._most = most
        self.read: list[RecordedEvent] = []
        self.is_cut = False

    def back_to(self, is_far_enough: Callable[[RecordedEvent], bool]) -> RecordedEvent | None:
        """The newest vector of which that holds; None where none does, or none of those that are walked at most."""
        for one in self.read:
            if is_far_enough(one):
                return one
        while (further := self._further()) is not None:
            if is_far_enough(further):
                return further
        return None

    def marks_at(self, position: int, pairs: Iterable[str], after: int = 0) -> dict[str, LoggedMark]:
        """The price last marked at a position of each of the pairs that was marked after another and has one there."""
        found: dict[str, LoggedMark] = {}
        missing = set(pairs)

        def marks_the_last(one: RecordedEvent) -> bool:
            if one.position <= after:
                return True
            if one.position <= position:
                for pair, mark in marks_of(one).items():
                    if pair in missing:
                        found[pair] = LoggedMark(mark, one.position)
                        missing.remove(pair)
            return not missing

        if missing:
            self.back_to(marks_the_last)
        return found

    def _further(self) -> RecordedEvent | None:
        if len(self.read) >= self._most:
            self.is_cut = True
            return None
        one = next(self._back, None)
        if one is not None:
            self.read.append(one)
        return one


def marks_of(vector: RecordedEvent) -> Mapping[str, MarkPrice]:
    """The prices that a vector marks, as the exchange's own rules take them in."""
    market = Market()
    exchange.evolve(market, cast(ExchangeEvent, vector.event))
    return market.prices


def logged_marks(connection: Connection, stated: Mapping[str, MarkPrice], known: int) -> dict[str, LoggedMark]:
    """What the vectors that an event names by version marked for its pairs, as far as they mark them."""
    versions = {mark.version for mark in stated.values()}
    vectors = {one.event.version: one for one in read_versions(connection, PRICES, sorted(versions))}
    found = {}
    for pair, mark in stated.items():
        vector = vectors.get(mark.version)
        if vector is not None and vector.position <= known and pair in (marks := marks_of(vector)):
            found[pair] = LoggedMark(marks[pair], vector.position)
    return found


def newest_time(marks: Iterable[MarkPrice]) -> datetime | None:
    """When prices were last marked: no pair's price is ever replaced by one that is dated earlier."""
    return max((mark.effective_at for mark in marks), default=None)
