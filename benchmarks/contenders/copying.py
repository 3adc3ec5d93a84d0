"""COPY of the very rows that the Ledger wrote in the turn before: what PostgreSQL itself takes for them.

Fair means rows to rows. The Ledger's figure counts the events and the idempotency keys that its turn recorded (what
it refused or replayed left no row, and took its time all the same). This contender writes those very rows, in the
same order, into two tables with the same columns, types, constraints and indexes, which at the start held all rows of
the set-up, so that their indexes are as deep. It commits once for the rows of each 1,000 commands, with the same
durability. The rows are in PostgreSQL's own binary form before the clock starts: no row is made or looked at in
Python, nothing is decided, no trigger is there, and one client writes with nobody beside it. Its rate in commands is
of those that were recorded; the ratio is of rows.
"""

import time
from itertools import pairwise
from typing import NamedTuple

from psycopg import Cursor

from benchmarks.contenders.in_process import InProcess
from benchmarks.driving import BATCH_COMMANDS
from benchmarks.measuring import Turn, Wait
from ledger.postgres import Connection, connect

EVENTS = "notification_id, originator_version, recorded_at, originator_id, topic, state"
KEYS = "account_id, key, content, first_position, last_position"
MAKE_TABLES = """
create table copied_events (like events including all);
create table copied_keys (like idempotency_keys including all);
insert into copied_events select * from events order by notification_id;
insert into copied_keys select * from idempotency_keys;
"""
# The keys are found once for all commits of a turn, as no index leads from positions to keys.
TAKE_KEYS = """
create temporary table turn_keys as
select row_number() over (order by first_position) as place, * from idempotency_keys
where first_position > %s and first_position <= %s order by first_position
"""
READ_EVENTS = f"""
copy (select {EVENTS} from events where notification_id > %s and notification_id <= %s order by notification_id)
to stdout (format binary)
"""
READ_KEYS = f"""
copy (select {KEYS} from turn_keys where first_position > %s and first_position <= %s order by place)
to stdout (format binary)
"""
WRITE_EVENTS = f"copy copied_events ({EVENTS}) from stdin (format binary)"
WRITE_KEYS = f"copy copied_keys ({KEYS}) from stdin (format binary)"


class Commit(NamedTuple):
    """The rows of one transaction, as PostgreSQL reads and writes them."""

    events: bytes
    keys: bytes
    commands: int


class Copying:
    """Its turn comes right after the Ledger's, in every round."""

    name = "copy"

    def __init__(self, url: str, in_process: InProcess) -> None:
        self._in_process = in_process
        self._connection: Connection = connect(url, autocommit=True, application_name="benchmark copy")
        self._connection.execute(MAKE_TABLES)

    def turn(self, seconds: float) -> Turn:  # noqa: ARG002 -- it takes as long as the rows take
        commits = self._read_commits()
        waits = []
        started = before = time.perf_counter()
        for commit in commits:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                _write(cursor, WRITE_EVENTS, commit.events)
                _write(cursor, WRITE_KEYS, commit.keys)
            now = time.perf_counter()
            waits.append(Wait(1000 * (now - before), commit.commands))
            before = now
        return Turn(sum(commit.commands for commit in commits), before - started, waits, rows=self._rows())

    def close(self) -> None:
        self._connection.close()

    def _read_commits(self) -> list[Commit]:
        """The rows in even parts of whole events, one for each 1,000 commands of the Ledger's turn."""
        written = self._in_process.written
        events, count = written.until - written.after, max(1, round(written.commands / BATCH_COMMANDS))
        bounds = [written.after + events * part // count for part in range(count + 1)]
        self._connection.execute("drop table if exists turn_keys")
        self._connection.execute(TAKE_KEYS, [written.after, written.until])
        self._connection.execute("create index on turn_keys (first_position)")
        with self._connection.cursor() as cursor:
            return [
                Commit(
                    _read(cursor, READ_EVENTS, after, until),
                    _read(cursor, READ_KEYS, after, until),
                    written.recorded // count,
                )
                for after, until in pairwise(bounds)
            ]

    def _rows(self) -> int:
        written = self._in_process.written
        row = self._connection.execute("select count(*) from turn_keys").fetchone()
        return written.until - written.after + int(row[0] if row else 0)


def _read(cursor: Cursor, query: str, after: int, until: int) -> bytes:
    with cursor.copy(query.encode(), [after, until]) as copy:
        return b"".join(bytes(block) for block in copy)


def _write(cursor: Cursor, statement: str, rows: bytes) -> None:
    with cursor.copy(statement.encode()) as copy:
        copy.write(rows)
