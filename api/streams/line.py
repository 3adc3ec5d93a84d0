"""The line to the reader of one stream: what is written waits for room, and goes only to a key that is good."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from starlette.types import Message, Send

from api.failures import DATABASE_LOST
from api.keys import SECONDS_KEPT, KeyRing
from api.streams.text import HEARTBEAT, MEDIA_TYPE, comment, place

RETRY_SECONDS = 1.0
HEADERS = [
    (b"content-type", MEDIA_TYPE.encode()),
    (b"cache-control", b"no-store"),
    # Proxies that gather answers before they pass them on would hold events back.
    (b"x-accel-buffering", b"no"),
]

logger = logging.getLogger("ledger.api")
_Answer = TypeVar("_Answer")


class Line:
    """Begins the answer with the first thing written, so that what is refused before is answered as a problem.

    `heartbeat_seconds` is how long the line is quiet at most. Unauthenticated ends it once its key was revoked.
    """

    def __init__(
        self, send: Send, asking: Executor, keys: KeyRing, authorization: str, heartbeat_seconds: float
    ) -> None:
        self._send = send
        self._asking = asking
        self._keys = keys
        self._authorization = authorization
        self._heartbeat_seconds = heartbeat_seconds
        self._written_at = self._checked_at = time.monotonic()
        self._told = 0
        self.is_open = False

    async def write(self, content: bytes, told: int = 0) -> None:
        """Send, once the reader's socket has room; `told` is the position of the last event id in it."""
        await self._require_good_key()
        await self.say(content)
        self._told = max(self._told, told)

    async def stay_heard(self, position: int) -> None:
        """Say something where the line was quiet for long: how far the reader has come, if that is news."""
        if self.quiet_seconds_left <= 0:
            await self.write(place(position) if position > self._told else HEARTBEAT, told=position)

    @property
    def quiet_seconds_left(self) -> float:
        """How long the line may yet be quiet."""
        return max(0.0, self._written_at + self._heartbeat_seconds - time.monotonic())

    async def ask(self, question: Callable[[], _Answer]) -> _Answer:
        """The answer to a question, asked beside the event loop, a few at once over all streams.

        A line that is open outlives the loss of the database: it is asked again until it answers.
        """
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._asking, question)
            except DATABASE_LOST as error:
                if not self.is_open:
                    raise
                logger.warning("a stream waits for the database: %s", error)
                await self.say(comment("the database cannot be reached; this goes on when it can"))
                await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        """End the answer well."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _require_good_key(self) -> None:
        if time.monotonic() >= self._checked_at + SECONDS_KEPT:
            if self._keys.kept(self._authorization) is None:
                await self.ask(lambda: self._keys.find(self._authorization))
            self._checked_at = time.monotonic()

    async def say(self, content: bytes) -> None:
        """Send without a look at the key: nothing of the ledger is told."""
        if not self.is_open:
            self.is_open = True
            await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        body: Message = {"type": "http.response.body", "body": content, "more_body": True}
        await self._send(body)
        self._written_at = time.monotonic()
