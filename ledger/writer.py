"""The one writer of a process: takes all commands that wait, decides them, and records them in one transaction."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import psycopg
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.commands import Command
from ledger.deciding import Draft, decide_all, keys_of, streams_of
from ledger.decision import Context
from ledger.errors import Unavailable
from ledger.idempotency import Key, find_keys
from ledger.inbox import Inbox, Request
from ledger.log import Connection, log_end
from ledger.outcomes import Outcome, Refused
from ledger.postgres import connect
from ledger.present import Present
from ledger.storage import LogMovedOn, lock_log, read_committed, was_recorded

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5
CONNECT_TIMEOUT_SECONDS = 5
# This connection only ever looks up by index: no plan made while the tables were small may scan them when they are
# large. A writer that hangs while it holds the ordering lock is cut off by the server, so that others can go on.
CONNECTION_SETTINGS = """
set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set timezone = 'UTC';
set idle_in_transaction_session_timeout = '30s'; set lock_timeout = '45s';
"""
KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}


class WriterSettings(BaseSettings):
    """Bounds of the write path, from the environment with the prefix `LEDGER_`."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    # How many accounts are kept in memory between batches.
    cached_accounts: int = 20_000
    # About how many commands are recorded in one transaction, and how many may wait for it.
    batch_commands: int = 1_000
    waiting_commands: int = 10_000
    # How long a database that was there a moment ago is tried again before commands are answered with Unavailable.
    patience_seconds: float = 2.0


@dataclass(slots=True)
class Batch:
    """Requests that are recorded together, with their answers once they are decided.

    `read_to` is the log position the draft was decided on; `is_in_doubt` while the answer to its commit is missing.
    """

    requests: list[Request]
    account_ids: list[str] = field(init=False)
    keys: list[Key] = field(init=False)
    answers: list[list[Outcome] | Exception] = field(default_factory=list)
    draft: Draft | None = None
    read_to: int = 0
    is_in_doubt: bool = False

    def __post_init__(self) -> None:
        commands: list[Command] = [command for request in self.requests for command in request.commands]
        self.account_ids = list(dict.fromkeys(stream for command in commands for stream in streams_of(command)))
        self.keys = list(dict.fromkeys(key for command in commands for key in keys_of(command)))


class Writer:
    """Answers the requests of an inbox, batch after batch, in a thread of its own, until the inbox is closed.

    `save` records events through the event-sourcing application. A failed commit leaves what is known as it was, and
    the next batch connects anew.
    """

    def __init__(self, url: str, inbox: Inbox, save: Callable[..., Any], settings: WriterSettings) -> None:
        self._url = url
        self._inbox = inbox
        self._save = save
        self._settings = settings
        self.present = Present(settings.cached_accounts)
        self._connection: Connection | None = None
        self._is_reachable = True
        self._thread = Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until the closed inbox is empty and all its requests are answered."""
        self._thread.join()

    def _run(self) -> None:
        while requests := self._inbox.take(self._settings.batch_commands):
            answers = self._answer(requests)
            for request, answer in zip(requests, answers, strict=True):
                if isinstance(answer, BaseException):
                    request.answer.set_exception(answer)
                else:
                    request.answer.set_result(answer)
        self._disconnect()

    def _answer(self, requests: list[Request]) -> list[list[Outcome] | Exception]:
        try:
            batch = Batch(requests)
            self._write(batch)
            self.present.keep_to_size(batch.account_ids)
            return batch.answers
        except psycopg.Error as error:
            self._is_reachable = False
            refusal = _unavailable(batch, error)
            # Who sent no command, to have the log read, must not take silence for success.
            return [[Refused(refusal)] * len(request.commands) or refusal for request in requests]
        except Exception as error:
            # A fault of ours: whatever was half done is read again, and the thread lives on.
            self.present.forget()
            self._disconnect()
            return [error] * len(requests)

    def _write(self, batch: Batch) -> None:
        """Record a batch, trying again for a while when the connection breaks."""
        deadline = time.monotonic() + (self._settings.patience_seconds if self._is_reachable else 0)
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                self._attempt(batch)
                self._is_reachable = True
                return
            except psycopg.Error as error:
                self._disconnect()
                is_gone = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
                if not is_gone or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _attempt(self, batch: Batch) -> None:
        """Decide and record; if the log moved on meanwhile, or a commit is in doubt, again while holding the lock."""
        connection = self._connected()
        if not batch.is_in_doubt:
            self._decide(connection, batch)
            try:
                self._record(connection, batch)
                self._publish(batch)
                return
            except LogMovedOn:
                pass
        with connection.transaction():
            lock_log(connection)
            if self._was_recorded_after_all(connection, batch):
                return
            self._decide(connection, batch)
            self._record(connection, batch)
        self._publish(batch)

    def _was_recorded_after_all(self, connection: Connection, batch: Batch) -> bool:
        """Whether a commit in doubt took place; holding the lock, nobody can still be committing it."""
        if batch.is_in_doubt and batch.draft and was_recorded(connection, batch.read_to, batch.draft.events):
            return True
        batch.is_in_doubt = False
        return False

    def _decide(self, connection: Connection, batch: Batch) -> None:
        """Decide every command on the log as it now ends."""
        self.present.catch_up(connection)
        self.present.load(connection, batch.account_ids)
        batch.draft = Draft.on_the_present(self.present, find_keys(connection, batch.keys))
        batch.read_to = self.present.position
        at = datetime.now(UTC)
        batch.answers = [_decide_request(batch.draft, request, at) for request in batch.requests]

    def _record(self, connection: Connection, batch: Batch) -> None:
        """Record what was decided, or, if that is nothing, see that it was decided on fresh state; else LogMovedOn."""
        assert batch.draft is not None
        if not batch.draft.events:
            if log_end(connection).position != batch.read_to:
                raise LogMovedOn("a refusal is only final when it was decided on all that is recorded")
            return
        batch.is_in_doubt = True
        try:
            self._save(*batch.draft.events, keys=batch.draft.claims, read_to=batch.read_to, connection=connection)
        except LogMovedOn:
            batch.is_in_doubt = False
            raise

    def _publish(self, batch: Batch) -> None:
        draft = batch.draft
        if draft is not None and draft.events:
            self.present.publish(draft.position, draft.events[-1], draft.accounts, draft.market)

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = connect(
                self._url,
                application_name="ledger writer",
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                **KEEPALIVES,
            )
            self._connection = connection
            read_committed(connection)
            connection.execute(CONNECTION_SETTINGS)
            self.present.recognise(connection)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _decide_request(draft: Draft, request: Request, at: datetime) -> list[Outcome] | Exception:
    """The outcomes of one request; a fault of ours fails this request alone."""
    context = Context(at, request.actor, request.correlation_id)
    try:
        return decide_all(draft, request.commands, context, atomic=request.atomic)
    except Exception as error:
        return error


def _unavailable(batch: Batch, error: psycopg.Error) -> Unavailable:
    reason = " ".join(str(error).split())
    if batch.is_in_doubt:
        return Unavailable(
            "the database was lost while this was being recorded, so whether it was is unknown: "
            f"retry with the same key ({reason})"
        )
    return Unavailable(f"the database cannot be reached, nothing was recorded: retry with the same key ({reason})")
