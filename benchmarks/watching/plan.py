"""What a run of the risk benchmark measures, and on how many wallets: from the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

DEFAULTS = {
    "isolated": 700_000,
    "pools": 300_000,
    "rounds": 20,
    "ticks": 20,
    "changed": 5_000,
    "sample": 1_000,
    "liquidations": 10_000,
}
QUICK = {"isolated": 7_000, "pools": 3_000, "rounds": 2, "ticks": 5, "changed": 100, "sample": 100, "liquidations": 300}
TOLD = {
    "isolated": "buckets that owe, over 49 pairs",
    "pools": "cross pools that owe, over 50 assets",
    "rounds": "rounds",
    "ticks": "ticks of each kind in a round",
    "changed": "wallets changed between two ticks",
    "sample": "wallets that the exact loop decides in a round",
    "liquidations": "wallets that one price vector brings down in the storm",
}


@dataclass(frozen=True)
class RiskPlan:
    """Sizes of a run."""

    isolated: int
    pools: int
    rounds: int
    ticks: int
    changed: int
    sample: int
    liquidations: int
    seed: int
    is_quick: bool
    as_json: bool

    @property
    def wallets(self) -> int:
        return self.isolated + self.pools


def read_plan(arguments: Sequence[str]) -> RiskPlan:
    """The plan that the command line asks for; ends the program where it cannot be understood."""
    asked = _parser().parse_args(arguments)
    usual = QUICK if asked.quick else DEFAULTS
    sizes = {name: usual[name] if getattr(asked, name) is None else getattr(asked, name) for name in usual}
    return RiskPlan(**sizes, seed=asked.seed, is_quick=asked.quick, as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.risk",
        description="Measure the watch over wallets in memory, beside the exact loop, and a storm of liquidations.",
    )
    for name, text in TOLD.items():
        said = f"{text} ({DEFAULTS[name]:,}; quick: {QUICK[name]:,})"
        parser.add_argument(f"--{name}", type=_count, metavar="N", help=said)
    parser.add_argument("--seed", type=int, default=1, help="the same seed asks for the same wallets and prices")
    parser.add_argument("--quick", action="store_true", help="a small run that shows that it works; its figures do not")
    parser.add_argument("--json", action="store_true", help="end with one JSON object, as the last line")
    return parser


def _count(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} was asked for, at least 1 is needed")
    return number
