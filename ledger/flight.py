"""A batch on its way into the log: all that records it is sent at once, and its answer taken later."""

from collections.abc import Callable
from contextlib import ExitStack
from select import select
from typing import Any

from psycopg.rows import tuple_row

from ledger.batch import Batch
from ledger.log import Connection, log_end
from ledger.storage import LogMovedOn, ask_for_lock, require_recorded

Save = Callable[..., Any]
"""Hands events to the event-sourcing application, with what its recorder must know."""


class Flight:
    """One transaction, sent without waiting for a single answer: the ordering lock, the batch if the log ends where it
    was read to, and the commit."""

    def __init__(self, connection: Connection, batch: Batch, save: Save) -> None:
        self._connection = connection
        self._read_to = batch.read_to
        self._answer = connection.cursor(binary=True, row_factory=tuple_row)
        self._pipeline = ExitStack()
        assert batch.draft is not None
        self._is_empty = not batch.draft.events
        if self._is_empty:
            return
        batch.is_in_doubt = True
        self._pipeline.enter_context(connection.pipeline())
        frame = connection.cursor()
        frame.execute("BEGIN ISOLATION LEVEL READ COMMITTED", prepare=False)
        ask_for_lock(frame)
        save(*batch.draft.events, keys=batch.draft.claims, read_to=self._read_to, cursor=self._answer)
        frame.execute("COMMIT", prepare=False)
        self._send_all()

    def _send_all(self) -> None:
        """Have the last byte leave, so that the server commits whatever this thread does next."""
        while self._connection.pgconn.flush():
            select([], [self._connection], [])

    def land(self) -> None:
        """Wait for the answer: the batch is in the log, or LogMovedOn and it is not.

        A batch that records nothing must have been decided on all that is recorded, too.
        """
        self._pipeline.close()
        if not self._is_empty:
            require_recorded(self._answer, self._read_to)
        elif log_end(self._connection).position != self._read_to:
            raise LogMovedOn("a refusal is only final when it was decided on all that is recorded")
