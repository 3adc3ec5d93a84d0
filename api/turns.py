"""Much work in small turns: commands go to the writer a chunk at a time, and who else writes gets a turn between."""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ledger import Command, Ledger, Outcome, Recorded, Refused, TooManyRequests, Unavailable

SMALLEST_SIZE, LARGEST_SIZE = 20, 500
"""A chunk of fewer would mostly be its commit: that costs as much as deciding about ten liquidations."""
QUIET_SECONDS = 0.1
"""How long a chunk takes about while nobody else writes: its commit is a small part of it, and who comes waits once."""
BUSY_SECONDS = 0.03
"""How long a chunk takes about while others write: so much is added to what their commands wait."""
REMEMBERED_SECONDS = 1.0
"""How long others are expected to write again after they last did."""
FULL_PAUSE_SECONDS = 0.02
FAILURES_IN_A_ROW = 3

logger = logging.getLogger("ledger.risk")


class Answered(NamedTuple):
    """A command and what became of it; None where it failed by a fault of ours, which the log has."""

    command: Command
    outcome: Outcome | None


class Pace:
    """How many commands the next chunk has, by how long the last ones took and whether others write.

    Others are known by their events: positions between two chunks, or within one, that are not the chunks' own. So it
    does not matter which process they write from.
    """

    def __init__(self) -> None:
        self.size = SMALLEST_SIZE
        self._last_position: int | None = None
        self._busy_until = 0.0

    def learn(self, outcomes: Sequence[Outcome | None], seconds: float) -> None:
        """Takes in a chunk that was answered after so many seconds."""
        now = time.monotonic()
        if self._others_wrote(outcomes):
            self._busy_until = now + REMEMBERED_SECONDS
        wanted = BUSY_SECONDS if now < self._busy_until else QUIET_SECONDS
        fitting = round(len(outcomes) * wanted / max(seconds, 1e-6))
        self.size = max(SMALLEST_SIZE, min(fitting, 2 * self.size, LARGEST_SIZE))

    def _others_wrote(self, outcomes: Sequence[Outcome | None]) -> bool:
        fresh = [one for one in outcomes if isinstance(one, Recorded) and not one.replayed]
        if not fresh:
            return False
        last, own = max(one.position for one in fresh), sum(len(one.events) for one in fresh)
        before = min(one.events[0].position for one in fresh) - 1
        if self._last_position is not None:
            before = min(before, self._last_position)
        self._last_position = last
        return last - before > own


class Turns:
    """Sends commands in chunks, one at a time, each in its place: what comes first is recorded first."""

    def __init__(self, ledger: Ledger, actor: str) -> None:
        self._ledger = ledger
        self._actor = actor
        self._pace = Pace()

    def take(self, commands: Sequence[Command], correlation_id: str) -> Iterator[list[Answered]]:
        """Sends the commands chunk by chunk, and yields what became of each; who has enough stops asking.

        Raises Unavailable where the database is lost: what was not yielded is to be done again.
        """
        start = 0
        while start < len(commands):
            chunk = commands[start : start + self._pace.size]
            began = time.monotonic()
            outcomes = self._submitted(chunk, correlation_id)
            self._pace.learn(outcomes, time.monotonic() - began)
            yield [Answered(*one) for one in zip(chunk, outcomes, strict=True)]
            start += len(chunk)

    def _submitted(self, chunk: Sequence[Command], correlation_id: str) -> list[Outcome | None]:
        """The outcomes of a chunk. Where it fails as a whole each command goes alone: one must not stop the others."""
        try:
            outcomes = self._asked(chunk, correlation_id)
        except Unavailable:
            raise
        except Exception:
            logger.exception("%d commands of the risk engine failed together; each goes alone now", len(chunk))
            return self._one_by_one(chunk, correlation_id)
        return self._one_by_one(chunk, correlation_id) if _unavailable(outcomes) else [*outcomes]

    def _asked(self, chunk: Sequence[Command], correlation_id: str) -> list[Outcome]:
        """Where too many commands of others wait, this one waits for a place among them."""
        while True:
            try:
                return self._ledger.submit(chunk, actor=self._actor, correlation_id=correlation_id)
            except TooManyRequests:
                time.sleep(FULL_PAUSE_SECONDS)

    def _one_by_one(self, chunk: Sequence[Command], correlation_id: str) -> list[Outcome | None]:
        """Several in a row that are not answered mean that the database is lost, and not that they are bad."""
        outcomes: list[Outcome | None] = []
        in_a_row = 0
        for command in chunk:
            outcome = self._alone(command, correlation_id)
            refusal = None if outcome is None else _unavailable([outcome])
            in_a_row = in_a_row + 1 if refusal else 0
            if refusal and in_a_row >= min(FAILURES_IN_A_ROW, len(chunk)):
                raise refusal
            outcomes.append(None if refusal else outcome)
        return outcomes

    def _alone(self, command: Command, correlation_id: str) -> Outcome | None:
        try:
            (outcome,) = self._asked([command], correlation_id)
        except Unavailable:
            raise
        except Exception:
            logger.exception("%s of %s failed; it is tried again later", command.type, command.stream)
            return None
        return outcome


def _unavailable(outcomes: Sequence[Outcome]) -> Unavailable | None:
    """Why commands were not answered, where they were not."""
    for outcome in outcomes:
        if isinstance(outcome, Refused) and isinstance(outcome.refusal, Unavailable):
            return outcome.refusal
    return None
