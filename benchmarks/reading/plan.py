"""What a run of the read side measures, and on how large a log: from the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.plan import FEWEST_ACCOUNTS
from benchmarks.sizes import Size, chosen, parser_of

SIZES = {
    "events": Size(1_000_000, 5_000, "about how many events the log has"),
    "accounts": Size(50_000, 200, "accounts that the mixed work is spread over"),
    "vectors": Size(10_000, 50, "price vectors over 20 pairs, spread evenly"),
    "long_history": Size(100_000, 500, "events of the account with a long history, at most a tenth unless given"),
    "library_events": Size(3_000, 100, "events of the log that the library's runner gets in each round"),
    "rounds": Size(3, 2, "rounds"),
    "asked": Size(200, 20, "commands whose way into an answer is timed"),
}
DESCRIPTION = "Measure the projections against something nameable, in interleaved rounds over one log."

# The long history is no larger a part of the log, unless its size is given.
LONG_HISTORY_PART = 10


@dataclass(frozen=True)
class ReadPlan:
    """Sizes of a run."""

    events: int
    accounts: int
    vectors: int
    long_history: int
    library_events: int
    rounds: int
    asked: int
    seed: int
    is_quick: bool
    as_json: bool


def read_plan(arguments: Sequence[str]) -> ReadPlan:
    """The plan that the command line asks for; ends the program where it cannot be understood."""
    asked = parser_of("read_side", DESCRIPTION, SIZES).parse_args(arguments)
    fields = chosen(asked, SIZES)
    if asked.long_history is None:
        fields["long_history"] = min(fields["long_history"], fields["events"] // LONG_HISTORY_PART)
    fields["accounts"] = max(FEWEST_ACCOUNTS, fields["accounts"])
    return ReadPlan(**fields)
