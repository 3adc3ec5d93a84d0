"""A copy of a projection in a schema of its own, built from nothing beside the live one, and compared with it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from psycopg import sql

from ledger.log import RecordedEvent, read_log
from ledger.postgres import Connection
from projections.catalogue import PROJECTORS
from projections.tables import LIVE, column_types, create_indexes, create_schema, create_tables, drop_schema, work_in

BATCH_SIZE = 5_000
SHOWN_DIFFERENCES = 5

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


class Copy:
    """One projection being built again from position 0; whatever an earlier attempt left is dropped."""

    def __init__(self, connection: Connection, name: str, schema: str) -> None:
        self.name = name
        self.schema = schema
        self.position = 0
        self._connection = connection
        self._projector = PROJECTORS[name]()
        with connection.transaction():
            create_schema(connection, schema)
            work_in(connection, schema)
            create_tables(connection, name)

    def project(self, batch: Sequence[RecordedEvent]) -> None:
        """Takes the events of a batch that it has not."""
        new = [recorded for recorded in batch if recorded.position > self.position]
        if not new:
            return
        try:
            with self._connection.transaction():
                work_in(self._connection, self.schema)
                self._projector.project(self._connection, new)
        except BaseException:
            self._projector.forget()
            raise
        self.position = new[-1].position

    def feed(self, until: int, tell: Callable[[int], None] | None = None) -> None:
        """Takes every event up to a position; `tell` is told each position it comes to."""
        while batch := read_log(self._connection, self.position, BATCH_SIZE, until):
            self.project(batch)
            if tell is not None:
                tell(self.position)

    def went_back(self, position: int) -> None:
        """Forgets what it took in a transaction that was not committed."""
        self.position = position
        self._projector.forget()

    def index(self) -> None:
        """Makes the indexes, which are cheaper to make over what is there than to keep while it grows."""
        with self._connection.transaction():
            work_in(self._connection, self.schema)
            create_indexes(self._connection, self.name)
            for table in PROJECTORS[self.name].tables:
                self._connection.execute(sql.SQL("analyze {}").format(sql.Identifier(self.schema, table)))

    def drop(self) -> None:
        drop_schema(self._connection, self.schema)


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
