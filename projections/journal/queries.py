"""Statements: the lines of an account or of one book, with the running balance of each line's book."""

from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from ledger.words import Part
from projections.projector import Connection

BOOK = "coalesce(house_book, concat_ws('/', 'account', account_id, wallet, nullif(part, 'free')))"
COLUMNS = f"position, line, {BOOK} as book, wallet, part, asset, amount, balance, topic, effective_at, recorded_at"


def statement(
    connection: Connection,
    position: int,
    account_id: str,
    *,
    wallet: str | None = None,
    asset: str | None = None,
    recorded_from: datetime | None = None,
    recorded_to: datetime | None = None,
    after: tuple[int, int] = (0, 0),
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Lines of an account up to a position, in log order, after the line (position, line); `balance` is its book's.

    The times bound `recorded_at`, both inclusive.
    """
    conditions = ["account_id = %s", "position <= %s", "(position, line) > (%s, %s)"]
    values: list[Any] = [account_id, position, *after]
    for condition, value in (
        ("wallet = %s", wallet),
        ("asset = %s", asset),
        ("recorded_at >= %s", recorded_from),
        ("recorded_at <= %s", recorded_to),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    return _lines(connection, conditions, values, limit)


def book_statement(
    connection: Connection, position: int, book: str, asset: str, *, after: tuple[int, int] = (0, 0), limit: int = 100
) -> list[dict[str, Any]]:
    """Lines of one book, named by its path (`fees`, `account/alice/cross/locked`), in one asset."""
    owner, names = _named(book)
    conditions = [*owner, "asset = %s", "position <= %s", "(position, line) > (%s, %s)"]
    return _lines(connection, conditions, [*names, asset, position, *after], limit)


def _named(book: str) -> tuple[list[str], list[str]]:
    """The conditions that name a book, and their values."""
    kind, _, rest = book.partition("/")
    if kind != "account":
        return ["house_book = %s"], [book]
    account_id, _, rest = rest.partition("/")
    # The name of a bucket has a slash in it: isolated:BTC/USDT.
    wallet, part = rest, Part.FREE.value
    for one in Part:
        if rest.endswith(f"/{one}"):
            wallet, part = rest.removesuffix(f"/{one}"), one.value
    return ["account_id = %s", "wallet = %s", "part = %s"], [account_id, wallet, part]


def _lines(connection: Connection, conditions: list[str], values: list[Any], limit: int) -> list[dict[str, Any]]:
    where = " and ".join(conditions)
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            f"select {COLUMNS} from journal where {where} order by position, line limit %s",
            [*values, limit],
        )
        return cursor.fetchall()
