"""How an outside statement is written, as the command line states it, and its lines with what cannot be read."""

import codecs
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from api.command_line.reading import Source, open_source
from api.command_line.screen import Exit, note, show_progress, stop
from api.outside.cells import AmountForm, TimeForm, Unreadable, account_of, asset_of
from api.outside.statement import (
    FIELDS,
    INCOMING,
    OUTGOING,
    Complaint,
    Layout,
    NoStatement,
    OutsideLine,
    read_statement,
)

COMPLAINTS_SHOWN = 20
LINES_BETWEEN_REPORTS = 1_000

File = Annotated[str, typer.Argument(help="A CSV file with a header; - is standard input.")]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="FIELD=HEADER",
        help=f"The header of a field that is not headed by its own name; the fields are {', '.join(FIELDS)}.",
    ),
]
Account = Annotated[str | None, typer.Option("--account", help="The account of all lines, if the file has none.")]
Asset = Annotated[str | None, typer.Option("--asset", help="The asset of all lines, if the file has none.")]
Delimiter = Annotated[str, typer.Option(help="What stands between cells: one character, or tab.")]
DecimalComma = Annotated[bool, typer.Option("--decimal-comma", help="Decimals follow a comma instead of a point.")]
Thousands = Annotated[str, typer.Option(help="What stands between thousands; nothing may if left out.")]
TimeFormat = Annotated[
    str | None,
    typer.Option(help="How times are written, as in strptime (%d.%m.%Y %H:%M); ISO 8601 if left out."),
]
TimeZone = Annotated[str, typer.Option(help="The zone of times that state no offset, such as Europe/Berlin.")]
Encoding = Annotated[str, typer.Option(help="The encoding of the file.")]
Incoming = Annotated[list[str] | None, typer.Option(help="A word of the direction column for what came in.")]
Outgoing = Annotated[list[str] | None, typer.Option(help="A word of the direction column for what went out.")]


def layout_of(
    columns: list[str] | None,
    account: str | None,
    asset: str | None,
    delimiter: str,
    decimal_comma: bool,
    thousands: str,
    time_format: str | None,
    time_zone: str,
    encoding: str,
    incoming: list[str] | None,
    outgoing: list[str] | None,
) -> Layout:
    """The layout that the options state; ends the command where one of them cannot be meant."""
    point = "," if decimal_comma else "."
    if len(thousands) > 1 or thousands == point or thousands.isdigit():
        stop(f"--thousands {thousands!r} is no single sign beside {point!r}", Exit.USAGE)
    stated = "\t" if delimiter == "tab" else delimiter
    if len(stated) != 1 or stated in '"\r\n\0 ':
        stop(f"--delimiter {delimiter!r} is no single sign and not tab", Exit.USAGE)
    return Layout(
        _columns(columns or []),
        _constants(account, asset),
        TimeForm(_format(time_format), _zone(time_zone)),
        AmountForm(point, thousands),
        stated,
        _encoding(encoding),
        frozenset(word.casefold() for word in incoming) if incoming else INCOMING,
        frozenset(word.casefold() for word in outgoing) if outgoing else OUTGOING,
    )


def _columns(columns: list[str]) -> dict[str, str]:
    mapped: dict[str, str] = {}
    for column in columns:
        field, sign, header = column.partition("=")
        if field not in FIELDS or not sign or not header.strip() or field in mapped:
            stop(f"--column {column!r} does not say FIELD=HEADER once with one of {', '.join(FIELDS)}", Exit.USAGE)
        mapped[field] = header.strip()
    return mapped


def _constants(account: str | None, asset: str | None) -> dict[str, str]:
    try:
        accounts = {} if account is None else {"account": account_of(account)}
        return {**accounts, **({} if asset is None else {"asset": asset_of(asset)})}
    except Unreadable as why:
        stop(str(why), Exit.USAGE)


def _format(written: str | None) -> str | None:
    if written is not None:
        some_time = datetime(2020, 3, 12, 10, 45, tzinfo=UTC)
        try:
            datetime.strptime(some_time.strftime(written), written)
        except (ValueError, IndexError):
            stop(f"--time-format {written!r} is no format such as %d.%m.%Y %H:%M", Exit.USAGE)
        if not any(day in written for day in ("%d", "%j", "%x", "%c")) or not any(y in written for y in "YyGxc"):
            stop(f"--time-format {written!r} does not say day and year", Exit.USAGE)
    return written


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        stop(f"--time-zone {name!r} is none that is known, such as UTC or Europe/Berlin", Exit.USAGE)


def _encoding(name: str) -> str:
    try:
        is_found = "a;\n".encode(codecs.lookup(name).name) == b"a;\n"
    except (LookupError, TypeError, UnicodeError):
        is_found = False
    if not is_found:
        stop(f"--encoding {name!r} is none in which lines can be found, such as utf-8, latin-1 or cp1252", Exit.USAGE)
    return name


def opened_statement(stack: ExitStack, file: str) -> Source:
    """The file, or standard input; ends the command where it cannot be read."""
    try:
        return stack.enter_context(open_source(file))
    except OSError as error:
        stop(f"{file} cannot be read: {error.strerror}", Exit.USAGE)


def readable_lines(source: Source, layout: Layout) -> Iterator[OutsideLine]:
    """Every line from the first on, with progress; ends the command after the last one if one cannot be read."""
    complaints = 0
    source.file.seek(0)
    with show_progress() as progress:
        task = progress.add_task(f"reading {source.name}", total=source.size_bytes, said="")
        try:
            for count, line in enumerate(read_statement(source.file, layout), start=1):
                if isinstance(line, Complaint):
                    complaints += 1
                    _complain(line, complaints)
                else:
                    yield line
                if count % LINES_BETWEEN_REPORTS == 0:
                    progress.update(task, completed=source.file.tell(), said=f"{count:,} lines")
        except NoStatement as why:
            stop(f"{source.name}: {why}; nothing was done", Exit.USAGE)
        progress.update(task, completed=source.size_bytes)
    if complaints:
        stop(f"{source.name}: {complaints:,} lines cannot be read; nothing was done", Exit.USAGE)


def _complain(complaint: Complaint, count: int) -> None:
    if count <= COMPLAINTS_SHOWN:
        note(f"line {complaint.number}: {complaint.why}")
    elif count == COMPLAINTS_SHOWN + 1:
        note("further lines that cannot be read are not shown")
