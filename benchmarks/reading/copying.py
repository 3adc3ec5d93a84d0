"""COPY of the very rows that the rebuild before it left: what PostgreSQL itself takes for them.

It writes the rows that stand in the rebuilt tables at the end, each once; what the rebuild wrote and later replaced is
not counted on either side. The rows are in PostgreSQL's own binary form in files, in the order in which the rebuild
left them, before the clock starts: nothing is read from the log, folded, or made into text. The tables are made by the
same table.sql, their indexes and statistics last by the same code. Two connections take table after table, the largest
first, with one commit for each table, and as in a rebuild no commit waits for the disk.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from psycopg import sql

from benchmarks.reading.tables import checkpoint, drop_copies, tables_of
from benchmarks.reading.turn import ReadTurn
from benchmarks.screen import Screen
from ledger.postgres import Connection, connect
from projections.catalogue import ALL, PROJECTORS
from projections.copying import Copy, index_all

BLOCK_BYTES = 1 << 20
REBUILT, COPIED = "rebuild", "copied"


class Exported(NamedTuple):
    """The rows of a table in a file."""

    file: Path
    rows: int


class Copying:
    """Its turn comes right after the rebuild's; it drops the copies that were left for it, and its own."""

    name = "copy"

    def __init__(self, url: str, folder: Path, screen: Screen) -> None:
        self._url, self._folder, self._screen = url, folder, screen

    def turn(self) -> ReadTurn:
        with connect(self._url, autocommit=True) as first, connect(self._url, autocommit=True) as second:
            exported = self._export(first)
            checkpoint(self._url)
            started = time.perf_counter()
            copies = [Copy.created(first, name, f"{COPIED}_{name}") for name in ALL]
            _fill(exported, [first, second])
            for copy in copies:
                copy.rows = sum(exported[table].rows for table in PROJECTORS[copy.name].tables)
            copied = time.perf_counter()
            index_all(copies, [first, second], lambda _: None)
            seconds = time.perf_counter() - started
            drop_copies(first, COPIED)
        rows = {table: one.rows for table, one in exported.items()}
        further = {"indexing_seconds": started + seconds - copied, "rows_of_tables": rows}
        return ReadTurn(seconds, rows=sum(rows.values()), further=further)

    def _export(self, connection: Connection) -> dict[str, Exported]:
        """Puts the rebuilt rows into files, and drops their tables, so that both began with the same database."""
        tables = list(tables_of(REBUILT))
        told = self._screen.step("exporting tables", len(tables))
        exported = {}
        for identifier, table in tables:
            exported[table] = _export_table(connection, identifier, self._folder / f"{table}.binary")
            told(1)
        drop_copies(connection, REBUILT)
        return exported


def _export_table(connection: Connection, table: sql.Identifier, file: Path) -> Exported:
    statement = sql.SQL("copy {} to stdout (format binary)").format(table)
    with connection.cursor() as cursor:
        with file.open("wb") as content, cursor.copy(statement) as copying:
            for block in copying:
                content.write(block)
        return Exported(file, cursor.rowcount)


def _fill(exported: dict[str, Exported], connections: Sequence[Connection]) -> None:
    waiting = sorted(tables_of(COPIED), key=lambda one: exported[one[1]].file.stat().st_size, reverse=True)

    def work(connection: Connection) -> None:
        connection.execute("set synchronous_commit to off")
        while True:
            try:
                identifier, table = waiting.pop(0)
            except IndexError:
                return
            _import_table(connection, identifier, exported[table].file)

    with ThreadPoolExecutor(len(connections), "copying") as executor:
        for done in [executor.submit(work, connection) for connection in connections]:
            done.result()


def _import_table(connection: Connection, table: sql.Identifier, file: Path) -> None:
    statement = sql.SQL("copy {} from stdin (format binary)").format(table)
    with file.open("rb") as content, connection.cursor() as cursor, cursor.copy(statement) as copying:
        while block := content.read(BLOCK_BYTES):
            copying.write(block)
