"""What is explained: one liquidation or margin call, with its events, as the log has them."""

from collections.abc import Iterator
from typing import NamedTuple, cast

from ledger.errors import Unknown, UnknownLiquidation
from ledger.events import (
    AccountEvent,
    InterestAccrued,
    LiquidationCompleted,
    LiquidationStarted,
    MarginCalled,
)
from ledger.log import Connection, RecordedEvent, read_positions, read_stream, stream_pages
from ledger.postings import postings
from projections.questions.walk import wallets_touched

Cause = LiquidationStarted | MarginCalled
MOST_WALKED = 20_000
"""How many events of an account, and how many price vectors, are walked at most before the cause."""


class Case(NamedTuple):
    """`cause` is the event that is explained, `events` are those of its wallet from the decision it was made in on.

    They end with its decision, for a liquidation with its completion, and in any case at the position `known`.
    """

    cause: RecordedEvent
    events: list[RecordedEvent]
    known: int

    @property
    def event(self) -> Cause:
        return cast(Cause, self.cause.event)

    @property
    def account_id(self) -> str:
        return self.event.account_id

    @property
    def wallet(self) -> str:
        return self.event.wallet

    @property
    def first(self) -> RecordedEvent:
        """The first event of the decision that the cause was made in: interest may have been charged before it."""
        return self.events[0]

    @property
    def completed(self) -> LiquidationCompleted | None:
        last = self.events[-1].event
        return last if isinstance(last, LiquidationCompleted) else None


def case_at(connection: Connection, position: int, known: int) -> Case:
    """The liquidation or margin call that the event at a position belongs to; Unknown where it is none's."""
    found = read_positions(connection, [position] if position <= known else [])
    event = found[0].event if found else None
    if isinstance(event, MarginCalled | LiquidationStarted):
        return case_of(connection, event.account_id, event.version, known)
    liquidation_id = getattr(event, "liquidation_id", None)
    if liquidation_id is None:
        what = "lies beyond what was known" if event is None else f"is {event.TOPIC} of {event.account_id}"
        raise Unknown(
            f"the event at position {position} {what}, up to position {known}; name a liquidation or a margin call as "
            "ACCOUNT.VERSION, or by the position of one of its events"
        )
    account_id, _, version = str(liquidation_id).rpartition(".")
    return case_of(connection, account_id, int(version), known)


def case_of(connection: Connection, account_id: str, version: int, known: int) -> Case:
    """The liquidation or margin call whose event has this version, of what was recorded up to the position `known`.

    Refusals: UnknownLiquidation where that event is not there or is another.
    """
    found = read_stream(connection, account_id, after_version=version - 1, until_position=known, limit=1)
    if not found or found[0].event.version != version or not isinstance(found[0].event, Cause):
        what = f"version {version} is {found[0].event.TOPIC}" if found else f"it has no version {version}"
        raise UnknownLiquidation(
            f"no liquidation or margin call {account_id}.{version} is on account {account_id}: {what} up to position "
            f"{known}; GET /v1/liquidations and GET /v1/margin-calls list what there is"
        )
    cause = found[0]
    events = [*_charged_before(connection, cause), *_from(connection, cause, known)]
    return Case(cause, events, known)


def _charged_before(connection: Connection, cause: RecordedEvent) -> list[RecordedEvent]:
    """The interest that was charged in the same decision, if any was."""
    event = cast(Cause, cause.event)
    before = read_stream(connection, event.account_id, after_version=event.version - 2, limit=1)
    if event.version < 2 or not before or not is_of_one_decision(before[0], cause):
        return []
    charged = before[0].event
    return before if isinstance(charged, InterestAccrued) and charged.wallet == event.wallet else []


def _from(connection: Connection, cause: RecordedEvent, known: int) -> Iterator[RecordedEvent]:
    """The cause and all that happened to its wallet until the liquidation was completed; of a call nothing more."""
    yield cause
    event = cast(Cause, cause.event)
    if isinstance(event, MarginCalled):
        return
    for page in stream_pages(connection, event.account_id, event.version, 2**62):
        for one in page:
            if one.position > known:
                return
            if touches(one, event.wallet):
                yield one
            if isinstance(one.event, LiquidationCompleted) and one.event.liquidation_id == event.liquidation_id:
                return


def touches(recorded: RecordedEvent, wallet: str) -> bool:
    """Whether an event posts to a wallet, acts on it or sets it."""
    return wallet in wallets_touched(recorded.event, postings(recorded.event))


def is_of_one_decision(one: RecordedEvent, after: RecordedEvent) -> bool:
    """Whether an event was decided together with the one right after it: recorded next to it, by the same request."""
    return one.position + 1 == after.position and _envelope(one) == _envelope(after)


def _envelope(recorded: RecordedEvent) -> tuple[object, ...]:
    event = cast(AccountEvent, recorded.event)
    asked = (event.actor, event.correlation_id, event.idempotency_key, event.reason)
    return (event.account_id, event.effective_at, *asked)


def decisions_in(events: list[RecordedEvent]) -> list[list[RecordedEvent]]:
    """The events in the groups that were decided together."""
    groups: list[list[RecordedEvent]] = []
    for one in events:
        if groups and is_of_one_decision(groups[-1][-1], one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups
