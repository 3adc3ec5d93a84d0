"""Statements: the lines of an account or of one book, with the running balance of each line's book; sums of books."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg.rows import dict_row, tuple_row

from ledger.log import position_at
from ledger.words import Book, Part
from projections.dating import Dated
from projections.projector import Connection

BOOK = "coalesce(house_book, concat_ws('/', 'account', account_id, wallet, nullif(part, 'free')))"
COLUMNS = f"position, line, {BOOK} as book, wallet, part, asset, amount, balance, topic, effective_at, recorded_at"
FIRST, LAST = (0, 0), (2**62, 0)
"""Places, as position and line, before all lines and after all of them."""

_LINES = f"select {COLUMNS} from {{lines}} where {{where}} {{order}}"
# What is told beyond a position follows in each book on the balance that it had there.
_SAME_BOOK = """earlier.asset = journal.asset and (earlier.house_book = journal.house_book
    or (earlier.account_id, earlier.wallet, earlier.part) = (journal.account_id, journal.wallet, journal.part))"""
_BEYOND = f"""(
    select journal.position, line, house_book, account_id, wallet, part, journal.asset, amount, topic, effective_at,
        recorded_at, coalesce(before.balance, 0) + sum(amount) over (
            partition by account_id, wallet, part, house_book, journal.asset order by journal.position, line
        ) as balance
    from journal left join lateral (
        select balance from journal as earlier
        where {_SAME_BOOK} and earlier.position <= %(through)s
        order by earlier.position desc, earlier.line desc
        limit 1
    ) as before on true
    where journal.position = any(%(beyond)s)
) as journal"""

# An event of an account also moves books of the house, whose lines name no account.
_OF_ACCOUNTS = """position <= %(until)s and (account_id = any(%(accounts)s) or house_book is not null and position in (
    select notification_id from public.events where originator_id = any(%(accounts)s)))"""
_SUMS = """
select account_id, coalesce(house_book, wallet), coalesce(part, 'free'), asset,
    coalesce(sum(amount) filter (where position <= %(after)s), 0), sum(amount), max(scale(amount))
