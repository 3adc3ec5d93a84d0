"""`ledger import`: commands of an NDJSON file through the ledger, in order, once each however often it runs.

Nothing is remembered of how far an import came: idempotency keys decide. Whoever was killed runs again, what was
recorded answers so, and the rest is recorded. A line that was refused is tried again.
"""

import json
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import IO, Annotated, NamedTuple

import typer
from rich.progress import Progress, TaskID

from api import jobs
from api.command_line.database import migrated_url
from api.command_line.reading import STANDARD_INPUT, Line, Source, open_source
from api.command_line.screen import Exit, note, say, show_progress, stop
from ledger import Ledger, collect_seldom
from ledger.errors import Refusal, Unavailable
from ledger.outcomes import Outcome, Refused
from ledger.postgres import SERVICE, open_pool
from projections.runner import catch_up

BATCH_LINES = 500
# While the writer commits one batch, the next is read; more would only fill the memory.
MOST_BATCHES_WAITING = 3
LINES_SHOWN = 20


class Batch(NamedTuple):
    """Lines that were handed to the writer together, and what it will answer for those that are commands."""

    lines: list[Line]
    answer: Future[list[Outcome]]


class Desk(NamedTuple):
    """Where lines are handed in: a ledger of this process, and the actor that its events will state."""

    url: str
    ledger: Ledger
    actor: str

    def hand_in(self, lines: list[Line]) -> Batch:
        commands = [line.command for line in lines if line.command is not None]
        return Batch(lines, self.ledger.submit_async(commands, actor=self.actor))

    def do_job(self, lines: list[Line]) -> Batch:
        """One job, after the projections that know its accounts have been brought to the log's end."""
        catch_up(self.url)
        answer: Future[list[Outcome]] = Future()
        commands = [line.command for line in lines if line.command is not None]
        with open_pool(self.url, application_name="ledger import", role=SERVICE, max_size=2) as pool:
            answer.set_result(jobs.submit(self.ledger, pool, commands, actor=self.actor))
        return Batch(lines, answer)


@dataclass
class Tally:
    """What became of the lines so far; refused ones are shown up to a number, and all of them go to the report."""

    report: IO[str] | None
    recorded: int = 0
    replayed: int = 0
    refused: int = 0
    started: float = field(default_factory=monotonic)

    @property
    def lines(self) -> int:
        return self.recorded + self.replayed + self.refused

    @property
    def rate(self) -> str:
        return f"{self.lines / max(monotonic() - self.started, 0.001):,.0f} lines/s"

    def count(self, line: Line, outcomes: Sequence[Outcome]) -> None:
        """Counts a line by its outcomes: refused if one is, recorded if one is, else replayed."""
        refusals = [outcome.refusal for outcome in outcomes if isinstance(outcome, Refused)]
        if line.refusal or refusals:
            self._refuse(line, line.refusal or refusals[0])
        elif all(not isinstance(outcome, Refused) and outcome.replayed for outcome in outcomes):
            self.replayed += 1
        else:
            self.recorded += 1

    def _refuse(self, line: Line, refusal: Refusal) -> None:
        self.refused += 1
        if self.refused <= LINES_SHOWN:
            note(f"line {line.number}: {refusal.code}: {refusal.detail}")
        elif self.refused == LINES_SHOWN + 1:
            note(f"further refused lines are not shown{'' if self.report else '; --report FILE takes them all'}")
        if self.report is not None:
            content = {"line": line.number, "code": refusal.code, "detail": refusal.detail, "content": line.text}
            self.report.write(json.dumps(content) + "\n")

    def summary(self) -> str:
        seconds = monotonic() - self.started
        return (
            f"{self.lines:,} lines in {seconds:.1f} s ({self.rate}): {self.recorded:,} recorded, "
            f"{self.replayed:,} recorded before, {self.refused:,} refused"
        )


def import_file(
    file: Annotated[str, typer.Argument(help="A file of commands, one JSON object a line; - is standard input.")],
    report: Annotated[Path | None, typer.Option(help="Where to write every refused line, as NDJSON.")] = None,
    actor: Annotated[str, typer.Option(help="Whom the events state as the one who asked.")] = "import",
) -> None:
    """Record the commands of an NDJSON file; run it again after a crash, and it goes on where it was.

    A line without idempotency_key that names no thing of its own is given a key from the file's content and its line
    number. Ends with 1 if a line was refused.
    """
    with ExitStack() as stack:
        source = _opened(stack, file)
        tally = Tally(opened_report(stack, report))
        url = migrated_url()
        collect_seldom()
        desk = Desk(url, stack.enter_context(Ledger(url)), actor)
        try:
            _import(source, desk, tally)
        except KeyboardInterrupt:
            stop(f"interrupted after {tally.summary()}; run it again to go on")
        except Unavailable as refusal:
            stop(f"{refusal.detail}; after {tally.summary()}; run it again to go on", Exit.UNREACHABLE)
    say(tally.summary())
    if tally.refused:
        raise typer.Exit(Exit.DIFFERENCE)


def _opened(stack: ExitStack, file: str) -> Source:
    if file == STANDARD_INPUT and sys.stdin.isatty():
        note("reading commands from the terminal, one JSON object a line; Ctrl-D ends them")
    try:
        return stack.enter_context(open_source(file))
    except OSError as error:
        stop(f"{file} cannot be read: {error.strerror}", Exit.USAGE)


def opened_report(stack: ExitStack, path: Path | None) -> IO[str] | None:
    try:
        return None if path is None else stack.enter_context(path.open("w", encoding="utf-8"))
    except OSError as error:
        stop(f"--report {path} cannot be written: {error.strerror}", Exit.USAGE)


def _import(source: Source, desk: Desk, tally: Tally) -> None:
    with show_progress() as progress:
        task = progress.add_task(f"importing {source.name}", total=source.size_bytes, said="")
        waiting: deque[Batch] = deque()
        for lines in _batches(source.lines()):
            is_job = _is_job(lines[0])
            while waiting and (is_job or len(waiting) == MOST_BATCHES_WAITING):
                _finish(waiting.popleft(), tally, progress, task)
            waiting.append(desk.do_job(lines) if is_job else desk.hand_in(lines))
        while waiting:
            _finish(waiting.popleft(), tally, progress, task)


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Lines in batches; a job stands alone, since its accounts are known when all before it is recorded."""
    batch: list[Line] = []
    for line in lines:
        if batch and (len(batch) == BATCH_LINES or _is_job(line) or _is_job(batch[0])):
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch


def _is_job(line: Line) -> bool:
    return line.command is not None and jobs.is_job(line.command)


def _finish(batch: Batch, tally: Tally, progress: Progress, task: TaskID) -> None:
    outcomes = iter(batch.answer.result())
    for line in batch.lines:
        answers = [next(outcomes)] if line.command is not None else []
        for answer in answers:
            if isinstance(answer, Refused) and isinstance(answer.refusal, Unavailable):
                raise answer.refusal
        tally.count(line, answers)
    progress.update(task, completed=batch.lines[-1].end, said=f"{tally.lines:,} lines, {tally.rate}")
