"""Lines of an outside statement and postings of the journal paired, in temporary tables that the server sorts.

Each line and each posting is used once in a view. What pairs wholly is found by the server; only groups in which time
decides come here, one by one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, LiteralString, NamedTuple

from psycopg import sql

from projections.projector import Connection
from projections.questions.nearest import Timed, nearest_pairs

EFFECTIVE, RECORDED = "effective_at", "recorded_at"
VIEWS = (EFFECTIVE, RECORDED)
"""The views: by which time of a posting it is compared."""
PAIRS_AT_ONCE = 5_000
_EVER = timedelta.max

TABLES = """
create temporary table outside_lines (
    number bigint, account_id text, asset text, amount numeric, reference text,
    at timestamptz, moment timestamptz, is_inside boolean, is_near boolean
) on commit drop;
create temporary table outside_postings (
    position bigint, account_id text, asset text, amount numeric, reference text, own_id text, topic text,
    effective_at timestamptz, recorded_at timestamptz, reverses bigint
) on commit drop;
create temporary table outside_pairs (view text, kind text, number bigint, position bigint) on commit drop;
create index on outside_pairs (view, number);
create index on outside_pairs (view, position);
"""

# What is left in a view: lines near the period, and postings whose time in this view is.
_LINES = """(
    select number, account_id, asset, amount, reference, moment, is_inside from outside_lines as line where is_near
      and not exists (select from outside_pairs as used where used.view = %(view)s and used.number = line.number)
)"""
_POSTINGS = """(
    select position, account_id, asset, amount, reference, {time} as moment, effective_at, reverses,
        {time} between %(first)s and %(last)s as is_inside
    from outside_postings as posting where {time} between %(near_first)s and %(near_last)s
      and not exists (select from outside_pairs as used where used.view = %(view)s and used.position = posting.position)
)"""
_PUT = "insert into outside_pairs (view, kind, number, position) "

# Of one reference and amount: where there is one line and one posting, they are a pair.
_BY_REFERENCE = """
select %(view)s, 'matched', min(number), min(position) from (
    select account_id, asset, reference, amount, number, null::bigint as position from {lines} as line
    union all
    select account_id, asset, reference, amount, null, position from {postings} as posting
) as either where reference is not null
group by account_id, asset, reference, amount having count(number) = 1 and count(position) = 1
"""
_GROUPS = """
select *, account_id || ' ' || asset || ' ' || trim_scale(amount) || {and_reference} as alike from (
    select *, bool_or(side = 0) over alike and bool_or(side = 1) over alike as is_of_both from (
        select account_id, asset, amount, reference, moment, 0 as side, number as id
        from {lines} as line where {if_line}
        union all
        select account_id, asset, amount, reference, moment, 1, position
        from {postings} as posting where {if_posting}
    ) as either
    window alike as (partition by account_id, asset, amount {by_reference})
) as grouped where is_of_both order by alike
"""
_NO_POSTING_SAYS_IT = """reference is not null and not exists (select from {postings} as other
    where (other.account_id, other.asset, other.reference) = (line.account_id, line.asset, line.reference))"""
_NO_LINE_SAYS_IT = """(reference is null or not exists (select from {lines} as other
    where (other.account_id, other.asset, other.reference) = (posting.account_id, posting.asset, posting.reference)))"""
# What the other view pairs, and this one could not.
_OF_THE_OTHER_VIEW = """
select %(view)s, %(kind)s, number, position from outside_pairs as pair
where view = %(other)s and kind = 'matched'
  and not exists (select from outside_pairs as used where used.view = %(view)s and used.number = pair.number)
  and not exists (select from outside_pairs as used where used.view = %(view)s and used.position = pair.position)
"""
_LATE_ALONE = """
select %(view)s, 'late', number, null from {lines} as line
where is_inside and number in (select number from outside_pairs where view = %(other)s and kind = 'matched')
union all
select %(view)s, 'late', null, position from {postings} as posting
where is_inside and position in (select position from outside_pairs where view = %(other)s and kind = 'matched')
"""
_OF_OTHER_PERIODS = """
select %(view)s, 'other_period', null, position from {postings} as posting
where not effective_at between %(first)s and %(last)s and is_inside
"""
_REVERSED = """
select %(view)s, 'reversed', null, unnest(array[undone.position, undoing.position])
from {postings} as undone join {postings} as undoing on undoing.reverses = undone.position
where undone.is_inside or undoing.is_inside
"""
_DIFFERENT = """
select %(view)s, 'different', number, position from (
    select *, row_number() over (partition by {alike} order by moment, number) as place from {lines} as line
) as line join (
    select *, row_number() over (partition by {alike} order by moment, position) as place from {postings} as posting
) as posting using ({alike}, place)
"""
_MISSING = """
select %(view)s, 'missing_here', number, null from {lines} as line where is_inside
union all select %(view)s, 'missing_there', null, position from {postings} as posting where is_inside
"""
# What lies beside the period on both sides was there to be paired with, and is of another period.
_BESIDE = """
delete from outside_pairs as pair using outside_lines as line, outside_postings as posting
where pair.view = %(view)s and line.number = pair.number and posting.position = pair.position
  and not line.is_inside and not posting.{time} between %(first)s and %(last)s
