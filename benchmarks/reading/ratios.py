"""What the read side promises: each the median of the rounds' own, with what is to be reached."""

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks.measuring import median_ratio
from benchmarks.ratios import Ratio
from benchmarks.reading.turn import ReadTurn

Turns = Mapping[str, Sequence[ReadTurn]]
Answers = Mapping[str, Mapping[str, float]]

REBUILT = Ratio("rebuild_events_per_second", "rebuild", "", 12_000, 25_000)
RATIOS = (
    REBUILT,
    Ratio("ratio_to_library_runner", "rebuild", "library_runner", 25),
    Ratio("ratio_rows_to_copy", "rebuild", "copy", 0.3),
    Ratio("as_of_ratio", "as_of", "as_of", 3, at_most=True),
    Ratio("audit_query_ratio", "audit_query", "audit_query", 10, at_most=True),
)


def values_of(turns: Turns, answers: Answers) -> dict[str, float | None]:
    """Each by its name; None where it was not measured. `answers` are those of questions, by name, with a `ratio`."""
    values: dict[str, float | None] = {ratio.name: None for ratio in RATIOS}
    values[REBUILT.name] = statistics.median(turn.events_per_second for turn in turns["rebuild"])
    values["ratio_to_library_runner"] = _of_rounds(turns, "library_runner", lambda turn: turn.events_per_second)
    values["ratio_rows_to_copy"] = _of_rounds(turns, "copy", lambda turn: turn.rows_per_second)
    return values | {f"{name}_ratio": answer["ratio"] for name, answer in answers.items()}


def _of_rounds(turns: Turns, baseline: str, figure: Callable[[ReadTurn], float]) -> float:
    rounds = zip(turns["rebuild"], turns[baseline], strict=True)
    return median_ratio((figure(turn), figure(other)) for turn, other in rounds)
