"""The end of the log as it grows, read once for all streams of a process, and kept for a while."""

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from operator import attrgetter

from api.streams.entries import Entry, Page, entries_of
from ledger.events import TextsErased
from ledger.log import log_end, read_log
from ledger.postgres import SERVICE, Connection, connect
from ledger.storage import CHANNEL

PAGE = 500
MOST_ENTRIES = 5_000
MOST_BYTES = 8_000_000
POLL_SECONDS = 0.25
GATHER_SECONDS = 0.02
"""A pause after each page: what many small batches record in it wakes the readers once."""
FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 5.0

TAKEN_AT_ONCE = 200

logger = logging.getLogger("ledger.streams")
_POSITION = attrgetter("position")
Waiter = asyncio.Future[int]


class Tail:
    """The last entries of the log, for the readers that stand near its end; without readers it does nothing.

    There is no buffer for each reader: one that falls behind what is kept reads the log itself. All of this is of the
    event loop, but the reading, which has a connection and a thread of its own.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(1, "tail")
        self._readers = 0
        self._task: asyncio.Task[None] | None = None
        self._waiting: dict[str | None, set[Waiter]] = {}
        self._is_known = asyncio.Event()
        self._forget()

    def _forget(self) -> None:
        self._kept: list[Entry] = []
        self._bytes = 0
        # What is kept are the entries after the position `_before`, up to `_end`.
        self._before = self._end = 0
        self._is_known.clear()

    @property
    def is_known(self) -> bool:
        """Whether the log's end was found yet."""
        return self._is_known.is_set()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Follows the log as long as anybody reads."""
        self._readers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            self._readers -= 1

    def after(self, position: int) -> Sequence[Entry] | None:
        """The next entries after a position, none at the end; None where the log itself must be asked."""
        if not self.is_known or position < self._before:
            return None
        if position >= self._end:
            return ()
        start = bisect_right(self._kept, position, key=_POSITION)
        return self._kept[start : start + TAKEN_AT_ONCE]

    async def found(self, timeout_seconds: float) -> None:
        """Waits until the log's end is known, or so long."""
        waiting = asyncio.ensure_future(self._is_known.wait())
        await asyncio.wait([waiting], timeout=timeout_seconds)
        waiting.cancel()

    async def news(self, account_id: str | None, timeout_seconds: float) -> int:
        """Waits until there is something new, of this account unless it is None, or so long.

        To be asked right after `after` had nothing. Returns a position up to which there is nothing new.
        """
        waiter: Waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiting.setdefault(account_id, set())
        waiters.add(waiter)
        try:
            await asyncio.wait([waiter], timeout=timeout_seconds)
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiting.get(account_id) is waiters:
                del self._waiting[account_id]
        return waiter.result() if waiter.done() else self._end

    async def _follow(self) -> None:
        source, pause = _Source(self._url), FIRST_PAUSE_SECONDS
        try:
            while self._readers:
                try:
                    page = await asyncio.get_running_loop().run_in_executor(self._thread, source.next)
                except Exception as error:
                    logger.warning("streams: %s; reading on in %.1f s", str(error).strip(), pause)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LAST_PAUSE_SECONDS)
                    continue
                pause = FIRST_PAUSE_SECONDS
                self._take(page)
                if page.entries:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            self._task = None
            self._forget()
            self._thread.submit(source.close)

    def _take(self, page: Page) -> None:
        if not self.is_known:
            self._before = self._end = page.reached
            self._is_known.set()
        elif page.entries:
            self._wake(page.entries)
            self._end = page.reached
            if any(entry.topic == TextsErased.TOPIC for entry in page.entries):
                self._drop_kept(page.entries[0].position - 1)
            self._kept += page.entries
            self._bytes += sum(len(entry.text) for entry in page.entries)
            self._keep_to_size()

    def _drop_kept(self, before: int) -> None:
        """Keep nothing of what was told with texts that are erased now: who is behind reads the log again."""
        self._kept, self._bytes, self._before = [], 0, before

    def _keep_to_size(self) -> None:
        gone = 0
        while len(self._kept) - gone > MOST_ENTRIES or self._bytes > MOST_BYTES:
            self._bytes -= len(self._kept[gone].text)
            gone += 1
        if gone:
            self._before = self._kept[gone - 1].position
            del self._kept[:gone]

    def _wake(self, entries: Sequence[Entry]) -> None:
        """Wakes who waits for anything, and who waits for one of these accounts."""
        before: dict[str | None, int] = {None: entries[0].position - 1}
        for entry in entries:
            before.setdefault(entry.account_id, entry.position - 1)
        for account_id, position in before.items():
            for waiter in self._waiting.pop(account_id, ()):
                if not waiter.done():
                    waiter.set_result(position)


class _Source:
    """Reads the log on from where it ended at first, waiting a while where there is nothing; all in one thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._position: int | None = None

    def next(self) -> Page:
        """The next entries, maybe none; the first time only where the log ends."""
        connection = self._connected()
        if self._position is None:
            self._position = log_end(connection).position
            return Page([], self._position)
        recorded = read_log(connection, self._position, PAGE)
        if not recorded:
            for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass
            recorded = read_log(connection, self._position, PAGE)
        entries = entries_of(connection, recorded)
        if entries:
            self._position = entries[-1].position
        return Page(entries, self._position)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, application_name="ledger streams", role=SERVICE, autocommit=True)
            self._connection.execute(f"listen {CHANNEL}")
        return self._connection
