"""What a run measures, and how long: from the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
QUICK = {"rounds": 2, "seconds": 0.2, "accounts": 2_000, "memory_accounts": 5_000, "cold_events": 1_000}
DEFAULTS = {"rounds": 5, "seconds": 2.0, "accounts": 100_000, "memory_accounts": 1_000_000, "cold_events": 100_000}
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
    asked = _parser().parse_args(arguments)
    usual: dict[str, Any] = dict(QUICK if asked.quick else DEFAULTS)
    if asked.only:
        # Who is after one figure does not wait for another.
        usual["memory_accounts"] = 0
    chosen = {name: usual[name] if getattr(asked, name) is None else getattr(asked, name) for name in usual}
    only = set(asked.only or NAMES)
    only |= {NEEDS[name] for name in only if name in NEEDS}
    chosen["accounts"] = max(FEWEST_ACCOUNTS, chosen["accounts"])
    return Plan(
        **chosen,
        seed=asked.seed,
        only=tuple(name for name in NAMES if name in only),
        is_quick=asked.quick,
        as_json=asked.json,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.write_path",
        description="Measure the write path against something nameable, all contenders interleaved in one run.",
    )
    told = {
        "rounds": (int, "rounds that count, after one that warms up"),
        "seconds": (float, "how long about each contender's turn is in each round"),
        "accounts": (int, "accounts that the mixed work is spread over"),
        "memory_accounts": (int, "accounts touched where resident size is measured; 0 leaves it out"),
        "cold_events": (int, "events of the account whose first command is timed"),
    }
    for name, (kind, text) in told.items():
        said = f"{text} ({DEFAULTS[name]:,}; quick: {QUICK[name]:,})"
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=said)
    parser.add_argument("--seed", type=int, default=1, help="the same seed asks for the same work")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=NAMES,
        metavar="NAME",
        help=f"of {', '.join(NAMES)}; no memory then unless its size is given",
    )
    parser.add_argument("--quick", action="store_true", help="a small run that shows that it works; its figures do not")
    parser.add_argument("--json", action="store_true", help="end with one JSON object, as the last line")
    return parser
