"""Progress on stderr, drawn between turns only, so that drawing takes no time from anybody's clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_DRAWINGS = 0.2

Told = Callable[[int], None]


class Screen:
    """Shows steps with a bar each; where there is no terminal, a line when a step begins."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, auto_refresh=False)
        self._is_terminal = console.is_terminal
        self._drawn_at = 0.0

    @contextmanager
    def showing(self) -> Iterator["Screen"]:
        """Draws while it lasts."""
        if not self._is_terminal:
            yield self
            return
        with self._progress:
            yield self

    def step(self, description: str, total: int) -> Told:
        """A new bar; who is given it tells how much more is done."""
        if not self._is_terminal:
            self._progress.console.print(f"{description} ({total:,})", soft_wrap=True)
            return lambda _: None
        task = self._progress.add_task(description, total=total)
        self._progress.refresh()

        def told(more: int) -> None:
            self._progress.advance(task, more)
            if time.monotonic() - self._drawn_at > SECONDS_BETWEEN_DRAWINGS:
                self._drawn_at = time.monotonic()
                self._progress.refresh()

        return told

    def say(self, text: str) -> None:
        """A line above the bars."""
        self._progress.console.print(text, markup=False, soft_wrap=True)
