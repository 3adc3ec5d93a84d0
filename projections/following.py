"""Follows the log for the projections that this process leads, a batch at a time."""

import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

import psycopg

from ledger.log import read_log
from ledger.postgres import Connection
from ledger.storage import CHANNEL
from projections import leadership
from projections.catalogue import PROJECTORS
from projections.feeding import Fed, Feeder
from projections.progress import Overtaken, advance, ensure_tables, record_failure, standings
from projections.projector import Writes
from projections.tables import LIVE, definition_of, work_in

BATCH_SIZE = 5_000
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0

logger = logging.getLogger("ledger.projections")


class Led(Fed):
    """A projection that this process leads, and how it fares.

    A batch that fails is tried again in halves, until the one event is found that fails by itself; `suspect` is the
    last position of the batch that failed first. From then on that event is tried again from time to time.
    """

    def __init__(self, name: str, position: int, batch_size: int, connection: Connection) -> None:
        super().__init__(name, PROJECTORS[name](), position)
        self.batch_size = batch_size
        self.retry_at = 0.0
        self._whole_batch = batch_size
        self._suspect = 0
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._connection = connection

    def enter(self, connection: Connection) -> None:
        """It works in the live schema all the time."""

    def write(self, connection: Connection, writes: Writes, before: int, last: int) -> None:
        with connection.transaction():
            advance(connection, self.name, before, last)
            writes.write(connection)

    def written(self, last: int) -> None:
        self._retry_seconds = FIRST_RETRY_SECONDS
        if last >= self._suspect:
            self.batch_size = self._whole_batch

    def failed(self, error: Exception, events: int, last: int) -> None:
        if isinstance(error, Overtaken):
            self.position = standings(self._connection)[self.name].position
            logger.warning("projection %s was moved to position %s by another session", self.name, self.position)
        elif events > 1:
            self._suspect = max(self._suspect, last)
            self.batch_size = events // 2
        else:
            self._stand_still(error)

    def _stand_still(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        record_failure(self._connection, self.name, self.position + 1, text)
        self.retry_at = time.monotonic() + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, LAST_RETRY_SECONDS)
        logger.error("projection %s stands still before event %s: %s", self.name, self.position + 1, text)
        logger.debug("why projection %s stands still", self.name, exc_info=error)


class Follower:
    """Leads what nobody else leads over `connection`, reads each batch of the log once, and feeds it to all it leads.

    What it projects it writes over `writer`.
    """

    def __init__(
        self, connection: Connection, writer: Connection, names: Iterable[str], batch_size: int = BATCH_SIZE
    ) -> None:
        self._connection = connection
        self._names = tuple(names)
        self._batch_size = batch_size
        self._led: dict[str, Led] = {}
        ensure_tables(connection, self._names)
        work_in(connection, LIVE)
        work_in(writer, LIVE)
        connection.execute(f"listen {CHANNEL}")
        self._feeder = Feeder(connection, writer)

    def step(self) -> bool:
        """Projects one batch for everything that is led; False where there was nothing to project."""
        self._give_away_what_is_wanted()
        self._take_what_nobody_leads()
        waiting: dict[int, list[Led]] = {}
        for led in self._led.values():
            if led.retry_at <= time.monotonic():
                waiting.setdefault(led.position, []).append(led)
        positions = sorted(waiting)
        self._feeder.keep_folds({led.position for led in self._led.values()})
        moved, group = False, list[Led]()
        # Who is behind reads up to where the next one stands, and from there on they share every batch, and its fold.
        for position, until in zip(positions, [*positions[1:], None], strict=False):
            group = [*(led for led in group if led.position == position), *waiting[position]]
            moved |= self._feed(group, position, until)
        return moved

    def wait(self, seconds: float) -> None:
        """Waits until something is recorded, at most so long: a notification may be lost, the log is not."""
        for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass

    def close(self) -> None:
        """Waits for what is being written."""
        with suppress(psycopg.Error):
            self._feeder.close()

    def _give_away_what_is_wanted(self) -> None:
        wanted = leadership.wanted_by_others(self._connection, self._led) if self._led else ()
        for name in wanted:
            self._feeder.settle()
            logger.info("projection %s is given away to a rebuild", name)
            del self._led[name]
            leadership.give_away(self._connection, name)

    def _take_what_nobody_leads(self) -> None:
        vacant = [name for name in self._names if name not in self._led]
        if not vacant:
            return
        known = standings(self._connection)
        # Tables of another definition are a rebuild's to replace.
        usable = [name for name in vacant if known[name].definition == definition_of(name).checksum]
        taken = leadership.try_to_lead(self._connection, usable)
        if taken:
            known = standings(self._connection)
        for name in taken:
            self._led[name] = Led(name, known[name].position, self._batch_size, self._connection)
            logger.info("leading projection %s from position %s", name, known[name].position)

    def _feed(self, group: Sequence[Led], after: int, until: int | None) -> bool:
        size = min(led.batch_size for led in group)
        try:
            events = read_log(self._connection, after, size, until)
        except Exception as error:
            if self._connection.closed:
                raise
            self._feeder.settle()
            for led in (led for led in group if led.position == after):
                led.failed(error, led.batch_size, after + led.batch_size)
            return True
        if events:
            self._feeder.feed(group, events)
        if len(events) < size:
            # Who is at the end wants it written; who is behind has it written while the next batch is folded.
            self._feeder.settle()
        return bool(events)
