"""What tests of private texts share: all that a database holds, as one looks for a text in it."""

from typing import Any

from ledger.log import read_log
from ledger.postgres import connect
from ledger.private_texts import is_sealed, texts_of
from ledger.shown_texts import texts_shown

TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') order by 1
"""


def everything_in(url: str) -> str:
    """Every row of every table as text, bytes as the text that they are."""
    with connect(url) as connection:
        connection.execute("set bytea_output = 'escape'")
        tables = [name for (name,) in connection.execute(TABLES).fetchall()]
        rows = [connection.execute(f"select one::text from {name} as one".encode()).fetchall() for name in tables]
    return "\n".join(text for of_table in rows for (text,) in of_table)


def stored_texts(url: str) -> dict[int, dict[str, str]]:
    """The private texts of the log by position and field, as they are stored."""
    with connect(url) as connection:
        return {one.position: texts for one in read_log(connection, 0, 100_000) if (texts := texts_of(one.event))}


def shown_log(url: str) -> dict[int, dict[str, Any]]:
    """What is told of the texts of the log, by position: of sealed ones, and of those stored as they were stated."""
    stored = stored_texts(url)
    with connect(url) as connection:
        return {position: texts_shown(connection, texts) for position, texts in stored.items()}


def sealed_everywhere(url: str) -> bool:
    return all(is_sealed(text) for texts in stored_texts(url).values() for text in texts.values())


def raw_log(url: str) -> list[tuple[Any, ...]]:
    """The rows of the log, bytes and all."""
    with connect(url) as connection:
        return connection.execute("select * from events order by notification_id").fetchall()
