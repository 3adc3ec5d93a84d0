"""The tables of copies: their names, their rows, and a quiet disk before a turn."""

from collections.abc import Iterator

from psycopg import sql

from ledger.postgres import Connection, connect
from projections.catalogue import ALL, PROJECTORS
from projections.tables import drop_schema


def tables_of(prefix: str) -> Iterator[tuple[sql.Identifier, str]]:
    """Every table of all copies whose schemas begin so, and its plain name."""
    for name in ALL:
        for table in PROJECTORS[name].tables:
            yield sql.Identifier(f"{prefix}_{name}", table), table


def count_rows(url: str, prefix: str) -> int:
    """How many rows all copies have together."""
    counts = [sql.SQL("select count(*) as n from {}").format(table) for table, _ in tables_of(prefix)]
    with connect(url) as connection:
        whole = sql.SQL("select sum(n)::bigint from ({}) as counts").format(sql.SQL(" union all ").join(counts))
        row = connection.execute(whole).fetchone()
    return int(row[0]) if row else 0


def drop_copies(connection: Connection, prefix: str) -> None:
    """Drops the copies whose schemas begin so."""
    for name in ALL:
        drop_schema(connection, f"{prefix}_{name}")


def checkpoint(url: str) -> None:
    """Has the server write what turns before left to write, so that it does not do so in the next one's time."""
    with connect(url, autocommit=True) as connection:
        connection.execute("checkpoint")
