"""The audit trail: every event with who, when and why, of one account or of all."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AccountId, AnyCaller, Asked, AsOf, Limit, Position, TheDoors, page, require_account
from api.doors import Doors
from api.examples import EVENTS, example
from api.roles import Resource, require_may_read
from api.words import Actor, Identifier, Stream, Time, Topic
from projections.audit_trail.queries import Filter, entry, events

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
After = Annotated[Position, Query(description="Only events after this position.")]


@router.get("/v1/events", summary="The audit trail of all accounts", responses=example(EVENTS))
def get_events(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    only: AskedFilter,
    account_id: Annotated[Stream | None, Query(description="An account, `@exchange` or `@prices`.")] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Response:
    """Events in log order; `next` says what `after` must be to read on."""
    require_may_read(caller, Resource.EVENTS)
    return _trail(doors, asked, only, account_id, after, limit)


@router.get("/v1/accounts/{account_id}/events", summary="The audit trail of an account", responses=example(EVENTS))
def get_account_events(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    only: AskedFilter,
    account_id: AccountId,
    after: After = 0,
    limit: Limit = 100,
) -> Response:
    """Events of one account in log order; `next` says what `after` must be to read on."""
    require_may_read(caller, Resource.ACCOUNT, account_id)
    return _trail(doors, asked, only, account_id, after, limit, must_exist=True)


def _trail(
    doors: Doors, asked: AsOf, only: Filter, account_id: str | None, after: int, limit: int, must_exist: bool = False
) -> Response:
    with asked.open(doors) as snapshot:
        if must_exist and account_id is not None:
            require_account(snapshot, account_id)
        rows = events(
            snapshot.connection, snapshot.position, replace(only, account_id=account_id), after=after, limit=limit + 1
        )
    found = page("events", rows, limit, lambda row: row.position)
    return answer({"position": snapshot.position, **found, "events": [entry(row) for row in found["events"]]})
