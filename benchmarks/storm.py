"""Storms, measured: python -m benchmarks.storm [--quick] [--json] [--liquidations NUMBER]."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from api.command_line.rows import Rows
from api.command_line.screen import table_of
from benchmarks.report import rounded
from benchmarks.showing import measure_and_show
from benchmarks.storming.course import QUIET_SECONDS, run

LIQUIDATIONS, QUICK_LIQUIDATIONS, QUICK_QUIET_SECONDS = 10_000, 300, 1.0


class Findings(NamedTuple):
    """What a storm came to, by the names of its figures."""

    figures: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        return {name: rounded(value) for name, value in self.figures.items()}

    def as_table(self) -> Rows:
        rows = [(name, f"{rounded(value):,}") for name, value in self.figures.items()]
        return table_of(None, ["figure", "value"], rows, right=(1,))


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints what it found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storm", description=__doc__)
    parser.add_argument("--liquidations", type=int, help="how many wallets one price vector brings down")
    parser.add_argument("--quick", action="store_true", help="a small run that shows that it works")
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON object")
    asked = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    count = asked.liquidations or (QUICK_LIQUIDATIONS if asked.quick else LIQUIDATIONS)
    quiet = QUICK_QUIET_SECONDS if asked.quick else QUIET_SECONDS
    measure_and_show(lambda screen: Findings(run(count, screen, quiet_seconds=quiet)), as_json=asked.json)


if __name__ == "__main__":
    main()
