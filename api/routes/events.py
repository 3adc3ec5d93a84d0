"""The audit trail: every event with who, when and why, of one account or of all."""

from dataclasses import replace
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import (
    LAST_POSITION,
    AccountId,
    AnyCaller,
    Asked,
    AsOf,
    Limit,
    Order,
    Position,
    TheDoors,
    page,
    require_account,
)
from api.doors import Doors
from api.examples import EVENTS, example
from api.roles import Caller, Resource, require_may_read, seen_by
from api.words import Actor, Identifier, Stream, Time, Topic
from ledger import texts_shown
from projections.audit_trail.queries import Filter, entry, events
from projections.questions.corrections import told_of_reversals
from projections.questions.known import known_of_trail

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


class Page(NamedTuple):
    """Which page of the trail: between two positions, from the first or from the last back."""

    after: int
    before: int
    limit: int
    order: str


def asked_page(
    after: Annotated[Position, Query(description="Only events after this position.")] = 0,
    before: Annotated[Position, Query(description="Only events before this position.")] = LAST_POSITION,
    limit: Limit = 100,
    order: Order = "asc",
) -> Page:
    """Which page; with `order=desc` the first is the last of the log."""
    return Page(after, before, limit, order)


AskedFilter = Annotated[Filter, Depends(asked_filter)]
AskedPage = Annotated[Page, Depends(asked_page)]


@router.get("/v1/events", summary="The audit trail of all accounts", responses=example(EVENTS))
def get_events(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    only: AskedFilter,
    account_id: Annotated[Stream | None, Query(description="An account, `@exchange` or `@prices`.")] = None,
    *,
    shown: AskedPage,
) -> Response:
    """Events in log order, or from the last back; `next` says what `after` (or `before`) must be to read on."""
    require_may_read(caller, Resource.EVENTS)
    return _trail(caller, doors, asked, replace(only, account_id=account_id), shown)


@router.get("/v1/accounts/{account_id}/events", summary="The audit trail of an account", responses=example(EVENTS))
def get_account_events(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    only: AskedFilter,
    account_id: AccountId,
    shown: AskedPage,
) -> Response:
    """Events of one account in log order, or from the last back; `next` says what `after` (or `before`) must be."""
    require_may_read(caller, Resource.ACCOUNT, account_id)
    return _trail(caller, doors, asked, replace(only, account_id=account_id), shown, must_exist=True)


def _trail(caller: Caller, doors: Doors, asked: AsOf, only: Filter, shown: Page, must_exist: bool = False) -> Response:
    """What was reversed by then says so, though the event itself stands as it was recorded."""
    with asked.open(doors) as snapshot:
        if must_exist and only.account_id is not None:
            require_account(snapshot, only.account_id)
        rows = events(
            snapshot.connection,
            known_of_trail(snapshot, only.account_id),
            replace(only, dated_to=asked.effective_at),
            after=shown.after,
            before=shown.before,
            limit=shown.limit + 1,
            newest_first=shown.order == "desc",
        )
        told = told_of_reversals(snapshot, [row.position for row in rows])
        found = page("events", rows, shown.limit, lambda row: row.position)
        entries = texts_shown(snapshot.connection, [entry(row) for row in found["events"]])
    entries = [{**seen_by(caller, one), **told.get(one["position"], {})} for one in entries]
    return answer({"position": snapshot.position, **found, "events": entries})
