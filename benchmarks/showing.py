"""How every benchmark runs as a program: progress on stderr, a table, and with --json one object as the last line."""

import json
import signal
import sys
from collections.abc import Callable
from typing import Any, Protocol

from rich.console import RenderableType

from api.command_line.screen import out
from benchmarks.screen import Screen


class Findings(Protocol):
    """What a run found out."""

    def as_json(self) -> dict[str, Any]:
        """All of it."""

    def as_table(self) -> RenderableType:
        """The same to read."""


def measure_and_show(measure: Callable[[Screen], Findings], *, as_json: bool) -> None:
    """Runs a benchmark and prints what it found."""
    # Told to stop, it stops its server and removes its folder, as at Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    screen = Screen()
    with screen.showing():
        findings = measure(screen)
    out().print(findings.as_table())
    if as_json:
        print(json.dumps(findings.as_json()), flush=True)
