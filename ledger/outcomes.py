"""What the ledger answers to a command: recorded, with its events, or refused."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.account import Account
from ledger.commands import Command
from ledger.errors import Refusal
from ledger.events import AnyEvent
from ledger.market import Market

# An answer is made of a tuple in half the time that its class takes.
_new = tuple.__new__


class EventReference(NamedTuple):
    """Where an event stands: on its account and in the log; of `prices.held` also the pairs that are held."""

    account_id: str
    topic: str
    version: int
    position: int
    pairs: tuple[str, ...] = ()


class Recorded(NamedTuple):
    """The command's events are in the log; `replayed` says that they were before this request came.

    `account_id`, `version` and `position` are those of the named account's last event of the decision.
    """

    account_id: str
    version: int
    position: int
    events: list[EventReference]
    replayed: bool = False


class Refused(NamedTuple):
    """The command left no event and no trace."""

    refusal: Refusal


Outcome = Recorded | Refused


class Previewed(NamedTuple):
    """What a command would record now, and the accounts it touches, by id, as they are and as it would leave them.

    `recorded` is its first answer where its key was used already; then nothing more would be recorded.
    """

    events: list[AnyEvent]
    before: dict[str, Account]
    after: dict[str, Account]
    market: Market
    recorded: Recorded | None = None


def recorded(command: Command, events: list[EventReference], *, replayed: bool) -> Recorded:
    """The answer to a command whose decision is these events."""
    stream, last = command.stream, events[-1]
    if last.account_id != stream:
        for event in events:
            if event.account_id == stream:
                last = event
    return _new(Recorded, (stream, last.version, last.position, events, replayed))


def moved(events: Sequence[EventReference], by: int) -> list[EventReference]:
    """Events that stand `by` positions later."""
    return [event._replace(position=event.position + by) for event in events]
