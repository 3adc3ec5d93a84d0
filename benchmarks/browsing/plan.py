"""What a run of the console's benchmark measures, and on how large a log: from the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plan import FEWEST_ACCOUNTS
from benchmarks.reading.plan import LONG_HISTORY_PART
from benchmarks.reading.plan import SIZES as LOG_SIZES
from benchmarks.sizes import Size, chosen, parser_of

SIZES = {
    **{name: LOG_SIZES[name] for name in ("events", "accounts", "vectors", "long_history")},
    "fallen": Size(200, 8, "accounts of which all are called and half are liquidated at the log's end"),
    "rounds": Size(5, 1, "rounds that count, after one that warms up"),
    "asked": Size(8, 2, "how often each page is asked for in a round"),
}
DESCRIPTION = "Measure every page of the console beside a question to the API, in interleaved rounds over one log."


@dataclass(frozen=True)
class ConsolePlan:
    """Sizes of a run; `log` is the folder whose log is read, made there first where it has none."""

    events: int
    accounts: int
    vectors: int
    long_history: int
    fallen: int
    rounds: int
    asked: int
    seed: int
    is_quick: bool
    as_json: bool
    log: Path | None
    only: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether a page takes part."""
        return not self.only or any(word in name for word in self.only)


def read_plan(arguments: Sequence[str]) -> ConsolePlan:
    """The plan that the command line asks for; ends the program where it cannot be understood."""
    parser = parser_of("console", DESCRIPTION, SIZES)
    parser.add_argument(
        "--log", type=Path, metavar="FOLDER", help="read the log kept there; make it first if there is none"
    )
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="WORD", help="pages that have one of these in their name"
    )
    asked = parser.parse_args(arguments)
    fields = chosen(asked, SIZES)
    if asked.long_history is None:
        fields["long_history"] = min(fields["long_history"], fields["events"] // LONG_HISTORY_PART)
    fields["accounts"] = max(FEWEST_ACCOUNTS, fields["accounts"])
    return ConsolePlan(**fields, log=asked.log, only=tuple(asked.only))
