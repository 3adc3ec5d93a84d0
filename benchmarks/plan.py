"""What a run measures, and how long: from the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.sizes import Size, chosen, parser_of

NAMES = (
    "library",
    "in_process",
    "in_process_sealed",
    "copy",
    "hot_account",
    "two_writers_same",
    "two_writers_apart",
    "http_bulk",
    "http_single",
    "http_empty",
    "cold_account_ms",
)
# Who cannot take a turn without another's.
NEEDS = {"copy": "in_process", "in_process_sealed": "in_process", "http_empty": "http_single"}
SIZES = {
    "rounds": Size(5, 2, "rounds that count, after one that warms up"),
    "seconds": Size(2.0, 0.2, "how long about each contender's turn is in each round", float),
    "accounts": Size(100_000, 2_000, "accounts that the mixed work is spread over"),
    "memory_accounts": Size(1_000_000, 5_000, "accounts touched where resident size is measured; 0 leaves it out", int),
    "cold_events": Size(100_000, 1_000, "events of the account whose first command is timed"),
}
DESCRIPTION = "Measure the write path against something nameable, all contenders interleaved in one run."
FEWEST_ACCOUNTS = 48


@dataclass(frozen=True)
class Plan:
    """Sizes of a run; `only` are the contenders that take part."""

    rounds: int
    seconds: float
    accounts: int
    memory_accounts: int
    cold_events: int
    seed: int
    only: tuple[str, ...]
    is_quick: bool
    as_json: bool

    def has(self, *names: str) -> bool:
        """Whether any of these takes part."""
        return any(name in self.only for name in names)


def read_plan(arguments: Sequence[str]) -> Plan:
    """The plan that the command line asks for; ends the program where it cannot be understood."""
    parser = parser_of("write_path", DESCRIPTION, SIZES)
    said = f"of {', '.join(NAMES)}; no memory then unless its size is given"
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=said)
    asked = parser.parse_args(arguments)
    fields = chosen(asked, SIZES)
    if asked.only and asked.memory_accounts is None:
        # Who is after one figure does not wait for another.
        fields["memory_accounts"] = 0
    only = set(asked.only or NAMES)
    only |= {NEEDS[name] for name in only if name in NEEDS}
    fields["accounts"] = max(FEWEST_ACCOUNTS, fields["accounts"])
    return Plan(**fields, only=tuple(name for name in NAMES if name in only))
