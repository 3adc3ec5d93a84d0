"""A batch on its way into the log: sent at once with all that records it, and its answer taken later."""

from collections.abc import Callable
from typing import Any

import psycopg

from ledger.batch import Batch
from ledger.connections import Link
from ledger.log import log_end
from ledger.storage import LogMovedOn
from ledger.wire import Answers, Call, Row, is_definite

Save = Callable[..., Any]
"""Hands events to the event-sourcing application, with what its recorder must know."""


class Flight:
    """One call that takes the ordering lock and records the batch if the log ends where it was read to; it is a
    transaction of its own unless one is open."""

    def __init__(self, link: Link, batch: Batch, save: Save) -> None:
        self._link = link
        self._read_to = batch.read_to
        self._answers: Answers | None = None
        self._batch = batch
        assert batch.draft is not None
        if batch.draft.events:
            batch.is_in_doubt = True
            save(*batch.draft.events, keys=batch.draft.keys, read_to=self._read_to, send=self._send)

    def _send(self, call: Call) -> None:
        self._answers = self._link.wire.send(call)

    def land(self) -> None:
        """Wait for the answer: the batch is in the log, or LogMovedOn and it is not.

        A batch that records nothing must have been decided on all that is recorded, too.
        """
        if self._answers is not None:
            [[(is_recorded,)]] = self._taken(self._answers)
        else:
            is_recorded = log_end(self._link.connection).position == self._read_to
        if not is_recorded:
            raise LogMovedOn(f"the log was read to position {self._read_to} and ends beyond it")

    def _taken(self, answers: Answers) -> list[list[Row]]:
        """The answer; an error that the server found before it could commit leaves no doubt."""
        try:
            return answers.take()
        except psycopg.Error as error:
            if is_definite(error):
                self._batch.is_in_doubt, self._batch.draft = False, None
            raise
