"""The one writer of a process: takes all commands that wait, decides them, and records them in one transaction.

While one batch is being committed the next one is decided, on what the first will leave. Where others write too, or a
connection breaks, that head start is given up, and a batch is recorded with the ordering lock in hand.
"""

import logging
import time
from collections.abc import Sequence
from threading import Thread

import psycopg
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.batch import Batch, Lookup
from ledger.connections import Connections, Link
from ledger.deciding import Draft
from ledger.errors import Unavailable
from ledger.events import TextsErased
from ledger.flight import Flight, Save
from ledger.inbox import Inbox, Request
from ledger.log import Connection
from ledger.outcomes import Outcome, Refused
from ledger.present import Present
from ledger.snapshots import SnapshotKeeper
from ledger.storage import LogMovedOn, lock_log, was_recorded
from ledger.text_keys import TextKeys
from ledger.wire import is_definite

logger = logging.getLogger("ledger.writer")

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5
# After others have written, so many batches are recorded with the lock in hand before a head start is tried again.
BATCHES_WITHOUT_HEAD_START = 8


class WriterSettings(BaseSettings):
    """Bounds of the write path, from the environment with the prefix `LEDGER_`."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    # How many accounts are kept in memory between batches, and about how many bytes they may take.
    cached_accounts: int = Field(100_000, ge=0)
    cached_bytes: int = Field(500_000_000, ge=0)
    # About how many commands are recorded in one transaction, and how many may wait for it.
    batch_commands: int = Field(1_000, ge=1)
    waiting_commands: int = Field(10_000, ge=1)
    # How long a database that was there a moment ago is tried again before commands are answered with Unavailable.
    patience_seconds: float = Field(2.0, ge=0, allow_inf_nan=False)


class Writer:
    """Answers the requests of an inbox, batch after batch, in a thread of its own, until the inbox is closed.

    `save` records events through the event-sourcing application. A failed commit leaves what is known as it was, and
    the next batch connects anew.
    """

    def __init__(self, url: str, inbox: Inbox, save: Save, settings: WriterSettings) -> None:
        self._inbox = inbox
        self._save = save
        self._settings = settings
        self._snapshots = SnapshotKeeper(url)
        self.present = Present(settings.cached_accounts, settings.cached_bytes, self._snapshots.offer)
        self._connections = Connections(url, self.present)
        self._text_keys = TextKeys(url)
        self._is_reachable = True
        self._without_head_start = 0
        self._was_touched = False
        self._thread = Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until the closed inbox is empty and all its requests are answered."""
        self._thread.join()
        self._snapshots.close()

    def _run(self) -> None:
        decided: Batch | None = None
        while (requests := self._inbox.take(self._settings.batch_commands, wait=decided is None)) or decided:
            decided = self._advance(decided, requests)
        self._connections.drop()
        self._text_keys.drop()

    def _advance(self, decided: Batch | None, requests: list[Request]) -> Batch | None:
        """Record and answer what is decided; while that is being committed, decide what came, and return it."""
        coming = self._begin(requests) if requests else None
        lookup = None if coming is None else self._look_up(coming, decided)
        flight = None if decided is None else self._send(decided)
        if coming is not None and lookup is not None:
            self._decide_ahead(coming, lookup, None if decided is None else decided.draft)
        if decided is not None:
            stands = self._settle(decided, flight)
            if coming is not None and not stands:
                coming.draft = None
        return coming

    def _begin(self, requests: list[Request]) -> Batch | None:
        """A batch of requests; if they cannot even be looked at, they are answered with the fault."""
        try:
            return Batch(requests, self._text_keys)
        except Exception as fault:
            _answer(requests, [fault] * len(requests))
            return None

    def _look_up(self, coming: Batch, decided: Batch | None) -> Lookup | None:
        """Ask for what a batch needs, if it can have a head start: on the present, or on what is decided already."""
        stands = decided is None or decided.draft is not None
        if self._without_head_start or not (stands and self._connections.is_open and self.present.is_read):
            return None
        try:
            return Lookup(self._connections.reading().wire, self.present, coming)
        except Exception:
            self._connections.drop()
            return None

    def _decide_ahead(self, coming: Batch, lookup: Lookup, below: Draft | None) -> None:
        """Decide on what will be the present; a batch whose head start fails is decided later, and fails there."""
        try:
            coming.decide(self.present, below, lookup.take())
        except Exception:
            coming.draft = None
            self._connections.drop()

    def _send(self, decided: Batch) -> Flight | None:
        """Have what is decided committed, without waiting for it."""
        if decided.draft is None or not self._connections.is_open:
            return None
        try:
            return Flight(self._connections.writing(), decided, self._save)
        except Exception:
            self._connections.drop()
            return None

    def _settle(self, batch: Batch, flight: Flight | None) -> bool:
        """See a batch recorded and answer it; returns whether it was recorded as it was decided ahead."""
        stands = False
        try:
            stands = flight is not None and self._landed(batch, flight)
            if not stands:
                self._record_alone(batch)
            self.present.keep_to_size(batch.account_ids)
            _answer(batch.requests, batch.answers)
        except psycopg.Error as error:
            self._answer_failure(batch, error)
        except Exception as fault:
            # A fault of ours: whatever was half done is read again, and the thread lives on.
            self.present.forget()
            self._connections.drop()
            _answer(batch.requests, [fault] * len(batch.requests))
        return stands

    def _answer_failure(self, batch: Batch, error: psycopg.Error) -> None:
        """Say that nothing was recorded, or that it is unknown; what one request meets is not its neighbours'."""
        logger.warning("a batch of %d requests could not be recorded: %s", len(batch.requests), error)
        if is_definite(error) and len(batch.requests) > 1:
            for request in batch.requests:
                self._settle(Batch([request], self._text_keys), None)
            return
        self._is_reachable = is_definite(error)
        refusal = _unavailable(batch, error)
        # Who sent no command, to have the log read, must not take silence for success.
        _answer(batch.requests, [[Refused(refusal)] * len(one.commands) or refusal for one in batch.requests])

    def _landed(self, batch: Batch, flight: Flight) -> bool:
        """Whether a batch was committed; if it was not, or that is unknown, it must be recorded alone."""
        try:
            flight.land()
        except LogMovedOn:
            batch.is_in_doubt = False
            return False
        except psycopg.Error:
            self._connections.drop()
            return False
        self._publish(batch)
        return True

    def _record_alone(self, batch: Batch) -> None:
        """Record a batch while no other is on its way, trying again for a while when the connection breaks."""
        deadline = time.monotonic() + (self._settings.patience_seconds if self._is_reachable else 0)
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                self._attempt(batch)
                return
            except psycopg.Error as error:
                self._connections.drop()
                is_gone = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
                if not batch.is_in_doubt:
                    # What is known has moved on since it was decided, and what others wrote is not told a second time.
                    batch.draft = None
                if not is_gone:
                    # The database refused what follows from memory, so memory is not to be trusted.
                    self.present.forget()
                if not is_gone or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _attempt(self, batch: Batch) -> None:
        """Record, holding the lock, what is decided on the log's end; a decision that nothing touched since stands."""
        link = self._connections.writing()
        connection = link.connection
        touched: set[str] = set()
        if not batch.is_in_doubt:
            touched = self.present.catch_up(connection)
            if batch.draft is None and not self._was_touched:
                # Where others write on other accounts, there is time to decide while they hold the lock.
                self._decide(link, batch)
                touched.clear()
        with connection.transaction():
            end = lock_log(connection)
            if not self._was_recorded_after_all(connection, batch):
                news = set() if self.present.is_at(end.position) else self.present.catch_up(connection)
                self._note_others(batch, touched | news)
                self._text_keys.forget(touched | news)
                self._bring_up(link, batch, touched | news)
                Flight(link, batch, self._save).land()
        self._publish(batch)

    def _note_others(self, batch: Batch, touched: set[str]) -> None:
        """Remember whether others write, and whether on the same accounts, for how the next batches are recorded."""
        self._was_touched = batch.is_touched_by(touched)
        left = max(0, self._without_head_start - 1)
        self._without_head_start = BATCHES_WITHOUT_HEAD_START if touched else left

    def _was_recorded_after_all(self, connection: Connection, batch: Batch) -> bool:
        """Whether a commit in doubt took place; holding the lock, nobody can still be committing it."""
        if batch.is_in_doubt and batch.draft and was_recorded(connection, batch.read_to, batch.draft.events):
            return True
        if batch.is_in_doubt:
            batch.is_in_doubt, batch.draft = False, None
        return False

    def _bring_up(self, link: Link, batch: Batch, touched: set[str]) -> None:
        """Have a batch decided on the log's end, where it is not yet or something touched it."""
        if batch.draft is None or batch.is_touched_by(touched):
            self._decide(link, batch)
        else:
            batch.move_to(self.present.position)

    def _decide(self, link: Link, batch: Batch) -> None:
        batch.decide(self.present, None, Lookup(link.wire, self.present, batch).take())

    def _publish(self, batch: Batch) -> None:
        draft = batch.draft
        batch.is_in_doubt = False
        self._is_reachable = True
        if draft is not None and draft.events:
            assert batch.read_to == self.present.position, "a batch is published on what it was decided on"
            self._text_keys.forget(event.account_id for event in draft.events if type(event) is TextsErased)
            self.present.publish(draft.position, draft.events[-1], draft.accounts, draft.market)


def _answer(requests: Sequence[Request], answers: Sequence[list[Outcome] | Exception]) -> None:
    for request, answer in zip(requests, answers, strict=True):
        if isinstance(answer, BaseException):
            request.answer.set_exception(answer)
        else:
            request.answer.set_result(answer)


def _unavailable(batch: Batch, error: psycopg.Error) -> Unavailable:
    # The whole of it may tell of other accounts, or of the server; it is in the process's own log.
    reason = error.diag.message_primary or "the connection broke"
    if batch.is_in_doubt:
        return Unavailable(
            "the database was lost while this was being recorded, so whether it was is unknown: "
            f"retry with the same key ({reason})"
        )
    if is_definite(error):
        return Unavailable(
            f"the database refused to record this, and nothing was recorded ({reason}); "
            "who runs the ledger finds more in its log, a retry with the same key is safe"
        )
    return Unavailable(f"the database cannot be reached, nothing was recorded: retry with the same key ({reason})")
