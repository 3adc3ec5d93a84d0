"""Logs of random events, as a seeded simulation decides them, and putting events into a database."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from ledger.events import AnyEvent, write_event
from ledger.log import log_end, read_log
from ledger.postgres import connect
from ledger.private_texts import texts_of
from ledger.stored import put_restoration
from ledger.text_keys import TextKey
from projections.key_check import ClaimReader
from tests.simulation.machine import run

FIRST_RECORDED_AT = datetime(2026, 1, 16, tzinfo=UTC)


@cache
def random_log(steps: int = 1500, seed: int = 9) -> tuple[AnyEvent, ...]:
    """The events that so many random commands led to, as they are stored; the same seed gives the same events."""
    return tuple(_sealed(event) for event in run(steps, seed).book.log)


def _sealed(event: AnyEvent) -> AnyEvent:
    """The event with its texts sealed under a key that follows from its account, and is nowhere in the database."""
    if event.account_id.startswith("@") or not (texts := texts_of(event)):
        return event
    secret = hashlib.sha512(event.account_id.encode()).digest()
    key = TextKey(f"key-of-{event.account_id}", event.account_id, 0, AESSIV(secret))
    return event.model_copy(update={name: key.seal(name, text) for name, text in texts.items()})


@cache
def long_log(times: int = 12) -> tuple[AnyEvent, ...]:
    """The events of a random log, of each account again and again under other names: for what takes some time."""
    house = [event for event in random_log() if event.account_id.startswith("@")]
    own = [event for event in random_log() if not event.account_id.startswith("@")]
    copies = [
        event.model_copy(update={"account_id": f"{event.account_id}-{number}"})
        for number in range(times)
        for event in own
    ]
    return (*house, *copies)


def record(url: str, events: Iterable[AnyEvent]) -> int:
    """Adds events to the end of the log, one a second, and returns its last position."""
    with connect(url) as connection:
        end = log_end(connection).position
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for end, event in enumerate(events, start=end + 1):  # noqa: B020 - the end moves on
                at = FIRST_RECORDED_AT + timedelta(seconds=end)
                copy.write_row((end, at, event.account_id, event.version, event.TOPIC, write_event(event)))
        put_restoration(connection, end)
        connection.execute("notify ledger_events")
    return end


def record_keys(url: str) -> None:
    """Claims the keys of all events in the log, as the ledger does when it records a decision."""
    with connect(url, autocommit=True) as connection:
        claims = ClaimReader()
        found = [*claims.take(read_log(connection, 0, 2**31)), *claims.finish()]
        with connection.cursor() as cursor, cursor.copy(COPY_KEYS) as copy:
            for claim in found:
                # A trade between two accounts is one decision: the keys of both name the events of both.
                first, last = min(claim.first, claim.earliest), max(claim.last, claim.latest)
                copy.write_row((claim.account_id, claim.key, None if " " in claim.key else CONTENT, first, last))


CONTENT = '{"type":"any"}'
COPY_KEYS = "copy idempotency_keys (account_id, key, content, first_position, last_position) from stdin"
COPY = "copy events (notification_id, recorded_at, originator_id, originator_version, topic, state) from stdin"


def recorded_log(url: str, events: Sequence[AnyEvent] = ()) -> Sequence[AnyEvent]:
    """Puts a whole log (a random one unless told) into an empty database, and returns it."""
    events = events or random_log()
    assert record(url, events) == len(events)
    record_keys(url)
    return events
