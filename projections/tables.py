"""The tables of projections: made from each folder's table.sql, in the live schema or in a copy's own."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from psycopg import sql

from ledger.postgres import Connection

LIVE = "projections"
INDEXES = "-- indexes"


class Definition(NamedTuple):
    """A projection's table.sql: what makes its tables, what makes their indexes, and the checksum of both."""

    tables: bytes
    indexes: bytes
    checksum: str


@cache
def definition_of(name: str) -> Definition:
    """The table.sql of a projection's folder."""
    text = (Path(__file__).parent / name / "table.sql").read_bytes()
    tables, _, indexes = text.partition(f"\n{INDEXES}".encode())
    return Definition(tables, indexes, hashlib.sha256(text).hexdigest())


def work_in(connection: Connection, schema: str) -> None:
    """Lets unqualified names of this session mean the tables of a schema, else those of `public`; times are in UTC.

    What a projection commits need not reach the disk at once: its rows and its position are lost together, if at all,
    and are then projected again.
    """
    connection.execute(
        sql.SQL("set search_path to {}, public; set timezone to 'UTC'; set synchronous_commit to off").format(
            sql.Identifier(schema)
        )
    )


def create_tables(connection: Connection, name: str) -> None:
    """Makes the tables of a projection, without their indexes, in the schema that the session works in."""
    connection.execute(definition_of(name).tables)


def create_indexes(connection: Connection, name: str) -> None:
    """Makes the indexes of a projection's tables in the schema that the session works in."""
    if definition_of(name).indexes.strip():
        connection.execute(definition_of(name).indexes)


def create_schema(connection: Connection, schema: str) -> None:
    """Makes an empty schema; what an earlier attempt left in it is dropped."""
    drop_schema(connection, schema)
    connection.execute("select public.make_schema_of_copy(%s)", [schema])


def drop_schema(connection: Connection, schema: str) -> None:
    """Drops a schema with all that is in it."""
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def column_types(connection: Connection, schema: str, table: str) -> dict[str, str]:
    """The columns of a table with their types, by name; empty where there is no such table."""
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = %s and table_name = %s order by column_name",
        [schema, table],
    )
    return dict(rows.fetchall())
