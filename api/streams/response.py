"""An answer that goes on until its reader goes, its key is revoked, or the server stops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.doors import Doors, correlation_id_of, doors_of
from api.failures import refusal_of
from api.streams.line import Line
from api.streams.text import MEDIA_TYPE, comment
from ledger.errors import Unavailable

FAREWELL_SECONDS = 1.0
"""How long a reader that takes nothing may keep the end of its stream from being written."""

logger = logging.getLogger("ledger.api")
Telling = Callable[[Line], Awaitable[None]]


class EventStream(Response):
    """Runs what tells a stream on a line of its own; what it refuses before it tells anything is a problem.

    TooManyRequests where as many streams are open as may be.
    """

    media_type = MEDIA_TYPE

    def __init__(self, request: Request, kind: str, tell: Telling) -> None:
        super().__init__()
        self._doors: Doors = doors_of(request)
        self._authorization = request.headers.get("authorization", "")
        self._correlation_id = correlation_id_of(request)
        self._kind = kind
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        streams = self._doors.streams
        with streams.place(self._kind):
            line = Line(send, streams.asking, self._doors.keys, self._authorization, streams.heartbeat_seconds)
            telling = asyncio.create_task(self._told(line))
            gone = asyncio.create_task(_gone(receive))
            ending = asyncio.create_task(streams.ending())
            try:
                await asyncio.wait([telling, gone, ending], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (telling, gone, ending):
                    task.cancel()
                await asyncio.gather(telling, gone, ending, return_exceptions=True)
        await self._end(line, telling)

    async def _told(self, line: Line) -> None:
        """What goes wrong once the answer has begun is said in it; the reader comes again and is told by a problem."""
        try:
            await self._tell(line)
        except Exception as error:
            if not line.is_open:
                raise
            await line.say(comment(refusal_of(error, self._correlation_id).detail))

    async def _end(self, line: Line, telling: "asyncio.Task[None]") -> None:
        if line.is_open:
            with suppress(TimeoutError):
                await asyncio.wait_for(line.close(), FAREWELL_SECONDS)
        elif telling.cancelled():
            raise Unavailable("the server is stopping; open the stream again in a moment")
        else:
            telling.result()


async def _gone(receive: Receive) -> None:
    """Returns when the reader has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
