"""An outside statement compared with the journal at one log position, by business times and by recorded times.

What counts of the journal are postings against the outside: deposits, settled withdrawals, adjustments, and reversals
of these. Memory does not grow with either side: both lie in temporary tables of one session.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from ledger.events import AnyEvent, FundsDeposited, WithdrawalSettled
from ledger.events.corrections import AdjustmentPosted, AdjustmentProposed
from ledger.log import read_at
from ledger.money import ZERO
from ledger.postings import ADJUSTMENTS, EXTERNAL, postings
from ledger.shown_texts import ERASED, UNREADABLE, texts_shown
from projections.projector import Connection
from projections.questions.reconciliation_pairs import EFFECTIVE, RECORDED, TABLES, Period, pair_all
from projections.snapshot import Snapshot

OUTSIDE_BOOKS = (EXTERNAL, ADJUSTMENTS)
ROWS_AT_ONCE = 2_000
KINDS = ("matched", "different", "missing_here", "missing_there", "reversed", "late", "other_period")
DIFFERENCES = ("different", "missing_here", "missing_there")
"""The kinds that say that the two do not agree."""

_WITHIN = """house_book = any(%(books)s) and journal.asset = any(%(assets)s) and position <= %(position)s
  and {time} and events.originator_id = any(%(accounts)s)"""
_NEAR = """(journal.effective_at between %(near_first)s and %(near_last)s
  or journal.recorded_at between %(near_first)s and %(near_last)s)"""
_POSTINGS = f"""
select events.notification_id, events.recorded_at, events.topic, events.state,
    original.notification_id, original.topic, original.state,
    proposal.notification_id, proposal.topic, proposal.state
from journal join public.events on events.notification_id = position
left join public.events as original
on original.originator_id = events.originator_id and original.originator_version = case events.topic
    when 'event.reversed' then (convert_from(events.state, 'UTF8')::json ->> 'reversed_version')::bigint end
left join public.events as proposal
on proposal.originator_id = events.originator_id
and proposal.originator_version = case coalesce(original.topic, events.topic) when 'adjustment.posted'
    then (convert_from(coalesce(original.state, events.state), 'UTF8')::json ->> 'proposed_version')::bigint end
where {_WITHIN.format(time=_NEAR)}
"""
_JOURNAL_SUMS = f"""
select journal.asset, coalesce(-sum(amount) filter (where journal.effective_at between %(first)s and %(last)s), 0),
    coalesce(-sum(amount) filter (where journal.recorded_at between %(first)s and %(last)s), 0)
from journal join public.events on notification_id = position where {_WITHIN.format(time=_NEAR)} group by journal.asset
"""
# An id of our own serves where a posting states no reference and a line names it.
_NAMED_BY_ID = """
update outside_postings as posting set reference = own_id where reference is null and exists (
    select from outside_lines as line
    where (line.account_id, line.asset, line.reference) = (posting.account_id, posting.asset, posting.own_id)
)
"""
_MARK_LINES = """
update outside_lines set is_inside = at between %(first)s and %(last)s,
    is_near = moment between %(near_first)s and %(near_last)s
"""
_PERIOD = """
select min(at), max(case when at < moment then moment + (moment - at) else at end) from outside_lines
"""
_TOTALS = """
select kind, asset, count(number), count(position), sum(line), sum(posting), sum(posting_inside)
from (
    select kind, line.asset, pair.number, null::bigint as position, amount as line, 0 as posting, 0 as posting_inside
    from outside_pairs as pair join outside_lines as line using (number) where view = %(view)s
    union all
    select kind, posting.asset, null, pair.position, 0, amount,
        case when case %(view)s when 'effective_at' then effective_at else recorded_at end
            between %(first)s and %(last)s then amount else 0 end
    from outside_pairs as pair join outside_postings as posting using (position) where view = %(view)s
) as either group by kind, asset order by asset, kind
"""
_ITEMS = """
select kind, number, position, topic, effective_at, recorded_at,
    line.at as there_time, posting.{time} as here_time,
    line.account_id as there_account, posting.account_id as here_account,
    line.asset as there_asset, posting.asset as here_asset,
    line.amount as there_amount, posting.amount as here_amount,
    line.reference as there_reference, posting.reference as here_reference
