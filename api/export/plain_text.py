"""The journal as plain-text accounting: books with what they held and must hold, then each event that posted a line."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol, TextIO

from api.export.names import OPENING_BALANCES, account_name, commodity_name
from ledger.events import read_event
from ledger.log import Connection, RecordedEvent, read_positions
from ledger.money import ZERO
from ledger.postings import postings
from ledger.stored import stored_events
from projections.journal.queries import book_sums

REPORTED_EVENTS = 1_000


class Range(NamedTuple):
    """The events after a position up to another; of these accounts alone, unless that is None."""

    after: int
    until: int
    accounts: Sequence[str] | None = None


class Posting(NamedTuple):
    """A line under the names that the tools take."""

    account: str
    commodity: str
    amount: Decimal


class Dialect(Protocol):
    """How a tool wants to be told; every function gives whole lines of text."""

    def heading(self, told: Range) -> str:
        """What the file is, and how its numbers are to be read."""

    def account(self, name: str, day: date) -> str:
        """That there is this account, from a day on."""

    def commodity(self, name: str, decimals: int, day: date) -> str:
        """That there is this commodity, with at most so many decimals."""

    def opening(self, posting: Posting, day: date) -> str:
        """What an account held before the first event."""

    def balance(self, posting: Posting, day: date) -> str:
        """What an account must hold exactly, of this commodity, at the beginning of a day."""

    def transaction(self, recorded: RecordedEvent, lines: Sequence[Posting]) -> str:
        """An event with the lines that it posted."""


def write_journal(
    connection: Connection, told: Range, dialect: Dialect, out: TextIO, progress: Callable[[int], None]
) -> None:
    """Writes a range of the journal; `connection` is a snapshot of the journal that has all of it.

    Transactions are dated by when they were recorded, in UTC, so that days follow the log. The sums come from the
    journal and the lines from the log itself: a tool that checks the one by the other checks both.
    """
    out.write(dialect.heading(told))
    days = _days(connection, told)
    if days is None:
        return
    opened, ended = days
    out.writelines(_told_books(connection, told, dialect, opened, ended + timedelta(days=1)))
    _write_events(connection, told, dialect, out, progress)


def _told_books(connection: Connection, told: Range, dialect: Dialect, opened: date, after_all: date) -> Iterator[str]:
    """Every account, with what it held and must hold in the end; then the commodities, known once all were seen."""
    decimals: dict[str, int] = {}
    named: str | None = None
    yield dialect.account(OPENING_BALANCES, opened)
    for one in book_sums(connection, *told):
        decimals[one.asset] = max(decimals.get(one.asset, 0), one.decimals)
        name, commodity = account_name(one.book), commodity_name(one.asset)
        if name != named:
            yield dialect.account(name, opened)
            named = name
        if one.opening:
            yield dialect.opening(Posting(name, commodity, one.opening), opened)
        yield dialect.balance(Posting(name, commodity, one.closing), after_all)
    for asset, most in decimals.items():
        yield dialect.commodity(commodity_name(asset), most, opened)
        # What all books held before sums to zero, as at every position of the log.
        yield dialect.balance(Posting(OPENING_BALANCES, commodity_name(asset), ZERO), after_all)


def _days(connection: Connection, told: Range) -> tuple[date, date] | None:
    """The days of the first event and of the last; None while the log is empty."""
    ends = read_positions(connection, [min(told.after + 1, told.until), told.until])
    return (ends[0].recorded_at.date(), ends[-1].recorded_at.date()) if ends else None


def _write_events(
    connection: Connection, told: Range, dialect: Dialect, out: TextIO, progress: Callable[[int], None]
) -> None:
    for number, row in enumerate(stored_events(connection, *told), start=1):
        recorded = RecordedEvent(row.position, row.recorded_at, read_event(row.topic, row.state))
        lines = [
            Posting(account_name(book), commodity_name(asset), amount)
            for book, asset, amount in postings(recorded.event)
        ]
        if lines:
            out.write(dialect.transaction(recorded, lines))
        if number % REPORTED_EVENTS == 0:
            progress(row.position)
    progress(told.until)
