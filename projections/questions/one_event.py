"""One event with what it posts, what stands before and after it, the prices it was decided on, and its hash."""

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.errors import UnknownEvent
from ledger.log import RecordedEvent, read_positions, read_rows, read_versions
from ledger.merkle import leaf_hash
from ledger.money import plain
from ledger.postings import postings
from ledger.sealing import read_leaves
from ledger.signing import base64_of
from ledger.words import PRICES, Line
from projections.audit_trail.queries import entry
from projections.questions.corrections import told_of_reversals
from projections.snapshot import Snapshot

READS = ("corrections",)
"""The projections that it is told from; all else is in the log."""


def event_answer(snapshot: Snapshot, position: int) -> dict[str, Any]:
    """What GET /v1/events/{position} answers; UnknownEvent where the log has none there as of the snapshot.

    `recorded` is the event's JSON byte by byte as it is stored, its sealed texts sealed. `previous` and `next` are
    positions, None where there is no event. `prices` has, of each pair that the event states a mark of, the version and
    position of the vector.
    `leaf_hash` is the SHA-256 that the seal has of it, in base64 (RFC 6962, section 2.1), sealed already or not.
    """
    found = read_positions(snapshot.connection, [position] if position <= snapshot.position else [])
    if not found:
        raise UnknownEvent(
            f"the log has no event at position {position}, of what is recorded up to position {snapshot.position}; "
            "GET /v1/events lists what it has"
        )
    one = found[0]
    [row], [leaf] = (
        read_rows(snapshot.connection, position - 1, 1),
        read_leaves(snapshot.connection, position - 1, position),
    )
    return {
        "position": snapshot.position,
        "event": {**entry(one), **told_of_reversals(snapshot, [position]).get(position, {})},
        "recorded": bytes(row.state).decode(),
        "postings": [_posted(line) for line in postings(one.event)],
        "of_the_log": _beside(position - 1 or None, position + 1 if position < snapshot.position else None),
        "of_the_account": _of_the_account(snapshot, one),
        "prices": _vectors(snapshot, one),
        "leaf_hash": base64_of(leaf_hash(leaf)),
    }


def _posted(line: Line) -> dict[str, Any]:
    book = line.book
    wallet = None if book.account_id is None else book.name
    return {
        "book": book.path,
        "account_id": book.account_id,
        "wallet": wallet,
        "part": None if wallet is None else book.part,
        "asset": line.asset,
        "amount": plain(line.amount),
    }


def _beside(previous: int | None, following: int | None) -> dict[str, int | None]:
    return {"previous": previous, "next": following}


def _of_the_account(snapshot: Snapshot, one: RecordedEvent) -> dict[str, int | None]:
    """The events of the same stream right before and after, as of the snapshot."""
    version = one.event.version
    around = read_versions(snapshot.connection, one.event.account_id, [version - 1, version + 1])
    places = {other.event.version: other.position for other in around if other.position <= snapshot.position}
    return _beside(places.get(version - 1), places.get(version + 1))


def _vectors(snapshot: Snapshot, one: RecordedEvent) -> dict[str, dict[str, int]]:
    """Of each pair that the event states a mark of, the vector that marked it."""
    marks = dict(_marks(one.event.model_dump(mode="json", exclude_none=True)))
    if one.event.account_id.startswith("@"):
        return {}
    vectors = read_versions(snapshot.connection, PRICES, sorted(set(marks.values())))
    places = {vector.event.version: vector.position for vector in vectors}
    return {
        pair: {"version": version, "position": places[version]}
        for pair, version in sorted(marks.items())
        if version in places
    }


def _marks(stated: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The pairs and versions of the marks that an event states, or what it was assessed by."""
    assessments = [stated.get("assessment", {}), *stated.get("assessments", {}).values()]
    for told in (stated, *assessments):
        for pair, mark in told.get("prices", {}).items():
            if isinstance(mark, Mapping) and "version" in mark:
                yield pair, mark["version"]
