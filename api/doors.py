"""What every route needs: the ledger, connections for reading, the keys; and who sends a request."""

import asyncio
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import BoundedSemaphore, Lock
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.crossing import Crossing
from api.keys import KeyRing, Pool
from api.problems import answer_problem
from api.reads.log import ReadLog
from api.roles import Caller
from api.streams.house import Streams
from ledger import Ledger
from ledger.errors import Malformed

CORRELATION_HEADER = "X-Correlation-Id"
_RANDOM = random.Random()
os.register_at_fork(after_in_child=_RANDOM.seed)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


_Result = TypeVar("_Result")
_Parameters = ParamSpec("_Parameters")
_READER = ThreadPoolExecutor(1, "reading")
DOCUMENTS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Doors:
    """What the routes share; `wait_seconds` is how long a question waits for the projections to catch up.

    `decided` counts the commands that came by HTTP and were decided, by what became of them. `what_if` is held by the
    one what-if that is being worked, `documents` by the statements that are being written.
    """

    ledger: Ledger
    pool: Pool
    keys: KeyRing
    crossing: Crossing
    streams: Streams
    reads: ReadLog
    wait_seconds: float
    decided: Counter[str] = field(default_factory=Counter)
    what_if: Lock = field(default_factory=Lock)
    documents: BoundedSemaphore = field(default_factory=partial(BoundedSemaphore, DOCUMENTS_AT_ONCE))


def doors_of(request: HTTPConnection) -> Doors:
    """The doors that a request came in by."""
    doors = request.app.state.doors
    assert isinstance(doors, Doors)
    return doors


async def caller_of(request: HTTPConnection) -> Caller:
    """Who sends a request; Unauthenticated without a valid key."""
    return await caller_by(doors_of(request).keys, request.headers.get("authorization", ""))


async def caller_by(keys: KeyRing, authorization: str) -> Caller:
    """Whom the header Authorization names; Unauthenticated without a valid key."""
    kept = keys.kept(authorization)
    return kept if kept is not None else await run_in_threadpool(keys.find, authorization)


async def run_in_order(
    work: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs
) -> _Result:
    """Work of some milliseconds beside the event loop, one piece after the other.

    In threads of their own all would take the interpreter from each other, the writer and the event loop, and all
    would be done late; so the first has its commands decided while the second is being read.
    """
    return await asyncio.get_running_loop().run_in_executor(_READER, partial(work, *arguments, **named))


def correlation_id_of(request: HTTPConnection) -> str:
    """The id that all events of this request carry."""
    correlation_id = request.state.correlation_id
    assert isinstance(correlation_id, str)
    return correlation_id


def _new_id() -> str:
    """Unlike the system's, these random numbers cost no system call, at which every request would lose its turn."""
    return f"{_RANDOM.getrandbits(128):032x}"


def correlation_of(stated: str | None) -> tuple[str, Malformed | None]:
    """The correlation id that a request states, or a new one; and why the stated one is not usable."""
    if stated is None:
        return _new_id(), None
    if _IDENTIFIER.fullmatch(stated):
        return stated, None
    refusal = Malformed(f"the header {CORRELATION_HEADER} is not 1 to 64 of the characters A-Z a-z 0-9 _ . : -")
    return _new_id(), refusal


class Correlation:
    """Gives every request the correlation id it states, or a new one, and states it in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id, refusal = correlation_of(HTTPConnection(scope).headers.get(CORRELATION_HEADER))
        scope.setdefault("state", {})["correlation_id"] = correlation_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[CORRELATION_HEADER] = correlation_id
            await send(message)

        if refusal is None:
            await self._app(scope, receive, send_with_id)
        else:
            await answer_problem(refusal)(scope, receive, send_with_id)
