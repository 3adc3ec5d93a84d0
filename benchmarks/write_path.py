"""The write path, measured: python -m benchmarks.write_path [--quick] [--json] [--only NAME ...]."""

import sys
from collections.abc import Sequence

from benchmarks.course import run
from benchmarks.plan import read_plan
from benchmarks.showing import measure_and_show


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints what it found."""
    plan = read_plan(sys.argv[1:] if arguments is None else arguments)
    measure_and_show(lambda screen: run(plan, screen), as_json=plan.as_json)


if __name__ == "__main__":
    main()
