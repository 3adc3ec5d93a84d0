"""`ledger export`: the journal as plain-text accounting or CSV, and the whole log as an archive of Parquet files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from time import monotonic
from typing import Annotated, TextIO

import typer
from psycopg import IsolationLevel

from api.answers import moment
from api.command_line.files import opened_file
from api.command_line.looking import logged_url
from api.command_line.points import POINT, POINT_HELP, point_of
from api.command_line.screen import Exit, note, say, show_progress, shown_in, stop
from api.export.beancount import DIGITS, Beancount
from api.export.hledger import Hledger
from api.export.manifest import SEGMENT_EVENTS
from api.export.plain_text import Dialect, Range, write_journal
from ledger.errors import ProjectionsBehind, UnknownAccount
from ledger.log import Connection, log_end, position_at, version_at
from ledger.postgres import connect
from projections.journal.queries import lines_as_csv
from projections.snapshot import AsOf, open_snapshot

export = typer.Typer(
    no_args_is_help=True,
    help="Write the journal or the log for other programs.",
)
From = Annotated[
    str | None, typer.Option("--from", metavar=POINT, help=f"What came after {POINT_HELP}; all if left out.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar=POINT, help="Up to and with a position or a time; now if left out.")
]
Accounts = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account's events; may be given several times.")
]
Out = Annotated[Path | None, typer.Option("--out", help="A file, whole or not there; standard output if left out.")]


@export.command()
def beancount(first: From = None, last: To = None, account: Accounts = None, out: Out = None) -> None:
    """Write the journal as beancount reads it, with a balance assertion for every book at the end."""
    dialect = Beancount()
    _write(out, first, last, account, _in_dialect(dialect))
    if dialect.long_lines:
        note(
            f"{dialect.long_lines:,} lines have amounts of more than {DIGITS} digits, which is what beancount computes "
            f"with, first of {dialect.first_long}: it may find balances wrong that are not; hledger takes every digit"
        )


@export.command()
def hledger(first: From = None, last: To = None, account: Accounts = None, out: Out = None) -> None:
    """Write the journal as hledger reads it, with a balance assertion for every book at the end."""
    _write(out, first, last, account, _in_dialect(Hledger()))


@export.command()
def csv(first: From = None, last: To = None, account: Accounts = None, out: Out = None) -> None:
    """Write the journal's lines as CSV, each with the balance that it leaves its book at."""
    _write(out, first, last, account, _as_csv)


@export.command()
def parquet(
    folder: Annotated[Path, typer.Option("--to", metavar="DIR", help="The archive's folder; made if it is missing.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is not yet a whole segment, as a file that the next run replaces.")
    ] = False,
    segment: Annotated[
        int | None,
        typer.Option(
            min=1, help=f"How many events a segment has; {SEGMENT_EVENTS} if left out, fixed by the first run."
        ),
    ] = None,
) -> None:
    """Write the whole log, its bytes and its keys, as an archive that `ledger import-log` restores.

    A run adds what was recorded since the last one, and signed checkpoints of it; files that are there are verified and
    never written again. Ends with 1 if one was changed, or if the archive is of another log.
    """
    from api.export.archiving import export_log  # pyarrow is loaded for who needs it.

    started, url = monotonic(), logged_url("export parquet")
    with connect(url, application_name="ledger export") as connection, show_progress() as progress:
        # One snapshot: events and keys of the same moment, while the ledger goes on.
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        show = shown_in(progress, "archiving")
        try:
            done = export_log(connection, folder, segment_events=segment, with_tail=everything, progress=show)
        except OSError as error:
            stop(f"--to {folder} cannot be written: {error.strerror}", Exit.USAGE)
    manifest, seconds = done.manifest, monotonic() - started
    open_events = done.log_end - manifest.end
    left = f"; {open_events:,} events are not yet a whole segment (--all takes them)" if open_events else ""
    say(f"sealed {done.sealed} segments in {seconds:.1f} s; the archive ends at position {manifest.end:,}{left}")
    say(f"root {manifest.root} at position {manifest.end:,}")
    if done.vouched < manifest.end:
        beyond = f"events {done.vouched + 1:,} to {manifest.end:,} are in no checkpoint that goes along"
        note(f"{beyond}: `ledger seal` signs one of the whole log, and --all takes both")


Writing = Callable[[Connection, Range, TextIO], None]


def _in_dialect(dialect: Dialect) -> Writing:
    def write(connection: Connection, told: Range, out: TextIO) -> None:
        with show_progress() as progress:
            show = shown_in(progress, "exporting")
            total = told.until - told.after
            write_journal(connection, told, dialect, out, lambda at: show("events", at - told.after, total))

    return write


def _as_csv(connection: Connection, told: Range, out: TextIO) -> None:
    with show_progress() as progress:
        task = progress.add_task("exporting lines", total=None, said="")
        written = 0
        for part in lines_as_csv(connection, *told):
            text = part.decode()
            out.write(text)
            written += text.count("\n")
            progress.update(task, said=f"{written:,} lines")


def _write(out: Path | None, first: str | None, last: str | None, accounts: list[str] | None, write: Writing) -> None:
    start, end = point_of(first, effective=False), point_of(last, effective=False)
    asked = {} if end is None else {end.kind: end.value}
    with connect(logged_url("export", accounts or ()), application_name="ledger export") as connection:
        try:
            with open_snapshot(connection, names=["journal"], **asked) as snapshot:  # type: ignore[arg-type]
                told = _range(connection, _position_of(connection, start), snapshot.position, accounts)
                with _opened(out) as file:
                    write(connection, told, file)
        except ProjectionsBehind as refusal:
            stop(refusal.detail)


def _position_of(connection: Connection, start: AsOf | None) -> int:
    """Where a range begins, after which point; ends the command where the log does not reach up to that."""
    if start is None:
        return 0
    end, asked = log_end(connection), start.value
    if isinstance(asked, int):
        is_beyond, told = asked > end.position, f"position {asked}"
    else:
        is_beyond, told = end.recorded_at is None or asked > end.recorded_at, moment(asked)
    if is_beyond:
        at = "" if end.recorded_at is None else f", recorded at {moment(end.recorded_at)}"
        stop(f"--from asks for what came after {told}, the log ends at position {end.position}{at}", Exit.USAGE)
    return asked if isinstance(asked, int) else position_at(connection, asked)


def _range(connection: Connection, after: int, until: int, accounts: list[str] | None) -> Range:
    if after > until:
        stop(f"--from lies at position {after}, beyond the end of what is asked for at {until}", Exit.USAGE)
    for account in accounts or ():
        if not version_at(connection, account, until):
            raise UnknownAccount(f"there is no account {account} at position {until}; name one that was opened by then")
    return Range(after, until, accounts or None)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """The file to write as text, in UTF-8 wherever it goes."""
    with opened_file(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()