from outside_pairs as pair left join outside_lines as line using (number)
left join outside_postings as posting using (position)
where view = %(view)s and kind = any(%(kinds)s)
order by coalesce(line.at, posting.{time}), number, position
"""


class StatementLine(NamedTuple):
    """A line of the statement, amounts as the customer sees them: above zero came in.

    `at` is the beginning of the day where a line states no hour.
    """

    number: int
    account_id: str
    asset: str
    amount: Decimal
    reference: str | None
    at: datetime
    is_day: bool


class Total(NamedTuple):
    """What a kind amounts to of one asset: how many lines and postings, and their sums; the last of those postings
    whose time lies in the period."""

    kind: str
    asset: str
    lines: int
    postings: int
    there: Decimal
    here: Decimal
    here_in_period: Decimal


class Reconciliation:
    """One comparison in a transaction of its own on `connection`, which keeps nothing once it ends.

    `hidden` counts the postings whose reference cannot be shown, and so pairs none, by why: erased or unreadable.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._period: Period | None = None
        self.hidden: Counter[str] = Counter()
        connection.execute("set local timezone to 'UTC'; set local jit to off; set local work_mem to '64MB'")
        connection.execute(TABLES)

    def take(self, lines: Iterable[StatementLine]) -> None:
        """Takes the lines of the statement, once."""
        with (
            self._connection.cursor() as cursor,
            cursor.copy(
                "copy outside_lines (number, account_id, asset, amount, reference, at, moment) from stdin"
            ) as copy,
        ):
            for line in lines:
                # A line that states a day lies a little before its noon: the day's beginning, at which such a line is
                # booked, is then nearer to it than the next day's.
                moment = line.at + timedelta(hours=12, microseconds=-1) if line.is_day else line.at
                copy.write_row((*line[:6], moment))

    def span(self) -> tuple[datetime, datetime] | None:
        """From the first line's time to the last one's, to the end of its day where it states a day; None: no lines."""
        first, last = self._connection.execute(_PERIOD).fetchone() or (None, None)
        return None if first is None else (first, last)

    def named(self, column: str) -> list[str]:
        """The accounts, or the assets, that the statement names."""
        query = f"select distinct {column} from outside_lines order by 1"
        return [row[0] for row in self._connection.execute(query.encode())]

    def read(
        self, snapshot: Snapshot, period: Period, accounts: Sequence[str], assets: Sequence[str]
    ) -> dict[str, dict[str, Decimal]]:
        """Takes the postings to compare with; returns the journal's own sums of the period, by view and asset."""
        self._period = period
        asked = {
            **period.parameters,
            "books": [book.name for book in OUTSIDE_BOOKS],
            "accounts": list(accounts),
            "assets": list(assets),
            "position": snapshot.position,
        }
        self._connection.execute(_MARK_LINES, asked)
        with self._connection.cursor() as cursor, cursor.copy("copy outside_postings from stdin") as copy:
            for row in _postings(snapshot.connection, asked, self.hidden):
                copy.write_row(row)
        sums = snapshot.connection.execute(_JOURNAL_SUMS.encode(), asked).fetchall()
        return {
            EFFECTIVE: {asset: effective for asset, effective, _ in sums},
            RECORDED: {asset: recorded for asset, _, recorded in sums},
        }

    def pair(self) -> None:
        """Pairs lines and postings in both views; it needs the journal no more."""
        assert self._period is not None
        self._connection.execute("analyze outside_lines, outside_postings")
        self._connection.execute(_NAMED_BY_ID)
        pair_all(self._connection, self._period)

    def lines(self) -> tuple[int, int]:
        """How many lines there are, and how many of them lie beside the period."""
        query = "select count(*), count(*) filter (where not is_inside) from outside_lines"
        return self._connection.execute(query).fetchone() or (0, 0)

    def totals(self, view: str) -> list[Total]:
        """What each kind amounts to by asset."""
        assert self._period is not None
        asked = {"view": view, **self._period.parameters}
        return [Total(*row) for row in self._connection.execute(_TOTALS, asked)]

    def items(self, view: str, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The pairs of these kinds in order of time, one by one; of what is missing one side is None throughout."""
        asked = {"view": view, "kinds": list(kinds)}
        with self._connection.cursor("outside_items", row_factory=dict_row) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            yield from cursor.execute(_ITEMS.format(time=view).encode(), asked)

    def count(self, view: str, kinds: Sequence[str]) -> int:
        """How many items there are of these kinds."""
        query = "select count(*) from outside_pairs where view = %s and kind = any(%s)"
        row = self._connection.execute(query, [view, list(kinds)]).fetchone()
        return int(row[0]) if row else 0

    def fields_that_differ(self, item: dict[str, Any]) -> list[str]:
        """Which fields of a pair say something else here than there; time, only where the posting's is of no use."""
        differ = [
            name
            for name in ("account", "asset", "amount", "reference")
            if item[f"there_{name}"] != item[f"here_{name}"] and item[f"here_{name}"] is not None
        ]
        assert self._period is not None
        near = self._period.parameters
        is_near = near["near_first"] <= item["here_time"] <= near["near_last"]
        return differ if is_near else [*differ, "time"]


class _Posting(NamedTuple):
    """An event that posts against the outside, when it was recorded, what it reverses, and what names its payment."""

    position: int
    event: AnyEvent
    recorded_at: datetime
    reverses: int | None
    reference: str | None
    own_id: str | None


def _postings(connection: Connection, asked: dict[str, Any], hidden: Counter[str]) -> Iterator[tuple[Any, ...]]:
    """The rows to compare with, references as they were stated; counts those that cannot be shown by why."""
    with connection.cursor("outside_postings") as cursor:
        cursor.execute(_POSTINGS.encode(), asked, binary=True)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            read = [_posting(*row) for row in rows]
            texts = texts_shown(connection, [{"reference": one.reference} for one in read])
            for one, shown in zip(read, texts, strict=True):
                hidden.update(why for why in (ERASED, UNREADABLE) if why in shown)
                yield from _rows(one, shown["reference"])


def _posting(position: int, recorded_at: datetime, topic: str, state: bytes, *looked_up: Any) -> _Posting:
    """`looked_up` are the rows of what the event reverses and of the proposal of what it posts, as far as there are."""
    event = read_at(position, topic, state)
    original, proposal = looked_up[:3], looked_up[3:]
    told = event if original[0] is None else read_at(*original)
    reference, own_id = _names(told, None if proposal[0] is None else read_at(*proposal))
    return _Posting(position, event, recorded_at, original[0], reference, own_id)


def _rows(one: _Posting, reference: str | None) -> Iterator[tuple[Any, ...]]:
    event = one.event
    for asset, amount in _outside(event).items():
        named = (event.account_id, asset, amount, reference, one.own_id, event.TOPIC)
        yield (one.position, *named, event.effective_at, one.recorded_at, one.reverses)


def _names(event: AnyEvent, proposal: AnyEvent | None) -> tuple[str | None, str | None]:
    """The reference that an event or its proposal states, as it is stored, and the id of the thing that it books."""
    match event:
        case FundsDeposited():
            return event.reference, event.deposit_id
        case WithdrawalSettled():
            return event.reference, event.withdrawal_id
        case AdjustmentPosted():
            reference = proposal.reference if isinstance(proposal, AdjustmentProposed) else None
            return reference, event.adjustment_id
        case _:
            return None, None


def _outside(event: AnyEvent) -> dict[str, Decimal]:
    """What an event posts against the outside, by asset, as its customer sees it."""
    amounts: dict[str, Decimal] = {}
    for book, asset, amount in postings(event):
        if book in OUTSIDE_BOOKS:
            amounts[asset] = amounts.get(asset, ZERO) - amount
    return amounts
