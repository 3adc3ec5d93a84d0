"""Copies of projections in schemas of their own, built from nothing beside the live ones, and compared with them."""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Lock
from typing import NamedTuple, Self

from psycopg import sql

from ledger.log import RecordedEvent, read_log
from ledger.postgres import Connection
from projections.catalogue import PROJECTORS
from projections.feeding import Fed, Feeder
from projections.halves import Half
from projections.projector import Writes
from projections.tables import LIVE, column_types, create_indexes, create_schema, create_tables, work_in
from projections.writing import History

BATCH_SIZE = 10_000
COLLECTED_AFTER_EVENTS = 1_000_000
SHOWN_DIFFERENCES = 5
INDEXING_MEMORY = "256MB"
# Where this is allowed (0012_quick_indexes.sql).
WITHOUT_COMPRESSION = """
select set_config('wal_compression', 'off', true) where has_parameter_privilege('wal_compression', 'set')
"""

DIFFERENCES = """
with difference as materialized (
    (select 'the live copy has' as side, live_only::text as content
     from (select {columns} from {live} except all select {columns} from {copy}) as live_only)
    union all
    (select 'folding the log gives', copy_only::text
     from (select {columns} from {copy} except all select {columns} from {live}) as copy_only)
)
select count(*) over (), side, content from difference order by content, side limit {shown}
"""


class Comparison(NamedTuple):
    """How many rows are in one copy only, and the first few of them in words."""

    differences: int
    examples: list[str]


class CopyFailed(RuntimeError):
    """An event that a projector cannot take."""


class Copy(Fed):
    """One projection being built again, in tables of its schema that hold the log up to `position`.

    `failure` is what it could not take, with how many events that were. Who fills it from nothing sets `is_filling`:
    then what is current is gathered from the states at the end, each row once instead of once for every batch. With a
    `half` another process fills the same tables with the other one.
    """

    def __init__(self, name: str, schema: str, half: int | None = None) -> None:
        super().__init__(name, PROJECTORS[name](), 0)
        self.schema = schema
        self.rows = 0
        self.is_filling = False
        self._half = half
        self._histories: dict[str, History] = {}
        self.failure: tuple[Exception, int] | None = None

    @classmethod
    def created(cls, connection: Connection, name: str, schema: str) -> Self:
        """A copy of nothing; whatever an earlier attempt left is dropped."""
        with connection.transaction():
            create_schema(connection, schema)
            work_in(connection, schema)
            create_tables(connection, name)
        return cls(name, schema)

    def enter(self, connection: Connection) -> None:
        self.gather(connection)

    def prepare(self, writes: Writes) -> None:
        if self.is_filling:
            self._histories.update({history.current: history for history in writes.leave_current()})
        else:
            super().prepare(writes)

    def write(self, connection: Connection, writes: Writes, before: int, last: int) -> None:  # noqa: ARG002
        with connection.transaction():
            work_in(connection, self.schema)
            writes.write(connection)
        self.rows += writes.rows

    def failed(self, error: Exception, events: int, last: int) -> None:  # noqa: ARG002
        self.failure = (error, events)

    def index(self, connection: Connection) -> None:
        """Makes the indexes, which are cheaper to make over what is there than to keep while it grows."""
        with connection.transaction():
            self.gather(connection)
            connection.execute(f"set local maintenance_work_mem to '{INDEXING_MEMORY}'")
            connection.execute(WITHOUT_COMPRESSION)
            create_indexes(connection, self.name)
            for table in PROJECTORS[self.name].tables:
                connection.execute(sql.SQL("analyze {}").format(sql.Identifier(self.schema, table)))

    def gather(self, connection: Connection) -> None:
        """Makes what is current of the states; from then on every batch keeps it."""
        work_in(connection, self.schema)
        if self._histories:
            with connection.transaction():
                connection.execute(f"set local work_mem to '{INDEXING_MEMORY}'")
                self.rows += sum(history.gather(connection, self._half) for history in self._histories.values())
        self._histories.clear()
        self.is_filling = False


