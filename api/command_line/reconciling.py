"""`ledger reconcile`: an outside statement against the journal at one log position, by business and recorded times."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import typer

from api.answers import moment
from api.command_line import outside_file as of
from api.command_line.database import readable_url
from api.command_line.looking import logged_url
from api.command_line.points import time_of, time_span
from api.command_line.reading import Source
from api.command_line.reconciliation_report import Compared, print_csv, print_json, print_tables
from api.command_line.screen import Exit, stop
from api.outside.statement import Layout
from ledger.errors import ProjectionsBehind
from ledger.postgres import SERVICE, Connection, connect
from projections.questions.reconciliation import Reconciliation, StatementLine
from projections.questions.reconciliation_pairs import Period
from projections.snapshot import open_snapshot

LONGEST_TOLERANCE = timedelta(days=366)
EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)


class Asked(NamedTuple):
    """What is compared: the times, the file's where None, and the position, the log's end where None."""

    first: datetime | None
    last: datetime | None
    tolerance: timedelta
    position: int | None


First = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="The first time compared; the file's if left out.")
]
Last = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="The last time compared; the file's if left out.")
]
Tolerance = Annotated[
    str, typer.Option(metavar="SPAN", help="How far apart times may lie where no reference pairs: 90s, 2h, 1d.")
]
Position = Annotated[int | None, typer.Option(min=0, help="The log position compared with; its end if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="The whole report as JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Every line of the report as CSV.")]
Matched = Annotated[bool, typer.Option("--matched", help="List what was matched too.")]


def reconcile(
    file: of.File,
    column: of.Columns = None,
    account: of.Account = None,
    asset: of.Asset = None,
    delimiter: of.Delimiter = ",",
    decimal_comma: of.DecimalComma = False,
    thousands: of.Thousands = "",
    time_format: of.TimeFormat = None,
    time_zone: of.TimeZone = "UTC",
    encoding: of.Encoding = "utf-8",
    incoming: of.Incoming = None,
    outgoing: of.Outgoing = None,
    first: First = None,
    last: Last = None,
    tolerance: Tolerance = "1d",
    position: Position = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    matched: Matched = False,
) -> None:
    """Compare an outside statement (CSV: time, account, asset, amount, reference) with the journal.

    Ends with 0 if they agree, 1 if they differ, 2 if the file or an option cannot be understood.
    """
    words = (incoming, outgoing)
    times = (time_format, time_zone)
    layout = of.layout_of(column, account, asset, delimiter, decimal_comma, thousands, *times, encoding, *words)
    if as_json and as_csv:
        stop("--json and --csv were both given; state one of them", Exit.USAGE)
    asked = Asked(_time(first), _time(last), _tolerance(tolerance), position)
    with ExitStack() as stack:
        source = of.opened_statement(stack, file)
        work = stack.enter_context(connect(readable_url(), application_name="ledger reconcile", role=SERVICE))
        compared = _compared(work, source, layout, asked)
        (print_json if as_json else print_csv if as_csv else print_tables)(compared, with_matched=matched)
        work.rollback()
    if not compared.agrees:
        raise typer.Exit(Exit.DIFFERENCE)


def _time(text: str | None) -> datetime | None:
    return None if text is None else time_of(text)


def _tolerance(text: str) -> timedelta:
    found = time_span(text)
    if found > LONGEST_TOLERANCE:
        stop(f"--tolerance {text} is longer than {LONGEST_TOLERANCE.days} days", Exit.USAGE)
    return found


def _compared(work: Connection, source: Source, layout: Layout, asked: Asked) -> Compared:
    reconciliation = Reconciliation(work)
    reconciliation.take(
        StatementLine(one.number, one.account_id, one.asset, one.amount, one.reference, one.time, one.is_day)
        for one in of.readable_lines(source, layout)
    )
    period = _period(reconciliation, asked)
    accounts = _named(reconciliation, layout, "account")
    assets = _named(reconciliation, layout, "asset")
    url = logged_url("reconcile", accounts)
    with connect(url, application_name="ledger reconcile", role=SERVICE) as reading:
        try:
            with open_snapshot(reading, position=asked.position, names=["journal"]) as snapshot:
                position, sums = snapshot.position, reconciliation.read(snapshot, period, accounts, assets)
        except ProjectionsBehind as refusal:
            stop(refusal.detail)
    reconciliation.pair()
    return Compared(source.name, position, period, reconciliation, sums)


def _period(reconciliation: Reconciliation, asked: Asked) -> Period:
    """The times asked for, or those of the file; without lines and without them there is nothing to compare."""
    first, last = reconciliation.span() or (asked.first or EARLIEST, asked.last or asked.first or EARLIEST)
    period = Period(asked.first or first, asked.last or last, asked.tolerance)
    if period.first.year <= 1970 or period.last.year >= 9998:
        stop("--from and --to lie in the years 1971 to 9997", Exit.USAGE)
    if period.first > period.last:
        stop(f"the period from {moment(period.first)} to {moment(period.last)} ends before it begins", Exit.USAGE)
    return period


def _named(reconciliation: Reconciliation, layout: Layout, field: str) -> list[str]:
    column = "account_id" if field == "account" else field
    return sorted({*reconciliation.named(column), *filter(None, [layout.constants.get(field)])})
