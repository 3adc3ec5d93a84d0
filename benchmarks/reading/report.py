"""What a run of the read side says: a table to read, and one JSON object."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group
from rich.text import Text

from api.command_line.rows import Rows
from api.command_line.screen import table_of
from benchmarks.reading.log import MadeLog
from benchmarks.reading.plan import ReadPlan
from benchmarks.reading.ratios import RATIOS, values_of
from benchmarks.reading.turn import ReadTurn
from benchmarks.report import QUICK_WARNING, machine_line, ratio_cells, rounded


@dataclass
class ReadReport:
    """Everything a run found out."""

    plan: ReadPlan
    machine: Mapping[str, str | int | float]
    log: MadeLog
    turns: Mapping[str, Sequence[ReadTurn]]
    lag: Mapping[str, float]
    answers: Mapping[str, Mapping[str, float]]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The whole, as `--json` prints it; each promised figure stands under its name."""
        values = {name: rounded(value) for name, value in values_of(self.turns, self.answers).items()}
        return {
            "benchmark": "read_side",
            **({"warning": QUICK_WARNING} if self.plan.is_quick else {}),
            "machine": dict(self.machine),
            "plan": asdict(self.plan),
            "seconds": round(self.seconds, 1),
            "log": _log(self.log),
            **values,
            "reached": {ratio.name: _is_reached(values[ratio.name], ratio.is_reached) for ratio in RATIOS},
            "catch_up_lag_ms": {name: rounded(value) for name, value in self.lag.items()},
            **{name: _figures(turns) for name, turns in self.turns.items()},
            **{name: {field: rounded(value) for field, value in one.items()} for name, one in self.answers.items()},
        }

    def as_table(self) -> Group:
        """The figures with their ratios, and under them what they rest on."""
        warning = [Text(QUICK_WARNING, style="bold red")] if self.plan.is_quick else []
        return Group(*warning, self._contenders(), self._promises(), *(Text(line) for line in self._lines()))

    def _contenders(self) -> Rows:
        rows = []
        for name, turns in self.turns.items():
            shown = [_shown(_medians(turns)[field]) for field in ("seconds", "events_per_second", "rows_per_second")]
            rows.append([name, *shown])
        return table_of(None, ["contender", "seconds", "events/s", "rows/s"], rows, right=(1, 2, 3))

    def _promises(self) -> Rows:
        values = values_of(self.turns, self.answers)
        rows = []
        for ratio in RATIOS:
            value = values[ratio.name]
            rows.append(["", ratio.name, "", "not measured"] if value is None else ratio_cells(ratio, value))
        return table_of(None, ["figure", "", "reach", ""], rows, right=(0,))

    def _lines(self) -> list[str]:
        rebuild, live = self.turns["rebuild"], self.turns["live"]
        rows, written = rebuild[-1].rows, rebuild[-1].further["rows_written"]
        return [
            machine_line(self.machine),
            f"medians of {self.plan.rounds} interleaved rounds; the whole run took {self.seconds:,.0f} s",
            f"{self.log.events:,} events recorded in {self.log.seconds:,.0f} s, over {self.plan.accounts:,} accounts, "
            f"with {self.plan.vectors:,} price vectors; {rows:,} rows, {written:,} written on the way to them",
            f"resident size of the rebuild {_peak(rebuild):,.0f} MB at most, catching up live {_peak(live):,.0f} MB",
            f"a command is in answers {self.lag['p50']:.1f} ms after its own (p99 {self.lag['p99']:.1f} ms)",
        ]


def _log(log: MadeLog) -> dict[str, Any]:
    accounts = {"long": log.long_version, "short": log.short_version}
    return {"events": log.events, "seconds": rounded(log.seconds), "events_of_accounts": accounts}


def _is_reached(value: float | None, judge: Any) -> bool | None:
    return None if value is None else judge(value)


def _medians(turns: Sequence[ReadTurn]) -> dict[str, float]:
    names = ("seconds", "events", "rows", "events_per_second", "rows_per_second")
    return {name: statistics.median(getattr(turn, name) for turn in turns) for name in names}


def _figures(turns: Sequence[ReadTurn]) -> dict[str, Any]:
    """Medians, what each round had, and what cannot be a median as it was in the last one."""
    figures: dict[str, Any] = {name: rounded(value) for name, value in _medians(turns).items()}
    figures["seconds_per_round"] = [rounded(turn.seconds) for turn in turns]
    for name, value in turns[-1].further.items():
        is_number = isinstance(value, int | float)
        figures[name] = rounded(statistics.median(turn.further[name] for turn in turns)) if is_number else value
    return {name: value for name, value in figures.items() if value}


def _peak(turns: Sequence[ReadTurn]) -> float:
    return max(float(turn.further["peak_resident_mb"]) for turn in turns)


def _shown(figure: float) -> str:
    return "" if figure == 0 else f"{figure:,.0f}" if figure >= 100 else f"{figure:,.2f}"
