"""Streams of server-sent events: the log as it grows, and wallets that come into another margin band."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from api.asking import AccountId, AnyCaller, MinPosition, Position, TheDoors
from api.roles import Resource, Role, require_may_read
from api.routes.reports import AnyBand
from api.streams.examples import BAND_STREAM, EVENT_STREAM
from api.streams.levels import MarginLevels
from api.streams.response import EventStream
from api.streams.starting import LAST_EVENT_ID, Beginning, beginning_of
from api.streams.text import MEDIA_TYPE
from api.streams.trail import Trail
from api.words import Actor, Identifier, Stream, Topic
from projections.audit_trail.queries import Filter

router = APIRouter(tags=["streams"])

LastEventId = Annotated[
    str | None, Header(alias=LAST_EVENT_ID, description="The id of the last event that arrived; counts before `after`.")
]
AfterPosition = Annotated[
    Position | None, Query(description="Go on after this position; 0: from the first event. Without it: from now on.")
]


def asked_beginning(
    after: AfterPosition = None, min_position: MinPosition = None, last_event_id: LastEventId = None
) -> Beginning:
    """Where a stream begins."""
    return beginning_of(last_event_id, after, min_position)


def asked_filter(
    topic: Annotated[Topic | None, Query(description="Such as `loan.borrowed`.")] = None,
    actor: Annotated[Actor | None, Query(description="ROLE:NAME of who asked for it.")] = None,
    correlation_id: Annotated[Identifier | None, Query(description="The id of the request.")] = None,
) -> Filter:
    """The filters of a stream of events; all that are stated must hold."""
    return Filter(None, topic, actor, correlation_id)


AskedBeginning = Annotated[Beginning, Depends(asked_beginning)]
AskedFilter = Annotated[Filter, Depends(asked_filter)]


def streamed(example: str) -> dict[str, Any]:
    """How the route of a stream is documented."""
    content = {MEDIA_TYPE: {"schema": {"type": "string"}, "example": example}}
    described = {"description": "Events, until the reader hangs up or the server stops.", "content": content}
    return {"response_class": Response, "responses": {200: described}}


@router.get("/v1/events/stream", summary="All events as they are recorded", **streamed(EVENT_STREAM))
async def stream_events(
    request: Request,
    caller: AnyCaller,
    doors: TheDoors,
    asked: AskedBeginning,
    only: AskedFilter,
    account_id: Annotated[Stream | None, Query(description="An account, `@exchange` or `@prices`.")] = None,
) -> Response:
    """Every event in log order, once: `id` is its position, `event` its topic, `data` its entry of the audit trail.

    An event `position` says how far a stream has come that had nothing to tell. Lines that begin with a colon keep it
    open. Whoever comes again with `Last-Event-ID` goes on right after that event.
    """
    require_may_read(caller, Resource.EVENTS)
    only = replace(only, account_id=account_id)
    return EventStream(request, "events", Trail(doors.streams, doors.pool, only, asked, doors.wait_seconds).tell)


@router.get(
    "/v1/accounts/{account_id}/events/stream",
    summary="The events of an account as they are recorded",
    **streamed(EVENT_STREAM),
)
async def stream_account_events(
    request: Request,
    caller: AnyCaller,
    doors: TheDoors,
    asked: AskedBeginning,
    only: AskedFilter,
    account_id: AccountId,
) -> Response:
    """The same as of all accounts, of this one."""
    require_may_read(caller, Resource.ACCOUNT, account_id)
    only = replace(only, account_id=account_id)
    to_customer = caller.role is Role.CUSTOMER
    trail = Trail(doors.streams, doors.pool, only, asked, doors.wait_seconds, must_exist=True, to_customer=to_customer)
    return EventStream(request, "events", trail.tell)


@router.get(
    "/v1/margin-levels/stream",
    summary="Wallets that owe, and each that comes into another band",
    **streamed(BAND_STREAM),
)
async def stream_margin_levels(
    request: Request, caller: AnyCaller, doors: TheDoors, asked: AskedBeginning, band: AnyBand = None
) -> Response:
    """First the whole state: `state`, an event `level` for each wallet that owes, as the report has it, and `position`.

    Then events `bands` with the wallets that have come into another band up to a position, which is their id; null is
    the band of a wallet that owes nothing. Whoever goes on after a position is told in one such event what differs
    between then and now, then `position`. With `band`: only wallets in that band, that come into it or leave it.
    """
    require_may_read(caller, Resource.REPORTS)
    levels = MarginLevels(doors.streams, doors.pool, band, asked, doors.wait_seconds)
    return EventStream(request, "margin_levels", levels.tell)
