"""The write path, measured: python -m benchmarks.write_path [--quick] [--json] [--only NAME ...]."""

import json
import signal
import sys
from collections.abc import Sequence

from api.command_line.screen import out
from benchmarks.course import run
from benchmarks.plan import read_plan
from benchmarks.screen import Screen


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints what it found."""
    plan = read_plan(sys.argv[1:] if arguments is None else arguments)
    # Told to stop, it stops its server and removes its folder, as at Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    screen = Screen()
    with screen.showing():
        report = run(plan, screen)
    out().print(report.as_table())
    if plan.as_json:
        print(json.dumps(report.as_json()), flush=True)


if __name__ == "__main__":
    main()
