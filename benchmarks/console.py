"""The console, measured: python -m benchmarks.console [--quick] [--json] [--events N ...] [--log FOLDER]."""

import sys
from collections.abc import Sequence

from benchmarks.browsing.course import run
from benchmarks.browsing.plan import read_plan
from benchmarks.showing import measure_and_show


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints what it found."""
    plan = read_plan(sys.argv[1:] if arguments is None else arguments)
    measure_and_show(lambda screen: run(plan, screen), as_json=plan.as_json)


if __name__ == "__main__":
    main()
