"""The lines of an account between two points, wallet by wallet, and what each of its books held and moved by them."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4

from psycopg.rows import tuple_row

from ledger.words import Part
from projections.projector import Connection

_PARTS = {part.value: part for part in Part}
LINES_AT_ONCE = 1_000
"""How many lines are on their way from the server at a time."""

# The order is told byte by byte, so that no server's collation has a say in it.
WALLETS = """case wallet when 'spot' then 0 when 'cross' then 1 else 2 end, wallet collate "C" """
_OF_ACCOUNT = "account_id = %(account_id)s and (%(wallet)s::text is null or wallet = %(wallet)s)"
_LINE = "position, line, wallet, part, asset, amount, balance, topic, effective_at, recorded_at"
_RECORDED = f"""
select {_LINE} from journal where {_OF_ACCOUNT} and position > %(after)s and position <= %(until)s
order by {WALLETS}, position, line
"""
_RECORDED_SUMS = f"""
select wallet, asset, part, 0::numeric as opening, sum(amount) as moved, count(*) as lines,
    max(scale(trim_scale(amount))) as decimals, sum(abs(amount)) as turnover
from journal where {_OF_ACCOUNT} and position > %(after)s and position <= %(until)s
group by wallet, asset, part
"""
_KNOWN = f"{_OF_ACCOUNT} and position <= %(known)s and effective_at <= %(until)s::timestamptz"
# What is dated before the range is summed as well, for balances run on from it.
_DATED = f"""
select {_LINE} from (
    select position, line, wallet, part, asset, amount, topic, effective_at, recorded_at,
        sum(amount) over (
            partition by wallet, part, asset order by effective_at, position, line rows unbounded preceding
        ) as balance
    from journal where {_KNOWN}
) as dated where effective_at > %(after)s::timestamptz
order by {WALLETS}, effective_at, position, line
"""
_DATED_SUMS = f"""
select wallet, asset, part,
    coalesce(sum(amount) filter (where effective_at <= %(after)s::timestamptz), 0) as opening,
    coalesce(sum(amount) filter (where effective_at > %(after)s::timestamptz), 0) as moved,
    count(*) filter (where effective_at > %(after)s::timestamptz) as lines,
    max(scale(trim_scale(amount))) as decimals, sum(abs(amount)) as turnover
from journal where {_KNOWN} group by wallet, asset, part
"""


class Recorded(NamedTuple):
    """What was recorded after a position up to another."""

    after: int
    until: int


class Dated(NamedTuple):
    """What is dated after a business time (None: the start of time) up to another, of what is known at a position."""

    after: datetime | None
    until: datetime
    known: int


class PostedLine(NamedTuple):
    """A line of a book; `balance` is the book's after it, in the order in which lines are told. Debts are negative."""

    position: int
    line: int
    wallet: str
    part: Part
    asset: str
    amount: Decimal
    balance: Decimal
    topic: str
    effective_at: datetime
    recorded_at: datetime


class PartSum(NamedTuple):
    """What a book moved by so many lines, the most decimals of one, and what they come to without their signs.

    Of business times `opening` is told too, and what was dated before the range counts in the last two.
    """

    wallet: str
    asset: str
    part: Part
    opening: Decimal
    moved: Decimal
    lines: int
    decimals: int
    turnover: Decimal


def part_sums(
    connection: Connection, account_id: str, told: Recorded | Dated, wallet: str | None = None
) -> list[PartSum]:
    """The books that have lines in the range, or of business times before it, in no order."""
    query = _RECORDED_SUMS if isinstance(told, Recorded) else _DATED_SUMS
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(query.encode(), _asked(account_id, told, wallet)).fetchall()
    return [PartSum(name, asset, Part(part), *sums) for name, asset, part, *sums in rows]


def posted_lines(
    connection: Connection, account_id: str, told: Recorded | Dated, wallet: str | None = None
) -> Iterator[list[PostedLine]]:
    """The lines in the range, some at a time: spot, cross, then buckets by name; in each in log order, or by date.

    Needs an open transaction; the server keeps what was not fetched yet.
    """
    query = _RECORDED if isinstance(told, Recorded) else _DATED
    with connection.cursor(f"statement_{uuid4().hex}", row_factory=tuple_row) as cursor:
        cursor.execute(query.encode(), _asked(account_id, told, wallet))
        while rows := cursor.fetchmany(LINES_AT_ONCE):
            yield [PostedLine._make((*row[:3], _PARTS[row[3]], *row[4:])) for row in rows]


def _asked(account_id: str, told: Recorded | Dated, wallet: str | None) -> dict[str, object]:
    bounds = told._asdict()
    if isinstance(told, Dated) and told.after is None:
        bounds["after"] = "-infinity"
    return {"account_id": account_id, "wallet": wallet, **bounds}
