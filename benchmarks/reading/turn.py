"""What one turn over the log found."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReadTurn:
    """So many events of the log taken, or rows written, in so many seconds; `further` are figures of its own."""

    seconds: float
    events: int = 0
    rows: int = 0
    further: dict[str, Any] = field(default_factory=dict)

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds
