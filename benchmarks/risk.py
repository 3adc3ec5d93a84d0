"""The risk engine, measured: python -m benchmarks.risk [--quick] [--json] [--pools N ...]."""

import sys
from collections.abc import Sequence

from benchmarks.showing import measure_and_show
from benchmarks.watching.course import run
from benchmarks.watching.plan import read_plan


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints what it found."""
    plan = read_plan(sys.argv[1:] if arguments is None else arguments)
    measure_and_show(lambda screen: run(plan, screen), as_json=plan.as_json)


if __name__ == "__main__":
    main()
