"""How projectors write rows: history appended by COPY, current rows put in place by one statement over arrays."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql

from ledger.postgres import Connection

Row = Sequence[Any]


def append(connection: Connection, table: str, columns: Iterable[str], rows: Sequence[Row]) -> None:
    """Adds rows to a table; a jsonb column takes text."""
    if not rows:
        return
    statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), _names(columns))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def put(
    connection: Connection, table: str, columns: Mapping[str, str], rows: Sequence[Row], *, key: Sequence[str]
) -> None:
    """Inserts rows, or where a row has the same `key` sets its other columns.

    `columns` gives the SQL type of each column by its name; a jsonb column takes text. No two rows may share a key.
    """
    if not rows:
        return
    arrays = sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(kind)) for kind in columns.values())
    changes = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns if name not in key
    )
    statement = sql.SQL("insert into {} ({}) select * from unnest({}) on conflict ({}) do update set {}").format(
        sql.Identifier(table), _names(columns), arrays, _names(key), changes
    )
    connection.execute(statement, [list(column) for column in zip(*rows, strict=True)])


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in columns)
