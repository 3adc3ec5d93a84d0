"""The stream of events to one reader: from the log while it is behind, then from the log's end as it grows."""

from collections.abc import Iterable

from api.asking import no_account
from api.keys import Pool
from api.streams.entries import Entry, passes, read_page
from api.streams.house import Streams
from api.streams.line import Line
from api.streams.starting import Beginning, log_end_for
from api.streams.text import CHUNK_BYTES, opening, place
from ledger.log import read_stream
from projections.audit_trail.queries import Filter

FIRST_PAGE = 100
LONGEST_PAGE = 1000
PAGE_BYTES = 250_000
"""Pages grow and shrink to about this: it is what a reader that takes nothing keeps in memory."""


class Trail:
    """One reader's way along the log: every event after its position that the filter lets pass, in order, once.

    With `must_exist` it is refused for an account that was never opened; with `to_customer` its customer reads it.
    """

    def __init__(
        self,
        streams: Streams,
        pool: Pool,
        only: Filter,
        asked: Beginning,
        wait_seconds: float,
        must_exist: bool = False,
        to_customer: bool = False,
    ) -> None:
        self._tail = streams.tail
        self._pool = pool
        self._only = only
        self._asked = asked
        self._wait_seconds = wait_seconds
        self._must_exist = must_exist
        self._to_customer = to_customer
        self._position = self._told = 0
        self._limit = FIRST_PAGE

    async def tell(self, line: Line) -> None:
        """Tells until it is cancelled; refuses before it tells anything."""
        end = await log_end_for(line, self._pool, self._asked, self._wait_seconds)
        if self._must_exist and not await line.ask(self._is_opened):
            raise no_account(self._only.account_id or "", end)
        self._position = end if self._asked.after is None else self._asked.after
        start = opening(f"events after position {self._position}; the log ends at {end}") + place(self._position)
        await line.write(start, told=self._position)
        with self._tail.read():
            while True:
                await line.stay_heard(self._position)
                kept = self._tail.after(self._position)
                if kept is None:
                    await self._tell_page(line)
                elif kept:
                    if chunk := self._chunk(kept):
                        await line.write(chunk, told=self._told)
                else:
                    news = await self._tail.news(self._only.account_id, line.quiet_seconds_left)
                    self._position = max(self._position, news)

    def _is_opened(self) -> bool:
        with self._pool.connection() as connection:
            return bool(read_stream(connection, self._only.account_id or "", limit=1))

    async def _tell_page(self, line: Line) -> None:
        before, limit = self._position, self._limit
        page = await line.ask(lambda: read_page(self._pool, self._only, before, limit))
        rest, size = iter(page.entries), 0
        while chunk := self._chunk(rest):
            size += len(chunk)
            await line.write(chunk, told=self._told)
        self._position = page.reached
        if size > PAGE_BYTES:
            self._limit = max(1, limit // 2)
        elif size < PAGE_BYTES / 2:
            self._limit = min(LONGEST_PAGE, limit * 2)
        if page.reached == before and not self._tail.is_known:
            await self._tail.found(line.quiet_seconds_left)

    def _chunk(self, entries: Iterable[Entry]) -> bytes:
        """The next entries that pass, as much as is written at once; the position moves along."""
        pieces, size = [], 0
        account_id = self._only.account_id
        for entry in entries:
            self._position = entry.position
            # Asked first and here, for most streams are of one account, and most entries of another.
            if account_id is not None and entry.account_id != account_id:
                continue
            if passes(entry, self._only):
                written = entry.customers_text if self._to_customer else entry.text
                pieces.append(written)
                size += len(written)
                self._told = entry.position
                if size >= CHUNK_BYTES:
                    break
        return b"".join(pieces)
