"""One database session that follows the log for the projections it leads, a batch at a time."""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.log import RecordedEvent, read_log
from ledger.postgres import Connection
from ledger.storage import CHANNEL
from projections import leadership
from projections.catalogue import PROJECTORS
from projections.progress import Overtaken, advance, ensure_tables, record_failure, standings
from projections.projector import Projector
from projections.tables import LIVE, definition_of, work_in

BATCH_SIZE = 2_000
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0

logger = logging.getLogger("ledger.projections")


@dataclass(slots=True)
class Led:
    """A projection that this session leads, and how it fares.

    A batch that fails is tried again in halves, until the one event is found that fails by itself; `suspect` is the
    last position of the batch that failed first. From then on that event is tried again from time to time.
    """

    name: str
    projector: Projector
    position: int
    batch_size: int
    suspect: int = 0
    retry_at: float = 0.0
    retry_seconds: float = FIRST_RETRY_SECONDS

    def moved(self, position: int, batch_size: int) -> None:
        self.position = position
        self.retry_seconds = FIRST_RETRY_SECONDS
        if position >= self.suspect:
            self.batch_size = batch_size

    def rest(self) -> None:
        self.retry_at = time.monotonic() + self.retry_seconds
        self.retry_seconds = min(2 * self.retry_seconds, LAST_RETRY_SECONDS)


class Follower:
    """Leads what nobody else leads, reads and decodes each batch of the log once, and hands it to all it leads."""

    def __init__(self, connection: Connection, names: Iterable[str], batch_size: int = BATCH_SIZE) -> None:
        self._connection = connection
        self._names = tuple(names)
        self._batch_size = batch_size
        self._led: dict[str, Led] = {}
        ensure_tables(connection, self._names)
        work_in(connection, LIVE)
        connection.execute(f"listen {CHANNEL}")

    def step(self) -> bool:
        """Projects one batch for everything that is led; False where there was nothing to project."""
        self._give_away_what_is_wanted()
        self._take_what_nobody_leads()
        waiting: dict[int, list[Led]] = {}
        for led in self._led.values():
            if led.retry_at <= time.monotonic():
                waiting.setdefault(led.position, []).append(led)
        positions = sorted(waiting)
        # Who is behind reads up to where the next one stands, so that from there on they share every batch.
        limits = zip(positions, [*positions[1:], None], strict=False)
        moved = [self._feed(waiting[position], position, until) for position, until in limits]
        return any(moved)

    def wait(self, seconds: float) -> None:
        """Waits until something is recorded, at most so long: a notification may be lost, the log is not."""
        for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass

    def _give_away_what_is_wanted(self) -> None:
        for name in leadership.wanted_by_others(self._connection, self._led) if self._led else ():
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
            self._led[name] = Led(name, PROJECTORS[name](), known[name].position, self._batch_size)
            logger.info("leading projection %s from position %s", name, known[name].position)

    def _feed(self, group: Sequence[Led], after: int, until: int | None) -> bool:
        try:
            batch = read_log(self._connection, after, min(led.batch_size for led in group), until)
        except Exception as error:
            if self._connection.closed:
                raise
            for led in group:
                self._fail(led, led.batch_size, after + led.batch_size, error)
            return True
        for led in group:
            if batch:
                self._project(led, batch)
        return bool(batch)

    def _project(self, led: Led, batch: Sequence[RecordedEvent]) -> None:
        last = batch[-1].position
        try:
            with self._connection.transaction():
                advance(self._connection, led.name, led.position, last)
                led.projector.project(self._connection, batch)
        except Overtaken:
            led.projector.forget()
            led.position = standings(self._connection)[led.name].position
            logger.warning("projection %s was moved to position %s by another session", led.name, led.position)
        except Exception as error:
            if self._connection.closed:
                raise
            led.projector.forget()
            self._fail(led, len(batch), last, error)
        else:
            led.moved(last, self._batch_size)

    def _fail(self, led: Led, size: int, last: int, error: Exception) -> None:
        if size > 1:
            led.suspect = max(led.suspect, last)
            led.batch_size = size // 2
            return
        text = f"{type(error).__name__}: {error}"
        record_failure(self._connection, led.name, led.position + 1, text)
        led.rest()
        logger.error("projection %s stands still before event %s: %s", led.name, led.position + 1, text, exc_info=error)
