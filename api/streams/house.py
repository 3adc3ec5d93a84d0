"""What the streams of one process share: the log's end, the margin levels, and how many may be open."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.keys import Pool
from api.streams.tail import Tail
from api.streams.watch import Watch
from ledger.errors import TooManyRequests

ASKING_AT_ONCE = 4
"""How many questions all streams together ask the database at once; the connections are shared with every route."""


class StreamSettings(BaseSettings):
    """Bounds of the streams, from the environment with the prefix `LEDGER_`."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    open_streams: int = Field(500, ge=0)
    heartbeat_seconds: float = Field(15.0, gt=0, allow_inf_nan=False)


class Streams:
    """Made beside the pool that the streams read with; `end` is called in the event loop when the server stops."""

    def __init__(self, pool: Pool, settings: StreamSettings | None = None) -> None:
        self._settings = settings or StreamSettings()
        self._ending = asyncio.Event()
        self.heartbeat_seconds = self._settings.heartbeat_seconds
        self.tail = Tail(str(pool.conninfo))
        self.watch = Watch(pool)
        self.asking = ThreadPoolExecutor(ASKING_AT_ONCE, "streams")
        self.open: Counter[str] = Counter()

    @contextmanager
    def place(self, kind: str) -> Iterator[None]:
        """One of the streams that may be open; TooManyRequests where there is none left."""
        if self.open.total() >= self._settings.open_streams:
            raise TooManyRequests(
                f"{self.open.total()} streams are open, at most {self._settings.open_streams} may be; "
                "close one or come again later (LEDGER_OPEN_STREAMS says how many may be open)"
            )
        self.open[kind] += 1
        try:
            yield
        finally:
            self.open[kind] -= 1

    async def ending(self) -> None:
        """Returns when the streams are to end."""
        await self._ending.wait()

    def end(self) -> None:
        """Ends all streams, each after what was written last; their readers come again."""
        self._ending.set()
