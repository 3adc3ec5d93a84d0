"""What a run of the read side measures, and on how large a log: from the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.plan import FEWEST_ACCOUNTS

DEFAULTS = {
    "events": 1_000_000,
    "accounts": 50_000,
    "vectors": 10_000,
    "long_history": 100_000,
    "library_events": 3_000,
    "rounds": 3,
    "asked": 200,
}
QUICK = {
    "events": 5_000,
    "accounts": 200,
    "vectors": 50,
    "long_history": 500,
    "library_events": 100,
    "rounds": 2,
    "asked": 20,
}
TOLD = {
    "events": "about how many events the log has",
    "accounts": "accounts that the mixed work is spread over",
    "vectors": "price vectors over 20 pairs, spread evenly",
    "long_history": "events of the account with a long history, at most a tenth of all unless given",
    "library_events": "events of the log that the library's runner gets in each round",
    "rounds": "rounds",
    "asked": "commands whose way into an answer is timed",
}

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
    asked = _parser().parse_args(arguments)
    usual = QUICK if asked.quick else DEFAULTS
    sizes = {name: usual[name] if getattr(asked, name) is None else getattr(asked, name) for name in usual}
    if asked.long_history is None:
        sizes["long_history"] = min(sizes["long_history"], sizes["events"] // LONG_HISTORY_PART)
    sizes["accounts"] = max(FEWEST_ACCOUNTS, sizes["accounts"])
    return ReadPlan(**sizes, seed=asked.seed, is_quick=asked.quick, as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.read_side",
        description="Measure the projections against something nameable, in interleaved rounds over one log.",
    )
    for name, text in TOLD.items():
        said = f"{text} ({DEFAULTS[name]:,}; quick: {QUICK[name]:,})"
        parser.add_argument(f"--{name.replace('_', '-')}", type=_count, metavar="N", help=said)
    parser.add_argument("--seed", type=int, default=1, help="the same seed asks for the same work")
    parser.add_argument("--quick", action="store_true", help="a small run that shows that it works; its figures do not")
    parser.add_argument("--json", action="store_true", help="end with one JSON object, as the last line")
    return parser


def _count(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} was asked for, at least 1 is needed")
    return number
