"""Questions about the log of reads: pages in order of time, by account, by actor, between two times."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from ledger.postgres import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLACE = r"^[0-9]{1,17}\.[0-9]{1,18}$"
"""How the id of a read is written: its time in microseconds since 1970, and its number."""

Place = tuple[datetime, int]
FIRST: Place = (EPOCH, 0)
LAST: Place = (datetime(9999, 1, 1, tzinfo=UTC), 0)

COLUMNS = """
(extract(epoch from read_at) * 1000000)::bigint || '.' || number as id, read_at, actor, purpose, what, account_id,
parameters, position, row_count, status, correlation_id
"""


class Which(NamedTuple):
    """Which reads are asked for; of an account those that named it. Times are those of reading, both included."""

    account_id: str | None = None
    actor: str | None = None
    read_from: datetime | None = None
    read_to: datetime | None = None


def is_place(text: str) -> bool:
    """Whether a text is written as the id of a read is."""
    return re.fullmatch(PLACE, text) is not None


def place_of(text: str) -> Place:
    """The place in the log that the id of a read is."""
    microseconds, _, number = text.partition(".")
    return EPOCH + timedelta(microseconds=int(microseconds)), int(number)


def reads(
    connection: Connection, which: Which, *, after: Place = FIRST, before: Place = LAST, limit: int, newest_first: bool
) -> list[dict[str, Any]]:
    """Reads between two places, in order of time or from the last back, at most `limit`.

    Rows are ordered with the column that is asked for before the time, so that one index is walked and no more of it
    than is shown; where account and actor are both asked for, the account's reads are walked.
    """
    direction = "desc" if newest_first else "asc"
    asked = {"account_id": which.account_id, "actor": which.actor}
    filters = [name for name, value in asked.items() if value is not None]
    order = ", ".join(f"{name} {direction}" for name in [*filters[:1], "read_at", "number"])
    bounds = ["(read_at, number) > (%(after_time)s, %(after)s)", "(read_at, number) < (%(before_time)s, %(before)s)"]
    conditions = " and ".join([*(f"{name} = %({name})s" for name in filters), *bounds])
    (after_time, first), (before_time, last) = max(after, _from(which)), min(before, _to(which))
    places = {"after_time": after_time, "after": first, "before_time": before_time, "before": last}
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            f"select {COLUMNS} from reads where {conditions} order by {order} limit %(limit)s".encode(),
            {**asked, **places, "limit": limit},
        )
        return cursor.fetchall()


def _from(which: Which) -> Place:
    """Right before the first read at or after the time, for numbers begin at 1."""
    return FIRST if which.read_from is None else (which.read_from, 0)


def _to(which: Which) -> Place:
    """Right after the last read at or before the time, which has microseconds and no finer parts."""
    return LAST if which.read_to is None else (which.read_to + timedelta(microseconds=1), 0)
