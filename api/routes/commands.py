"""POST /v1/commands: the one hot route, a plain Starlette endpoint, documented in api/openapi.py."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.bodies import parse_commands, read_body
from api.doors import caller_of, correlation_id_of, doors_of
from api.submission import Sender, answer_all, answer_one, with_key
from ledger import Malformed

PATH = "/v1/commands"
PARSED_INLINE_BYTES = 50_000
"""A larger body is parsed in a thread, so that it keeps no other request waiting."""


async def post_commands(request: Request) -> Response:
    """Takes one command, an array of them, or NDJSON."""
    caller = await caller_of(request)
    sender = Sender(caller, correlation_id_of(request), _is_atomic(request))
    body = await read_body(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if len(body) <= PARSED_INLINE_BYTES:
        contents, alone = parse_commands(body, media_type)
    else:
        contents, alone = await run_in_threadpool(parse_commands, body, media_type)
    contents = with_key(contents, request.headers.get("idempotency-key"))
    if alone:
        return await answer_one(doors_of(request), contents[0], sender)
    return await answer_all(doors_of(request), contents, sender)


def _is_atomic(request: Request) -> bool:
    unknown = set(request.query_params) - {"atomic"}
    if unknown:
        raise Malformed(f"the parameter {min(unknown)!a} is not known here; POST {PATH} takes atomic=true")
    stated = request.query_params.getlist("atomic")
    if stated not in ([], ["true"], ["false"]):
        raise Malformed("atomic is true or false, and stated once")
    return stated == ["true"]


route = Route(PATH, post_commands, methods=["POST"], include_in_schema=False)
