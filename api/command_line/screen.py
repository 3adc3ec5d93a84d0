"""What the command line prints and how it ends: results to stdout, progress and complaints to stderr, exit codes."""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from api.command_line.rows import Rows

WIDTH_WITHOUT_TERMINAL = 170


class Exit(IntEnum):
    """How a command ends, for scripts."""

    OK = 0
    DIFFERENCE = 1  # Something differs, or was refused.
    USAGE = 2  # What was asked cannot be understood.
    UNREACHABLE = 3  # The database cannot be reached.


class _Piped(Console):
    """A console that leaves it to the command to end where nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Called within the handling of the BrokenPipeError, which goes on."""
        raise


def _console(*, stderr: bool) -> Console:
    """A console that sees the terminal of the moment; where there is none, lines stay whole enough to read."""
    console = _Piped(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH_WITHOUT_TERMINAL)
    return console


def out() -> Console:
    """Where results go."""
    return _console(stderr=False)


def notes() -> Console:
    """Where progress and complaints go, so that results can be piped."""
    return _console(stderr=True)


def say(text: str) -> None:
    """Prints a line of result as it is, whatever brackets it holds."""
    out().print(text, markup=False, soft_wrap=True)


def tell(text: str) -> None:
    """Prints a sentence: on a terminal it is broken between words, never within a number."""
    console = out()
    console.print(text, markup=False, emoji=False, soft_wrap=not console.is_terminal)


def note(text: str) -> None:
    """Prints a line of progress or complaint as it is."""
    notes().print(text, markup=False, soft_wrap=True)


def stop(text: str, code: Exit = Exit.DIFFERENCE) -> NoReturn:
    """Complains and ends the command."""
    note(text)
    raise typer.Exit(code)


def show_progress(*, counts: str | None = None) -> Progress:
    """A progress bar on stderr; `counts` names what is counted, else the share done is shown."""
    counted: ProgressColumn = MofNCompleteColumn() if counts else TaskProgressColumn()
    unit = TextColumn(counts or "")
    said = TextColumn("{task.fields[said]}")
    columns = (TextColumn("{task.description}"), BarColumn(), counted, unit, said)
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=notes(), transient=False)


def shown_in(progress: Progress, verb: str) -> Callable[[str, int, int], None]:
    """Shows work of several kinds, each kind as a bar of its own with how much is done, and how fast."""
    tasks: dict[str, TaskID] = {}

    def show(work: str, done: int, total: int) -> None:
        if work not in tasks:
            tasks[work] = progress.add_task(f"{verb} {work}", total=total, said="")
        task = tasks[work]
        progress.update(task, completed=done, total=total)
        speed = progress.tasks[progress.task_ids.index(task)].speed
        rate = f", {speed:,.0f}/s" if speed and speed >= 1 else ""
        progress.update(task, said=f"{done:,} of {total:,}{rate}")

    return show


def table_of(
    title: str | None, columns: Iterable[str], rows: Iterable[Iterable[Any]], right: Iterable[int] = ()
) -> Rows:
    """Rows whose cells are printed as they are; `right` are the numbers of the columns set to the right."""
    cells = tuple(tuple("" if value is None else str(value) for value in row) for row in rows)
    return Rows(title, tuple(columns), cells, frozenset(right))
