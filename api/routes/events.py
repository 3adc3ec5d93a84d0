"""The audit trail: every event with who, when and why, of one account or of all; and one event with all about it."""

import json
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.answers import answer, json_of
from api.asking import (
    LAST_POSITION,
    AccountId,
    AnyCaller,
    Asked,
    AskedPage,
    AsOf,
    Page,
    Position,
    TheDoors,
    page,
    require_account,
)
from api.doors import Doors
from api.examples import EVENTS, example
from api.examples_of_events import EVENT
from api.reads.read import note_position
from api.roles import Caller, Resource, require_may_read, seen_by
from api.routes.explanations import Known
from api.words import Actor, Identifier, Stream, Time, Topic
from ledger import Malformed, texts_shown
from projections.audit_trail.queries import Filter, entry, events
from projections.questions.corrections import told_of_reversals
from projections.questions.known import known_of_trail
from projections.questions.one_event import READS, event_answer
from projections.snapshot import Snapshot, open_snapshot

router = APIRouter(tags=["audit trail"])


def asked_filter(
    topic: Annotated[Topic | None, Query(description="Such as `loan.borrowed`.")] = None,
    actor: Annotated[Actor | None, Query(description="ROLE:NAME of who asked for it.")] = None,
    correlation_id: Annotated[Identifier | None, Query(description="The id of the request.")] = None,
    recorded_from: Annotated[Time | None, Query(alias="from", description="Recorded at or after this time.")] = None,
    recorded_to: Annotated[Time | None, Query(alias="to", description="Recorded at or before this time.")] = None,
) -> Filter:
    """The filters of the audit trail; all that are stated must hold."""
    return Filter(None, topic, actor, correlation_id, recorded_from, recorded_to)


AskedFilter = Annotated[Filter, Depends(asked_filter)]


@router.get("/v1/events", summary="The audit trail of all accounts", responses=example(EVENTS))
def get_events(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    only: AskedFilter,
    account_id: Annotated[Stream | None, Query(description="An account, `@exchange` or `@prices`.")] = None,
    after_version: Annotated[Position, Query(description="Only events after this version of `account_id`.")] = 0,
    *,
    shown: AskedPage,
) -> Response:
    """Events in log order, or from the last back; `next` says what `after` (or `before`) must be to read on."""
    require_may_read(caller, Resource.EVENTS)
    if after_version and account_id is None:
        raise Malformed(f"after_version={after_version} is stated without account_id; state whose version it is")
    only = replace(only, account_id=account_id, after_version=after_version)
    return _trail(caller, doors, asked, only, shown)


@router.get("/v1/events/{event_position:int}", summary="One event, and what it posts", responses=example(EVENT))
def get_event(
    caller: AnyCaller,
    doors: TheDoors,
    known: Known,
    event_position: Annotated[int, Path(ge=1, le=LAST_POSITION, description="The event's position in the log.")],
) -> Response:
    """The event, its JSON as it is stored (`recorded`), its postings, and its hash in the seal (`leaf_hash`).

    Texts that are sealed in the log are shown in both, or named in `erased` or `unreadable`; the stored bytes
    themselves are in the proof.

    `of_the_log` and `of_the_account` have the positions before and after it, `prices` the vectors that it was decided
    on. As of a position or a recorded time it is told whether it was reversed by then.
    """
    require_may_read(caller, Resource.EVENTS)
    with open_snapshot(
        doors.pool,
        position=known.position,
        recorded_at=known.recorded_at,
        timeout_seconds=doors.wait_seconds,
        names=READS,
    ) as snapshot:
        note_position(snapshot.position)
        found = event_answer(snapshot, event_position)
        return answer(_with_texts(snapshot, found))


def _with_texts(snapshot: Snapshot, found: dict[str, Any]) -> dict[str, Any]:
    """One event as it is told, its texts shown; JSON without any stays byte by byte what is stored."""
    stored = json.loads(found["recorded"])
    told = texts_shown(snapshot.connection, {**found, "recorded": stored})
    recorded = found["recorded"] if told["recorded"] == stored else json_of(told["recorded"])
    return {**told, "recorded": recorded}


@router.get("/v1/accounts/{account_id}/events", summary="The audit trail of an account", responses=example(EVENTS))
def get_account_events(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    only: AskedFilter,
    account_id: AccountId,
    after_version: Annotated[Position, Query(description="Only events after this version of the account.")] = 0,
    *,
    shown: AskedPage,
) -> Response:
    """Events of one account in log order, or from the last back; `next` says what `after` (or `before`) must be."""
    require_may_read(caller, Resource.ACCOUNT, account_id)
    only = replace(only, account_id=account_id, after_version=after_version)
    return _trail(caller, doors, asked, only, shown, must_exist=True)


def _trail(caller: Caller, doors: Doors, asked: AsOf, only: Filter, shown: Page, must_exist: bool = False) -> Response:
    """What was reversed by then says so, though the event itself stands as it was recorded."""
    with asked.open(doors) as snapshot:
        if must_exist and only.account_id is not None:
            require_account(snapshot, only.account_id)
        rows = events(
            snapshot.connection,
            known_of_trail(snapshot, only.account_id),
            replace(only, dated_to=asked.effective_at),
            **shown.asked,
        )
        told = told_of_reversals(snapshot, [row.position for row in rows])
        found = page("events", rows, shown.limit, lambda row: row.position)
        entries = texts_shown(snapshot.connection, [entry(row) for row in found["events"]])
    entries = [{**seen_by(caller, one), **told.get(one["position"], {})} for one in entries]
    return answer({"position": snapshot.position, **found, "events": entries})
