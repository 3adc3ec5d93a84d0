"""What was measured, as figures: rates, percentiles, and medians over rounds."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.tally import Tally

# One for each client and thread of any contender.
FEWEST_COMMANDS = 64


class Wait(NamedTuple):
    """How long one request waited for its answer, and how many commands were in it."""

    milliseconds: float
    commands: int


@dataclass
class Turn:
    """One contender's turn in one round; `rows` are those written to the database, where they are counted.

    `started` is by the machine's monotonic clock, which is the same for all processes.
    """

    commands: int
    seconds: float
    waits: list[Wait]
    tally: Tally | None = None
    rows: int = 0
    started: float = 0.0
    # What this contender's ratio is made of, where it is not of rates.
    ratio: float | None = None
    further: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.commands / self.seconds

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds

    def percentile(self, share: float) -> float:
        """The milliseconds that this share of the commands waited at most."""
        return weighted_percentile(self.waits, share)


class Figure(NamedTuple):
    """A contender's median turn."""

    rate_per_second: float
    p50_ms: float
    p99_ms: float


class Pace:
    """How many commands a turn takes, so that it lasts about as long as asked; it learns from each turn."""

    def __init__(self, guessed_rate: float, step: int = 1) -> None:
        self._rate, self._step = guessed_rate, step

    def commands(self, seconds: float) -> int:
        """A number of commands for so many seconds, in whole steps unless that is less than one."""
        wanted = round(self._rate * seconds)
        return max(FEWEST_COMMANDS, wanted) if wanted < self._step else wanted // self._step * self._step

    def learn(self, turn: Turn) -> Turn:
        self._rate = turn.rate
        return turn


def weighted_percentile(waits: Sequence[Wait], share: float) -> float:
    """The smallest wait that at least this share of all commands did not pass."""
    ordered = sorted(waits)
    needed = share * sum(wait.commands for wait in ordered)
    reached = 0
    for wait in ordered:
        reached += wait.commands
        if reached >= needed:
            return wait.milliseconds
    raise ValueError("nothing waited, so there is no percentile")


def median_figure(turns: Sequence[Turn]) -> Figure:
    """The medians over the rounds, each on its own."""
    return Figure(
        statistics.median(turn.rate for turn in turns),
        statistics.median(turn.percentile(0.5) for turn in turns),
        statistics.median(turn.percentile(0.99) for turn in turns),
    )


def median_ratio(pairs: Iterable[tuple[float, float]]) -> float:
    """The median of the rounds' own ratios: what slows a whole round down leaves its ratio alone."""
    return statistics.median(numerator / denominator for numerator, denominator in pairs)