"""


class Period(NamedTuple):
    """The times compared, both inclusive, and how far apart a line and its posting may lie without a reference."""

    first: datetime
    last: datetime
    tolerance: timedelta

    @property
    def parameters(self) -> dict[str, datetime]:
        near = {"near_first": self.first - self.tolerance, "near_last": self.last + self.tolerance}
        return {"first": self.first, "last": self.last, **near}


def pair_all(connection: Connection, period: Period) -> None:
    """Fills `outside_pairs` for both views, from `outside_lines` and `outside_postings`."""
    views = [_View(connection, view, period) for view in VIEWS]
    for view in views:
        view.match()
    by_effective_time, by_recorded_time = views
    by_effective_time.explain("different")
    by_recorded_time.explain("late")
    by_recorded_time.put(_LATE_ALONE, other=EFFECTIVE)
    by_recorded_time.put(_OF_OTHER_PERIODS)
    for view in views:
        view.differ()


class _View:
    """The pairs of one view while they are made."""

    def __init__(self, connection: Connection, view: str, period: Period) -> None:
        self._connection = connection
        self._tolerance = period.tolerance
        self._asked: dict[str, Any] = {"view": view, **period.parameters}
        self._other = RECORDED if view == EFFECTIVE else EFFECTIVE
        self._time = view

    def match(self) -> None:
        """By reference, as exact as that is; then by time what no reference speaks for."""
        self.put(_BY_REFERENCE)
        self._pair_by_time("matched", if_line="reference is not null", if_posting="reference is not null", most=_EVER)
        self._pair_by_time("matched", if_line="reference is null", if_posting=_NO_LINE_SAYS_IT)
        self._pair_by_time("matched", if_line=_NO_POSTING_SAYS_IT, if_posting="reference is null")

    def explain(self, kind: str) -> None:
        """Takes over what is a pair in the other view, as a pair of this kind."""
        self.put(_OF_THE_OTHER_VIEW, other=self._other, kind=kind)

    def differ(self) -> None:
        """What is reversed undoes itself; what is left is paired by what is alike, and told as different or missing."""
        self.put(_REVERSED)
        self.put(_DIFFERENT, alike="account_id, asset, reference")
        self.put(_DIFFERENT, alike="reference, amount")
        said = "reference is not null"
        self._pair_by_time("different", if_line=said, if_posting=said)
        self.put(_MISSING)
        self._connection.execute(self._composed(_BESIDE), self._asked)

    def put(self, query: LiteralString, alike: str = "", **asked: str) -> None:
        """Puts the pairs that a query finds."""
        self._connection.execute(
            sql.SQL(_PUT) + self._composed(query, alike=sql.SQL(alike)),
            {**self._asked, **asked},
        )

    def _pair_by_time(
        self, kind: str, *, if_line: LiteralString, if_posting: LiteralString, most: timedelta | None = None
    ) -> None:
        """Pairs those of one account, asset and amount, and without a bound of one reference, by the nearest time."""
        of_one = most is not None
        query = self._composed(
            _GROUPS,
            if_line=self._composed(if_line),
            if_posting=self._composed(if_posting),
            by_reference=sql.SQL(", reference" if of_one else ""),
            and_reference=sql.SQL("' ' || reference" if of_one else "''"),
        )
        pairs: list[tuple[int, int]] = []
        for things in self._groups(query):
            pairs += nearest_pairs(things, self._tolerance if most is None else most)
            if len(pairs) >= PAIRS_AT_ONCE:
                self._copy(kind, pairs)
        self._copy(kind, pairs)

    def _groups(self, query: sql.Composed) -> Iterator[list[Timed]]:
        with self._connection.cursor("groups_by_time") as cursor:
            cursor.itersize = PAIRS_AT_ONCE
            cursor.execute(query, self._asked)
            for _, rows in groupby(cursor, key=itemgetter(-1)):
                yield [Timed(row[4], row[5], row[6]) for row in rows]

    def _copy(self, kind: str, pairs: list[tuple[int, int]]) -> None:
        with self._connection.cursor() as cursor, cursor.copy("copy outside_pairs from stdin") as copy:
            for number, position in pairs:
                copy.write_row((self._time, kind, number, position))
        pairs.clear()

    def _composed(self, query: LiteralString, **parts: sql.Composable) -> sql.Composed:
        time = sql.Identifier(self._time)
        postings = sql.SQL(_POSTINGS).format(time=time)
        return sql.SQL(query).format(lines=sql.SQL(_LINES), postings=postings, time=time, **parts)