@contextmanager
def feeding(reader: Connection, writer: Connection, half: Half | None = None) -> Iterator[Feeder]:
    """A feeder for copies, for a while, in which the process looks for no garbage.

    To look for cycles among the accounts in memory takes a quarter of the time that all else takes; what a batch leaves
    is let go without, and what is not is looked for once in a million events.
    """
    feeder = Feeder(reader, writer, half)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield feeder
    finally:
        if was_enabled:
            gc.enable()
        feeder.close()


def bring(feeder: Feeder, copies: Sequence[Copy], until: int, tell: Callable[[int], None] = lambda _: None) -> None:
    """Has copies that stand at one position take every event up to another; `tell` is told each that they come to.

    Raises CopyFailed where one of them cannot take an event.
    """
    while copies and copies[0].position < until:
        before = copies[0].position
        events, last = _next(feeder, before, until)
        if last == before:
            break
        feeder.feed(copies, events, last)
        _require_taken(copies)
        if last // COLLECTED_AFTER_EVENTS > before // COLLECTED_AFTER_EVENTS:
            gc.collect()
        tell(copies[0].position)
    feeder.settle()
    _require_taken(copies)


def _next(feeder: Feeder, after: int, until: int) -> tuple[list[RecordedEvent], int]:
    """The next events, and up to which position that are all; of a half from twice as many positions."""
    if feeder.half is not None:
        last = min(after + 2 * BATCH_SIZE, until)
        return feeder.half.read(feeder.reader, after, last), last
    events = read_log(feeder.reader, after, BATCH_SIZE, until)
    return events, events[-1].position if events else after


def index_all(copies: Sequence[Copy], connections: Sequence[Connection], tell: Callable[[int], None]) -> None:
    """Makes the indexes of all copies, over several connections at once; `tell` is told how many copies have theirs."""
    # The largest first, so that none is left alone at the end.
    waiting = sorted(copies, key=lambda copy: copy.rows, reverse=True)
    indexed, telling = count(1), Lock()

    def work(connection: Connection) -> None:
        while True:
            try:
                copy = waiting.pop(0)
            except IndexError:
                return
            copy.index(connection)
            # Counted and told at once, or what is told last may be less than all.
            with telling:
                tell(next(indexed))

    with ThreadPoolExecutor(len(connections), "indexing") as executor:
        for done in [executor.submit(work, connection) for connection in connections]:
            done.result()


def _require_taken(copies: Sequence[Copy]) -> None:
    for copy in copies:
        if copy.failure is not None:
            error, events = copy.failure
            among = f"event {copy.position + 1}" if events == 1 else f"one of the {events} events after {copy.position}"
            raise CopyFailed(f"projection {copy.name} cannot take {among}: {error}") from error


def compare(connection: Connection, name: str, copy_schema: str) -> Comparison:
    """Compares the live tables of a projection with a copy's, row by row; both must stand at the same position."""
    count = 0
    examples: list[str] = []
    for table in PROJECTORS[name].tables:
        live, copied = column_types(connection, LIVE, table), column_types(connection, copy_schema, table)
        if live != copied:
            count, examples = count + 1, [*examples, f"{table}: the live one has other columns, rows are not compared"]
            continue
        query = sql.SQL(DIFFERENCES).format(
            columns=sql.SQL(", ").join(map(sql.Identifier, live)),
            live=sql.Identifier(LIVE, table),
            copy=sql.Identifier(copy_schema, table),
            shown=sql.Literal(SHOWN_DIFFERENCES),
        )
        rows = connection.execute(query).fetchall()
        count += rows[0][0] if rows else 0
        examples += [f"{table}: {side} ({', '.join(live)}) = {content}" for _, side, content in rows]
    return Comparison(count, examples)
