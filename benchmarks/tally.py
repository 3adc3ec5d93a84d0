"""What became of commands: counted by outcome, by topic of the events, and by code of the refusals."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from benchmarks.workload import Script
from ledger import Outcome, Refused

# No benchmark may pass over these: the ledger was not there, was full, gave way to another writer, or was not asked.
LOST = {
    "unavailable",
    "too_many_requests",
    "version_mismatch",
    "batch_refused",
    "malformed",
    "forbidden",
    "unauthenticated",
    "server_failed",
}
# Beyond this share of refusals that were not meant, it is no longer the work that was described.
MOST_UNPLANNED = 0.01


class CommandsLost(RuntimeError):
    """Commands were answered in a way that makes the figures meaningless."""


@dataclass
class Tally:
    """Counts; `planned_*` are what the workload meant to happen."""

    recorded: int = 0
    replayed: int = 0
    refused: int = 0
    planned_replayed: int = 0
    planned_refused: int = 0
    topics: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    @property
    def commands(self) -> int:
        return self.recorded + self.replayed + self.refused

    @property
    def events(self) -> int:
        """How many events were recorded."""
        return self.topics.total()

    def add(self, other: Self) -> None:
        for name in ("recorded", "replayed", "refused", "planned_replayed", "planned_refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.topics += other.topics
        self.codes += other.codes

    def planned(self, script: Script) -> Self:
        """The same, beside what the script meant to happen; CommandsLost where the answers are others than meant."""
        self.planned_replayed, self.planned_refused = script.replayed, script.refused
        unplanned = abs(self.refused - script.refused) + abs(self.replayed - script.replayed)
        if (
            self.commands != len(script.commands)
            or LOST & set(self.codes)
            or unplanned > max(1, MOST_UNPLANNED * self.commands)
        ):
            raise CommandsLost(f"{len(script.commands)} commands were sent, and answered were {self}")
        return self

    def message(self) -> dict[str, Any]:
        """As one process tells it to another."""
        return {**vars(self), "topics": dict(self.topics), "codes": dict(self.codes)}

    @classmethod
    def of_message(cls, message: dict[str, Any]) -> Self:
        """What another process counted."""
        return cls(**{**message, "topics": Counter(message["topics"]), "codes": Counter(message["codes"])})

    def written(self) -> dict[str, Any]:
        """As JSON holds it, with the shares of all commands."""
        named = {"recorded": self.recorded, "replayed": self.replayed, "refused": self.refused}
        return {
            "commands": self.commands,
            **named,
            "shares": {name: round(count / max(1, self.commands), 4) for name, count in named.items()},
            "planned_replayed": self.planned_replayed,
            "planned_refused": self.planned_refused,
            "topics": dict(self.topics.most_common()),
            "refusals": dict(self.codes.most_common()),
        }


def tally_outcomes(outcomes: Iterable[Outcome]) -> Tally:
    """What the Ledger answered in process."""
    tally = Tally()
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            tally.refused += 1
            tally.codes[outcome.refusal.code] += 1
        elif outcome.replayed:
            tally.replayed += 1
        else:
            tally.recorded += 1
            tally.topics.update([event.topic for event in outcome.events])
    return tally


def tally_results(results: Iterable[dict[str, Any]]) -> Tally:
    """What the API answered: results as clients read them."""
    tally = Tally()
    for result in results:
        if result["status"] == "refused":
            tally.refused += 1
            tally.codes[result["problem"]["code"]] += 1
        elif result["status"] == "replayed":
            tally.replayed += 1
        else:
            tally.recorded += 1
            tally.topics.update([event["topic"] for event in result["events"]])
    return tally
