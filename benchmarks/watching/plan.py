"""What a run of the risk benchmark measures, and on how many wallets: from the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.sizes import Size, chosen, parser_of

SIZES = {
    "isolated": Size(700_000, 7_000, "buckets that owe, over 49 pairs"),
    "pools": Size(300_000, 3_000, "cross pools that owe, over 50 assets"),
    "rounds": Size(20, 2, "rounds"),
    "ticks": Size(20, 5, "ticks of each kind in a round"),
    "changed": Size(5_000, 100, "wallets changed between two ticks"),
    "sample": Size(1_000, 100, "wallets that the exact loop decides in a round"),
    "liquidations": Size(10_000, 300, "wallets that one price vector brings down in the storm"),
}
DESCRIPTION = "Measure the watch over wallets in memory, beside the exact loop, and a storm of liquidations."


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
    return RiskPlan(**chosen(parser_of("risk", DESCRIPTION, SIZES).parse_args(arguments), SIZES))
