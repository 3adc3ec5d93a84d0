"""The event-sourcing library's own ProjectionRunner on the same log, with one table of one row for each event.

Its view is a tracking recorder of the library's, which inserts the row and the tracking in one transaction, as the
library's documentation shows it. It reads the log through the library's subscription to our application, so that its
events are decoded as ours are; the rows go to a database of its own, which is new in each turn. The clock runs from
the first event that it is given to the last one that is asked for: its start and its end are not counted. It is
measured as it comes, every commit on the disk, and once more with commits that do not wait, as ours do not.
"""

import time
from contextlib import closing
from threading import Event
from typing import Any

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import EnvType
from psycopg.sql import SQL, Identifier

from benchmarks.contenders.library import server_environment
from benchmarks.reading.turn import ReadTurn
from benchmarks.screen import Screen
from benchmarks.server import Databases
from ledger.application import LedgerApplication
from ledger.postgres import connect

# It may wait for ever, so nobody waits for it longer than this.
PATIENCE_SECONDS = 300.0
DATABASE = "library_view"


class Entries(PostgresTrackingRecorder):
    """The one table: which event stands where."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        table = SQL("{}.entries").format(Identifier(self.datastore.schema))
        self.sql_create_statements.append(
            SQL(
                "create table if not exists {} (position bigint primary key, account_id text not null,"
                " topic text not null)"
            ).format(table)
        )
        self._insertion = SQL("insert into {} values (%s, %s, %s)").format(table)

    def add(self, tracking: Tracking, account_id: str, topic: str) -> None:
        """One row and the tracking, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._insertion, (tracking.notification_id, account_id, topic), prepare=True)


class EntriesProjection(Projection[Entries]):
    """Notes when it was given its first event, and when it had recorded the last one that was asked for."""

    asked_for = 0

    def __init__(self, view: Entries) -> None:
        super().__init__(view)
        self.started = self.ended = 0.0
        self.is_done = Event()

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        if not self.started:
            self.started = time.perf_counter()
        self.view.add(tracking, domain_event.account_id, domain_event.TOPIC)
        if tracking.notification_id == self.asked_for:
            self.ended = time.perf_counter()
            self.is_done.set()


class LibraryRunner:
    """The runner from the log's beginning; with `waits` each of its commits is on the disk before the next event."""

    def __init__(self, databases: Databases, events: int, screen: Screen, *, waits: bool) -> None:
        self.name = "library_runner" if waits else "library_runner_unsynced"
        self._databases, self._events, self._screen, self._waits = databases, events, screen, waits

    def turn(self) -> ReadTurn:
        url = self._databases.empty(DATABASE)
        try:
            if not self._waits:
                with connect(url, autocommit=True) as connection:
                    connection.execute(f"alter database {DATABASE} set synchronous_commit to off")
            told = self._screen.step(f"{self.name.replace('_', ' ')}", self._events)
            turn = self._run(url)
            told(self._events)
            return turn
        finally:
            self._databases.drop(DATABASE)

    def _run(self, url: str) -> ReadTurn:
        class Log(LedgerApplication):
            def __init__(self, env: EnvType | None = None) -> None:  # noqa: ARG002 -- as the runner calls it
                super().__init__(log_url)

        class Asked(EntriesProjection):
            name = "entries"
            asked_for = self._events

        log_url = self._databases.first
        runner = ProjectionRunner(
            application_class=Log, projection_class=Asked, view_class=Entries, env=server_environment(url)
        )
        # The runner closes its application, and leaves its view open.
        with closing(runner.view.datastore), runner:
            projection = runner.projection
            assert isinstance(projection, EntriesProjection)
            if not projection.is_done.wait(PATIENCE_SECONDS):
                raise TimeoutError(f"the library's runner had not {self._events} events after {PATIENCE_SECONDS:g} s")
        return ReadTurn(projection.ended - projection.started, self._events, self._events)
