"""What a run of the risk benchmark says: a table to read, and one JSON object, section by section."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from rich.console import Group
from rich.text import Text

from api.command_line.rows import Rows
from api.command_line.screen import table_of
from benchmarks.ratios import Ratio
from benchmarks.report import QUICK_WARNING, ratio_cells, rounded
from benchmarks.watching.plan import RiskPlan


class Section(NamedTuple):
    """What one part of the benchmark found: figures by name, those of them that are promised, and what they rest on."""

    figures: Mapping[str, Any]
    promised: Sequence[Ratio]
    lines: Sequence[str]


@dataclass
class RiskReport:
    """Everything a run found out; the names of all figures differ."""

    plan: RiskPlan
    machine: Mapping[str, str | int | float]
    sections: Sequence[Section]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The whole, as `--json` prints it; each figure stands under its name."""
        figures = {name: value for section in self.sections for name, value in section.figures.items()}
        return {
            "benchmark": "risk",
            **({"warning": QUICK_WARNING} if self.plan.is_quick else {}),
            "machine": dict(self.machine),
            "plan": asdict(self.plan),
            "seconds": round(self.seconds, 1),
            **{name: _written(value) for name, value in figures.items()},
            "reached": {one.name: one.is_reached(figures[one.name]) for one in self._promised()},
        }

    def as_table(self) -> Group:
        """The figures, the promised ones with what is to be reached, and under them what they rest on."""
        warning = [Text(QUICK_WARNING, style="bold red")] if self.plan.is_quick else []
        machine = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        lines = [line for section in self.sections for line in section.lines]
        return Group(*warning, self._table(), *(Text(line) for line in [machine, *lines]))

    def _promised(self) -> list[Ratio]:
        return [one for section in self.sections for one in section.promised]

    def _table(self) -> Rows:
        promised = {one.name: one for one in self._promised()}
        rows = []
        for section in self.sections:
            for name, value in section.figures.items():
                if name in promised:
                    rows.append(ratio_cells(promised[name], value))
                else:
                    rows.append([f"{value:,.2f}" if isinstance(value, float) else f"{value:,}", name, "", ""])
        return table_of(None, ["", "figure", "reach", ""], rows, right=(0,))


def _written(value: float) -> float | None:
    return value if isinstance(value, int) else rounded(value)
