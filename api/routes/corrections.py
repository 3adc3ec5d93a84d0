"""Adjustments with their status, and what the back office would do by hand, told before it is asked for."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers import answer
from api.asking import AnyCaller, Asked, AskedPage, TheDoors, page
from api.bodies import parse_object, read_body
from api.doors import Doors, caller_of, correlation_id_of, doors_of
from api.examples import example
from api.examples_of_corrections import ADJUSTMENTS, PREVIEW
from api.roles import Resource, require_may_read
from api.routes.actions import ACTIONS, Action, content_of
from api.submission import read_command, with_key
from api.words import AdjustmentStatus, Identifier
from ledger import Malformed, texts_shown
from projections.corrections.queries import adjustments
from projections.questions.preview import preview_answer

PREVIEWED = {
    "freeze_account",
    "unfreeze_account",
    "cancel_withdrawal",
    "release_hold",
    "reverse_event",
    "propose_adjustment",
    "approve_adjustment",
    "reject_adjustment",
    "confirm_price",
    "reject_price",
}
"""What the back office does by hand, and may look at before."""

router = APIRouter(tags=["corrections"])


@router.get("/v1/adjustments", summary="Adjustments in order of proposal", responses=example(ADJUSTMENTS))
def get_adjustments(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    status: Annotated[AdjustmentStatus | None, Query(description="`proposed`: those that are pending.")] = None,
    account_id: Annotated[Identifier | None, Query(description="Only of this account.")] = None,
    *,
    shown: AskedPage,
) -> Response:
    """In order of proposal or from the last back, with their status then, who proposed and who decided."""
    require_may_read(caller, Resource.ADJUSTMENTS, account_id)
    with asked.open(doors) as snapshot:
        rows = adjustments(
            snapshot.connection,
            snapshot.position,
            status=status,
            account_id=account_id,
            effective_at=asked.effective_at,
            **shown.asked,
        )
        rows = texts_shown(snapshot.connection, rows)
    found = page("adjustments", rows, shown.limit, lambda row: row["proposed_position"])
    return answer({"position": snapshot.position, **found})


def _shown(doors: Doors, content: dict[str, Any]) -> Any:
    with doors.pool.connection() as connection:
        return texts_shown(connection, content)


def _preview_of(action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def preview(request: Request) -> Response:
        caller, doors = await caller_of(request), doors_of(request)
        if request.query_params:
            raise Malformed("this route takes no parameters; every field stands in the path or in the body")
        body = parse_object(await read_body(request.receive, request.headers.get("content-length", "")))
        content = content_of(action.command, request.path_params, body)
        (content,) = with_key([content], request.headers.get("idempotency-key"))
        # Nothing is recorded, so a key is needed only to see whether it was used.
        unkeyed = {"idempotency_key": f"preview:{correlation_id_of(request)}"}
        command = read_command({**unkeyed, **content}, caller)
        previewed = await run_in_threadpool(doors.ledger.preview, command, actor=caller.actor)
        return answer(await run_in_threadpool(_shown, doors, preview_answer(previewed)))

    return preview


previews = APIRouter(tags=["corrections"])
for _action in ACTIONS:
    if _action.command in PREVIEWED:
        previews.add_api_route(
            f"{_action.path}/preview",
            _preview_of(_action),
            methods=["POST"],
            summary=f"What this would record and change, or its refusal: {_action.summary.lower()}",
            operation_id=f"preview_{_action.command}",
            responses=example(PREVIEW),
            openapi_extra={"x-command": _action.command, "x-preview": True},
        )
