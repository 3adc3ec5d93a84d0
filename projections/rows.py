"""Rows of a projection's tables by the names of their columns, as questions read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row

from projections.projector import Connection


def rows_of(connection: Connection, query: str, asked: Mapping[str, Any] | Sequence[Any]) -> list[dict[str, Any]]:
    """All rows that a query finds."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, asked).fetchall()
