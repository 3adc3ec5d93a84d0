"""What a run says: a table to read, and one JSON object."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group
from rich.text import Text

from api.command_line.rows import Rows
from api.command_line.screen import table_of
from benchmarks.measuring import Turn, median_figure
from benchmarks.plan import NAMES, Plan
from benchmarks.ratios import LIBRARY_THREADS, RATIOS, Ratio, median_ratios, with_library
from benchmarks.tally import Tally
from benchmarks.workload import MIX
from ledger import WriterSettings

QUICK_WARNING = "QUICK: a small run that shows that the benchmark works; its figures say nothing"


@dataclass
class Report:
    """Everything a run found out."""

    plan: Plan
    machine: Mapping[str, str | int | float]
    set_up: Mapping[str, float]
    turns: Mapping[str, Sequence[Turn]]
    memory: Mapping[str, Any] | None
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The whole, as `--json` prints it."""
        turns = with_library(self.turns)
        return {
            "benchmark": "write_path",
            **({"warning": QUICK_WARNING} if self.plan.is_quick else {}),
            "machine": dict(self.machine),
            "writer_settings": WriterSettings().model_dump(),
            "plan": asdict(self.plan),
            "seconds": round(self.seconds, 1),
            "set_up": dict(self.set_up),
            "workload": {"mix_per_mille": MIX, **self._tally().written()},
            **{name: _figures(name, turns) for name in NAMES if name in turns},
            "memory": None if self.memory is None else dict(self.memory),
            "ratios": {name: rounded(value) for name, value in median_ratios(turns).items()},
        }

    def as_table(self) -> Group:
        """The figures with their ratios, and under them what they rest on."""
        turns = with_library(self.turns)
        lines = [*self._machine_lines(), *self._work_lines(), *self._memory_lines()]
        warning = [Text(QUICK_WARNING, style="bold red")] if self.plan.is_quick else []
        return Group(*warning, _table(turns), *(Text(line) for line in lines))

    def _tally(self) -> Tally:
        whole = Tally()
        for turn in (turn for turns in self.turns.values() for turn in turns):
            if turn.tally is not None:
                whole.add(turn.tally)
        return whole

    def _machine_lines(self) -> list[str]:
        return [
            machine_line(self.machine),
            f"medians of {self.plan.rounds} interleaved rounds over {self.plan.accounts:,} accounts; "
            f"the whole run took {self.seconds:,.0f} s; set-up at {self.set_up['rate_per_second']:,.0f} commands/s",
        ]

    def _work_lines(self) -> list[str]:
        tally = self._tally()
        if not tally.commands:
            return []
        shares = tally.written()["shares"]
        events = ", ".join(f"{topic} {count / tally.events:.0%}" for topic, count in tally.topics.most_common())
        unplanned = tally.refused - tally.planned_refused
        return [
            f"of {tally.commands:,} commands {shares['recorded']:.1%} were recorded, "
            f"{shares['replayed']:.1%} replayed, {shares['refused']:.1%} refused "
            f"({unplanned:+} beside those meant to be)",
            f"events: {events}",
        ]

    def _memory_lines(self) -> list[str]:
        if self.memory is None:
            return []
        return [
            f"resident size {self.memory['resident_mb']:,.0f} MB after {self.memory['accounts_touched']:,} accounts, "
            f"{self.memory['resident_mb_before']:,.0f} MB before, {self.memory['cached_accounts']:,} cached at most"
        ]


def machine_line(machine: Mapping[str, str | int | float]) -> str:
    """Where the figures were made."""
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, {machine['system']}, "
        f"PostgreSQL {machine['postgresql']}, Python {machine['python']}, fsync {machine['fsync']}, "
        f"synchronous_commit {machine['synchronous_commit']}, load before {machine['load_before']:.2f}"
    )


def _figures(name: str, turns: Mapping[str, Sequence[Turn]]) -> dict[str, Any]:
    own = turns[name]
    figures: dict[str, Any] = {field: rounded(value) for field, value in median_figure(own)._asdict().items()}
    figures["rate_per_round"] = [rounded(turn.rate) for turn in own]
    if name == "library":
        figures["threads"] = {one.partition("_")[2]: _figures(one, turns) for one in LIBRARY_THREADS if one in turns}
    if name in ("in_process", "copy"):
        figures["rows_per_second"] = rounded(statistics.median(turn.rows_per_second for turn in own))
    for field in own[0].further:
        figures[field] = rounded(statistics.median(turn.further[field] for turn in own))
    tally = Tally()
    for turn in own:
        tally.add(turn.tally or Tally())
    return {**figures, "outcomes": tally.written()} if tally.commands else figures


def _table(turns: Mapping[str, Sequence[Turn]]) -> Rows:
    """A row for each contender, and a further one for each further ratio that speaks of it."""
    values = median_ratios(turns)
    rows: list[Sequence[str]] = []
    for name in (name for name in NAMES if name in turns):
        figure = median_figure(turns[name])
        shown = [name, _shown_rate(figure.rate_per_second), f"{figure.p50_ms:,.2f}", f"{figure.p99_ms:,.2f}"]
        ratios = [ratio for ratio in RATIOS if ratio.contender == name and values[ratio.name] is not None]
        rows.append([*shown, *(_cells(ratios[0], values) if ratios else [""] * 4)])
        rows += [[""] * len(shown) + _cells(ratio, values) for ratio in ratios[1:]]
    columns = ["contender", "rate/s", "p50 ms", "p99 ms", "ratio", "", "reach", ""]
    return table_of(None, columns, rows, right=(1, 2, 3, 4))


def _shown_rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}"


def _cells(ratio: Ratio, values: Mapping[str, float | None]) -> list[str]:
    value = values[ratio.name]
    assert value is not None
    return ratio_cells(ratio, value)


def ratio_cells(ratio: Ratio, value: float) -> list[str]:
    """A ratio in a table: its value, its name, what was to be reached, and whether it was."""
    bound = f"{'at most' if ratio.at_most else 'at least'} {ratio.reach:,g}"
    aim = "" if ratio.aim is None else f", aim {ratio.aim:,g}"
    return [f"{value:,.2f}", ratio.name, f"{bound}{aim}", "reached" if ratio.is_reached(value) else "not reached"]


def rounded(value: float | None) -> float | None:
    """As JSON holds it."""
    return None if value is None else round(value, 4)