from journal where {where} group by account_id, wallet, part, house_book, asset
having bool_or(position > %(after)s) or sum(amount) <> 0
order by account_id collate "C" nulls first, 2, 3, asset
"""
_CSV = f"""
copy (
    select position, line, {{recorded_at}} as recorded_at, {{effective_at}} as effective_at, topic, account_id,
        {BOOK} as book, wallet, part, asset, trim_scale(amount) as amount, trim_scale(balance) as balance
    from journal where {{where}} and position > %(after)s order by position, line
) to stdout (format csv, header)
"""


class BookSum(NamedTuple):
    """What one book holds of an asset at the ends of a range, and the most decimals of its lines."""

    book: Book
    asset: str
    opening: Decimal
    closing: Decimal
    decimals: int


def statement(
    connection: Connection,
    position: int | Dated,
    account_id: str,
    *,
    wallet: str | None = None,
    asset: str | None = None,
    recorded_from: datetime | None = None,
    recorded_to: datetime | None = None,
    after: tuple[int, int] = FIRST,
    before: tuple[int, int] = LAST,
    limit: int = 100,
    newest_first: bool = False,
) -> list[dict[str, Any]]:
    """Lines of an account up to a position, in log order, between two lines (position, line), both excluded.

    `balance` is its book's after the line. The times bound `recorded_at`, both inclusive. Of what counts at a business
    time, lines beyond the position up to which everything counts follow in log order, their balances too.
    """
    if recorded_from is not None:
        # recorded_at never decreases along the log: a time is a position.
        after = max(after, (position_at(connection, recorded_from - timedelta(microseconds=1)), 2**31))
    if recorded_to is not None:
        before = min(before, (position_at(connection, recorded_to) + 1, 0))
    page = Page(after, before, limit, newest_first)
    only = {"account_id": account_id, "wallet": wallet, "asset": asset}
    return _lines(connection, Dated.of(position), page, only)


def book_statement(
    connection: Connection,
    position: int | Dated,
    book: str,
    asset: str,
    *,
    after: tuple[int, int] = FIRST,
    before: tuple[int, int] = LAST,
    limit: int = 100,
    newest_first: bool = False,
) -> list[dict[str, Any]]:
    """Lines of one book, named by its path (`fees`, `account/alice/cross/locked`), in one asset."""
    page = Page(after, before, limit, newest_first)
    return _lines(connection, Dated.of(position), page, {**_named(book), "asset": asset})


def _named(book: str) -> dict[str, str]:
    """The columns that name a book, with their values."""
    kind, _, rest = book.partition("/")
    if kind != "account":
        return {"house_book": book}
    account_id, _, wallet = rest.partition("/")
    # The name of a bucket has a slash in it: isolated:BTC/USDT.
    for part in Part:
        if wallet.endswith(f"/{part}"):
            return {"account_id": account_id, "wallet": wallet.removesuffix(f"/{part}"), "part": part.value}
    return {"account_id": account_id, "wallet": wallet, "part": Part.FREE.value}


class Page(NamedTuple):
    """Lines between two places, both excluded: the first of them, or with `newest_first` the last, from the end."""

    after: tuple[int, int]
    before: tuple[int, int]
    limit: int
    newest_first: bool

    @property
    def order(self) -> str:
        way = "desc" if self.newest_first else "asc"
        return f"order by position {way}, line {way} limit %(limit)s"


def _lines(connection: Connection, known: Dated, page: Page, only: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """The lines with these columns, where they are not None."""
    conditions = [f"{column} = %({column})s" for column, value in only.items() if value is not None]
    conditions += ["(position, line) > (%(after)s, %(after_line)s)", "(position, line) < (%(before)s, %(before_line)s)"]
    where = " and ".join(conditions)
    places = dict(zip(("after", "after_line", "before", "before_line"), (*page.after, *page.before), strict=True))
    asked = {**only, **places, "through": known.through, "beyond": list(known.beyond)}
    statements = [_LINES.format(lines="journal", where=f"{where} and position <= %(through)s", order=page.order)]
    if known.beyond:
        statements.append(_LINES.format(lines=_BEYOND, where=where, order=page.order))
    rows: list[dict[str, Any]] = []
    with connection.cursor(row_factory=dict_row) as cursor:
        for one in reversed(statements) if page.newest_first else statements:
            if len(rows) < page.limit:
                rows += cursor.execute(one, {**asked, "limit": page.limit - len(rows)}).fetchall()
    return rows


def book_sums(connection: Connection, after: int, until: int, accounts: Sequence[str] | None) -> Iterator[BookSum]:
    """Every book that held something after the position `after` or moved from there to `until`, in order of its name.

    With `accounts`, of their events only, so what the house's books hold is what those moved. Gathered by the server
    and fetched bit by bit; it needs an open transaction.
    """
    asked = {"after": after, "until": until, "accounts": None if accounts is None else list(accounts)}
    with connection.cursor("book_sums", row_factory=tuple_row) as cursor:
        for account_id, name, part, *rest in cursor.execute(_SUMS.format(where=_within(accounts)).encode(), asked):
            yield BookSum(Book(account_id, name, Part(part)), *rest)


def lines_as_csv(connection: Connection, after: int, until: int, accounts: Sequence[str] | None) -> Iterator[bytes]:
    """The lines posted after a position up to another as CSV with a header; with `accounts`, of their events only."""
    times = {name: _AS_TEXT.format(name) for name in ("recorded_at", "effective_at")}
    asked = {"after": after, "until": until, "accounts": None if accounts is None else list(accounts)}
    with connection.cursor() as cursor:
        query = _CSV.format(where=_within(accounts), **times)
        with cursor.copy(query.encode(), asked) as copy:
            yield from map(bytes, copy)


_AS_TEXT = """to_char({}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _within(accounts: Sequence[str] | None) -> str:
    return "position <= %(until)s" if accounts is None else _OF_ACCOUNTS
