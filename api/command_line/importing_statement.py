"""`ledger import-statement`: the lines of an outside statement booked with their times, once each.

Like `ledger import` it remembers nothing: a line names what it books by what it says, and what was booked answers so.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.progress import Progress, TaskID

from api.command_line import outside_file as of
from api.command_line.database import migrated_url
from api.command_line.importing import BATCH_LINES, LINES_SHOWN, MOST_BATCHES_WAITING, Tally, opened_report
from api.command_line.looking import logged_url
from api.command_line.reading import STANDARD_INPUT, Line, Source
from api.command_line.screen import Exit, say, show_progress, stop
from api.outside.booking import Adjusting, Bookkeeper, Identity
from api.outside.statement import Complaint, Layout, NoStatement, OutsideLine, read_statement
from ledger import Ledger, collect_seldom
from ledger.commands import Command
from ledger.errors import Refusal, Unavailable
from ledger.money import plain
from ledger.outcomes import Outcome, Refused
from ledger.postgres import SERVICE, connect
from ledger.rehearsal import Rehearsal
from ledger.text_keys import PassingTextKeys
from ledger.words import AdjustmentReason

Answer = Callable[[], list[Outcome]]
Desk = Callable[[Sequence[Command]], Answer]
"""Where commands are handed in: what they are answered is asked for later."""


class Entry(NamedTuple):
    """A line, and the commands that book it or why there are none."""

    line: OutsideLine
    commands: list[Command]
    refusal: Refusal | None


class Run(NamedTuple):
    """Where lines are booked, what becomes of them, and whether nothing is recorded."""

    desk: Desk
    tally: Tally
    is_rehearsal: bool


Adjust = Annotated[
    AdjustmentReason | None,
    typer.Option(help="Propose each line as an adjustment with this reason code; another actor approves it."),
]
Reason = Annotated[str | None, typer.Option(help="Why it is adjusted, in words.")]
Naming = Annotated[
    Identity,
    typer.Option("--identity", help="What names a line: its reference, or all it says where references come again."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be booked; record nothing.")]
Report = Annotated[Path | None, typer.Option(help="Where to write every refused line, as NDJSON.")]
Actor = Annotated[str, typer.Option(help="Whom the events state as the one who asked.")]


def import_statement(
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
    adjust: Adjust = None,
    reason: Reason = None,
    identity: Naming = Identity.REFERENCE,
    dry_run: DryRun = False,
    report: Report = None,
    actor: Actor = "import-statement",
) -> None:
    """Book the lines of an outside statement (CSV) as deposits and withdrawals, with their times.

    Nothing is booked from a file with a line that cannot be read (2). A line that the ledger refuses stops no other
    (1). Run it again, or with a file that has some of the lines again: what is booked is booked once.
    """
    words, times = (incoming, outgoing), (time_format, time_zone)
    layout = of.layout_of(column, account, asset, delimiter, decimal_comma, thousands, *times, encoding, *words)
    name = "standard input" if file == STANDARD_INPUT else Path(file).name
    bookkeeper = Bookkeeper(name, identity, _adjusting(adjust, reason))
    with ExitStack() as stack:
        source = of.opened_statement(stack, file)
        tally = Tally(opened_report(stack, report))
        _require_readable(source, layout)
        desk = (_rehearsal if dry_run else _ledger)(stack, actor)
        _book(source, layout, bookkeeper, Run(desk, tally, dry_run))
    _tell(tally, "would be booked" if dry_run else "booked" if adjust is None else "proposed")


def _tell(tally: Tally, booked: str) -> None:
    lines = f"{tally.lines:,} lines: {tally.recorded:,} {booked}, {tally.replayed:,} already there"
    say(f"{lines}, {tally.refused:,} refused")
    if tally.refused:
        raise typer.Exit(Exit.DIFFERENCE)


def _require_readable(source: Source, layout: Layout) -> None:
    """Reads the whole file before any of it is booked; ends the command where a line cannot be read."""
    for _ in of.readable_lines(source, layout):
        pass


def _adjusting(code: AdjustmentReason | None, reason: str | None) -> Adjusting | None:
    if code is AdjustmentReason.OTHER and reason is None:
        stop("--adjust other needs --reason, so that it can be understood later", Exit.USAGE)
    if code is None and reason is not None:
        stop("--reason says why it is adjusted; state --adjust beside it", Exit.USAGE)
    return None if code is None else Adjusting(code, reason)


def _ledger(stack: ExitStack, actor: str) -> Desk:
    url = migrated_url()
    collect_seldom()
    ledger = stack.enter_context(Ledger(url))
    return lambda commands: ledger.submit_async(commands, actor=actor).result


def _rehearsal(stack: ExitStack, actor: str) -> Desk:
    # What it refuses tells of balances, and unlike a booking it leaves no other trace.
    url = logged_url("import-statement")
    name = "ledger rehearsal"
    connection = stack.enter_context(connect(url, application_name=name, role=SERVICE, autocommit=True))
    text_keys = PassingTextKeys(url)
    stack.callback(text_keys.drop)
    rehearsal = Rehearsal(connection, text_keys, actor=actor)

    def hand_in(commands: Sequence[Command]) -> Answer:
        outcomes = rehearsal.submit(commands)
        return lambda: outcomes

    return hand_in


def _book(source: Source, layout: Layout, bookkeeper: Bookkeeper, run: Run) -> None:
    source.file.seek(0)
    waiting: deque[tuple[list[Entry], Answer]] = deque()
    try:
        with show_progress() as progress:
            task = progress.add_task(f"booking {source.name}", total=source.size_bytes, said="")
            for entries in _batches(_entries(read_statement(source.file, layout), bookkeeper)):
                if len(waiting) == MOST_BATCHES_WAITING:
                    _finish(*waiting.popleft(), run, progress, task)
                waiting.append((entries, run.desk([one for entry in entries for one in entry.commands])))
            while waiting:
                _finish(*waiting.popleft(), run, progress, task)
    except KeyboardInterrupt:
        stop(f"interrupted after {run.tally.lines:,} lines; run it again to go on")
    except Unavailable as refusal:
        stop(f"{refusal.detail}; after {run.tally.lines:,} lines; run it again to go on", Exit.UNREACHABLE)
    except NoStatement as why:
        stop(f"{source.name} was changed while it was read: {why}")


def _entries(lines: Iterable[OutsideLine | Complaint], bookkeeper: Bookkeeper) -> Iterator[Entry]:
    for line in lines:
        if isinstance(line, Complaint):
            raise NoStatement(f"line {line.number}: {line.why}")
        try:
            yield Entry(line, bookkeeper.commands(line), None)
        except Refusal as refusal:
            yield Entry(line, [], refusal)


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, BATCH_LINES)):
        yield batch


def _finish(entries: list[Entry], answer: Answer, run: Run, progress: Progress, task: TaskID) -> None:
    outcomes = iter(answer())
    tally = run.tally
    for line, commands, refusal in entries:
        answers = [next(outcomes) for _ in commands]
        for one in answers:
            if isinstance(one, Refused) and isinstance(one.refusal, Unavailable):
                raise one.refusal
        before = tally.recorded
        tally.count(Line(line.number, line.text, line.end, None, refusal), answers)
        if run.is_rehearsal and before < tally.recorded <= LINES_SHOWN:
            say(f"line {line.number}: {commands[0].type} of {plain(line.amount)} {line.asset} on {line.account_id}")
    progress.update(task, completed=entries[-1].line.end, said=f"{tally.lines:,} lines, {tally.rate}")
