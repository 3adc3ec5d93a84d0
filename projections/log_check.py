"""What must hold of the log by itself: positions, versions and times in order, and postings that sum to zero."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from ledger.log import RecordedEvent
from ledger.money import ZERO, plain
from ledger.postings import postings
from ledger.words import Line


class LogCheck:
    """Takes the log's events in order, and keeps what is wrong with them and what they sum to.

    `versions` are the last ones of every stream, `first` where its first event stands. `books` sums all books by asset;
    `house` sums the house's own, of the events up to `sum_until`.
    """

    def __init__(self, sum_until: int) -> None:
        self._sum_until = sum_until
        self.position = 0
        self.events = 0
        self.versions: dict[str, int] = {}
        self.first: dict[str, int] = {}
        self.house: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.books: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.differences: list[str] = []
        self._recorded_at: datetime | None = None

    def take(self, batch: Sequence[RecordedEvent]) -> None:
        """Checks the next events."""
        for recorded in batch:
            self._follow(recorded)
            self._sum(recorded.position, postings(recorded.event))
            self.events += 1

    @property
    def balances(self) -> bool:
        """Whether all books together are zero in every asset."""
        return not any(self.books.values())

    def _follow(self, recorded: RecordedEvent) -> None:
        position, recorded_at, event = recorded
        if position != self.position + 1:
            self.differences.append(f"log: event {position} follows event {self.position}; positions have no gaps")
        expected = self.versions.get(event.account_id, 0) + 1
        if event.version != expected:
            self.differences.append(
                f"log: event {position} is version {event.version} of {event.account_id}, version {expected} was due"
            )
        if self._recorded_at is not None and recorded_at < self._recorded_at:
            self.differences.append(
                f"log: event {position} was recorded at {recorded_at.isoformat()},"
                f" the one before it later, at {self._recorded_at.isoformat()}"
            )
        self.position, self._recorded_at = position, recorded_at
        self.versions[event.account_id] = event.version
        self.first.setdefault(event.account_id, position)

    def _sum(self, position: int, lines: Sequence[Line]) -> None:
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for book, asset, amount in lines:
            sums[asset] += amount
            if book.account_id is None and position <= self._sum_until:
                self.house[asset] += amount
        for asset, amount in sums.items():
            self.books[asset] += amount
            if amount:
                self.differences.append(
                    f"log: the lines of event {position} sum to {plain(amount)} {asset}, not to zero"
                )
