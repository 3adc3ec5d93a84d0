"""Events of the log as entries of a stream: from the log a page at a time, and which of them a filter lets pass."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from api.answers import as_json
from api.keys import Pool
from api.roles import seen_by_customer
from api.streams import text
from ledger import RecordedEvent, texts_shown
from ledger.errors import ProjectionsBehind
from ledger.log import Connection, read_log
from projections.audit_trail.queries import EVERYTHING, Filter, entry, events
from projections.snapshot import open_snapshot


class Entry(NamedTuple):
    """An event as all its readers are sent it, by staff's text or by that of customers, and what filters look at."""

    position: int
    account_id: str
    topic: str
    actor: str
    correlation_id: str
    text: bytes
    customers_text: bytes


class Page(NamedTuple):
    """Entries in order; up to the position `reached` there are no others that were asked for."""

    entries: list[Entry]
    reached: int


def entries_of(connection: Connection, recorded: Sequence[RecordedEvent]) -> list[Entry]:
    """The entries of events: their data is that of the audit trail, texts as they can be shown now."""
    contents = texts_shown(connection, [entry(one) for one in recorded])
    return [_entry(*both) for both in zip(recorded, contents, strict=True)]


def _entry(recorded: RecordedEvent, content: dict[str, Any]) -> Entry:
    event = recorded.event
    written = to_customers = text.event(event.TOPIC, as_json(content), recorded.position)
    if (of_theirs := seen_by_customer(content)) is not content:
        to_customers = text.event(event.TOPIC, as_json(of_theirs), recorded.position)
    asked = (event.account_id, event.TOPIC, event.actor, event.correlation_id)
    return Entry(recorded.position, *asked, written, to_customers)


def passes(one: Entry, only: Filter) -> bool:
    """Whether a filter lets an entry pass; streams are not restricted by time."""
    return (
        (only.account_id is None or one.account_id == only.account_id)
        and (only.topic is None or one.topic == only.topic)
        and (only.actor is None or one.actor == only.actor)
        and (only.correlation_id is None or one.correlation_id == only.correlation_id)
    )


def read_page(pool: Pool, only: Filter, after: int, limit: int) -> Page:
    """The next entries after a position, of up to `limit` events; reaches no further only at the log's end.

    What the audit trail has of a filter's events is found by its indexes; the rest, or all, is read from the log.
    """
    page = None if only == EVERYTHING else _indexed(pool, only, after, limit)
    if page is not None:
        return page
    with pool.connection() as connection:
        read = entries_of(connection, read_log(connection, after, limit))
    return Page([one for one in read if passes(one, only)], read[-1].position if read else after)


def _indexed(pool: Pool, only: Filter, after: int, limit: int) -> Page | None:
    """A page by the audit trail as far as it is; None where it has nothing after the position."""
    try:
        with open_snapshot(pool, stale=True, timeout_seconds=0, names=["audit_trail"]) as snapshot:
            if snapshot.position <= after:
                return None
            found = events(snapshot.connection, snapshot.position, only, after=after, limit=limit)
            entries = entries_of(snapshot.connection, found)
    except ProjectionsBehind:
        return None
    return Page(entries, found[-1].position if len(found) == limit else snapshot.position)
