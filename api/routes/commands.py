"""POST /v1/commands, a bare ASGI endpoint in front of FastAPI: its machinery would cost more than a durable decision.

The same answers, refusals and headers as of every other route; documented in api/openapi.py.
"""

from collections.abc import Iterable

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.bodies import parse_commands, read_body
from api.doors import CORRELATION_HEADER, Doors, caller_by, correlation_of, run_in_order
from api.failures import refusal_of
from api.problems import answer_problem
from api.submission import Sender, answer_all, answer_one, with_key
from ledger import Malformed

PATH = "/v1/commands"
PARSED_INLINE_BYTES = 50_000
"""A larger body is parsed in a thread, so that it keeps no other request waiting."""

_CORRELATION = CORRELATION_HEADER.lower().encode()


class Commands:
    """An application whose commands are answered before it is asked; everything else it answers."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or _path_of(scope) != PATH:
            await self._app(scope, receive, send)
            return
        headers = _Headers(scope["headers"])
        correlation_id, unusable = correlation_of(headers.text(_CORRELATION))
        try:
            if unusable is not None:
                raise unusable
            body = await self._answer(scope["query_string"], headers, receive, correlation_id)
        except Exception as error:
            response = answer_problem(refusal_of(error, correlation_id))
            response.headers[CORRELATION_HEADER] = correlation_id
            # It leads to frames that hold the error, a cycle that only the collector would free.
            error.__traceback__ = None
            await response(scope, receive, send)
            return
        answered = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (_CORRELATION, correlation_id.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": answered})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, query: bytes, headers: "_Headers", receive: Receive, correlation_id: str) -> bytes:
        """One command, an array of them, or NDJSON."""
        caller = await caller_by(self._doors.keys, headers.text(b"authorization") or "")
        sender = Sender(caller, correlation_id, _is_atomic(query))
        body = await read_body(receive, headers.text(b"content-length") or "")
        media_type = (headers.text(b"content-type") or "").partition(";")[0].strip().lower()
        if len(body) <= PARSED_INLINE_BYTES:
            contents, alone = parse_commands(body, media_type)
        else:
            contents, alone = await run_in_order(parse_commands, body, media_type)
        contents = with_key(contents, headers.text(b"idempotency-key"))
        if alone:
            return await answer_one(self._doors, contents[0], sender)
        return await answer_all(self._doors, contents, sender)


class _Headers:
    """The headers of a request; of one that is stated twice the first counts, as on every other route."""

    def __init__(self, stated: Iterable[tuple[bytes, bytes]]) -> None:
        self._values = dict(reversed([*stated]))

    def text(self, name: bytes) -> str | None:
        value = self._values.get(name)
        return None if value is None else value.decode("latin-1")


def _path_of(scope: Scope) -> str:
    """The path within this application, wherever it is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


def _is_atomic(query: bytes) -> bool:
    if not query:
        return False
    stated = QueryParams(query)
    unknown = set(stated) - {"atomic"}
    if unknown:
        raise Malformed(f"the parameter {min(unknown)!a} is not known here; POST {PATH} takes atomic=true")
    values = stated.getlist("atomic")
    if values not in ([], ["true"], ["false"]):
        raise Malformed("atomic is true or false, and stated once")
    return values == ["true"]


async def _answered_in_front(_: Request) -> Response:
    raise AssertionError(f"POST {PATH} was not answered in front of the application")


route = Route(PATH, _answered_in_front, methods=["POST"], include_in_schema=False)
"""The path as the application knows it, so that it can say which method is taken there."""
