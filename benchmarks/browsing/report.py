"""What a run of the console's benchmark says: a table to read, and one JSON object."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group
from rich.text import Text

from api.command_line.rows import Rows
from api.command_line.screen import table_of
from benchmarks.browsing.addresses import is_page
from benchmarks.browsing.plan import ConsolePlan
from benchmarks.browsing.visiting import Visited
from benchmarks.ratios import Ratio
from benchmarks.reading.log import MadeLog
from benchmarks.report import QUICK_WARNING, machine_line, ratio_cells, rounded

SLOWEST = Ratio("slowest_p95_ms", "pages", "", 300, at_most=True)
NEARLY_ALL, ALL_BUT_ONE = 0.95, 0.99


@dataclass
class ConsoleReport:
    """Everything a run found out; `visited` is by the name of the page."""

    plan: ConsolePlan
    machine: Mapping[str, str | int | float]
    log: MadeLog
    position: int
    visited: Mapping[str, Visited]
    seconds: float

    @property
    def slowest_p95_ms(self) -> float:
        return max((one.percentile(NEARLY_ALL) for name, one in self.visited.items() if is_page(name)), default=0.0)

    @property
    def over(self) -> list[str]:
        """The pages of which not nearly all answers came in time, the slowest first."""
        waits = {name: one.percentile(NEARLY_ALL) for name, one in self.visited.items() if is_page(name)}
        return sorted((name for name in waits if not SLOWEST.is_reached(waits[name])), key=lambda name: -waits[name])

    def as_json(self) -> dict[str, Any]:
        """The whole, as `--json` prints it."""
        return {
            "benchmark": "console",
            **({"warning": QUICK_WARNING} if self.plan.is_quick else {}),
            "machine": dict(self.machine),
            "plan": {**asdict(self.plan), "log": self.plan.log and str(self.plan.log)},
            "seconds": round(self.seconds, 1),
            "events": self.position,
            SLOWEST.name: rounded(self.slowest_p95_ms),
            "reached": {SLOWEST.name: SLOWEST.is_reached(self.slowest_p95_ms)},
            "over": self.over,
            "pages": {
                name: {key: rounded(figure) for key, figure in _figures(one)} for name, one in self.visited.items()
            },
        }

    def as_table(self) -> Group:
        """Every page with its figures, and under them what they rest on."""
        warning = [Text(QUICK_WARNING, style="bold red")] if self.plan.is_quick else []
        return Group(*warning, self._pages(), self._promise(), *(Text(line) for line in self._lines()))

    def _pages(self) -> Rows:
        rows = [
            [name, *(_shown(figure) for _, figure in _figures(one)), "over" if name in self.over else ""]
            for name, one in self.visited.items()
        ]
        columns = ["page", "p50 ms", "p95 ms", "p99 ms", "whole", "ratio", "server", "database", "kB", ""]
        return table_of(None, columns, rows, right=tuple(range(1, 9)))

    def _promise(self) -> Rows:
        return table_of(None, ["", "figure", "reach", ""], [ratio_cells(SLOWEST, self.slowest_p95_ms)], right=(0,))

    def _lines(self) -> list[str]:
        asked = self.plan.rounds * self.plan.asked
        return [
            machine_line(self.machine),
            f"{asked} answers of each page in {self.plan.rounds} interleaved rounds over a log of {self.position:,} "
            f"events; the whole run took {self.seconds:,.0f} s",
            "whole: milliseconds until all is there, where the answer says that the rest is being worked out",
            "ratio: to the question for one account over the API; server, database: processor milliseconds of it all",
        ]


def _shown(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,.1f}"


def _figures(one: Visited) -> list[tuple[str, float | None]]:
    return [
        ("p50_ms", one.percentile(0.5)),
        ("p95_ms", one.percentile(NEARLY_ALL)),
        ("p99_ms", one.percentile(ALL_BUT_ONE)),
        ("whole_p50_ms", one.whole_ms),
        ("ratio_to_account", one.ratio),
        ("server_processor_ms", one.server_ms),
        ("database_processor_ms", one.database_ms),
        ("kilobytes", one.bytes_answered / 1000),
    ]
