"""The rounds: every contender takes a short turn in each, so that noise of a shared machine hits all alike."""

from collections.abc import Sequence

from benchmarks.contenders.contender import Contender
from benchmarks.measuring import Turn
from benchmarks.screen import Screen

# The turns that warm up are shorter: they fill caches, and show each contender's pace.
WARM_UP_SHARE = 0.5


def interleave(contenders: Sequence[Contender], rounds: int, seconds: float, screen: Screen) -> dict[str, list[Turn]]:
    """The turns of each contender by its name, one for each round."""
    told = screen.step("warming up", len(contenders))
    for contender in contenders:
        contender.turn(seconds * WARM_UP_SHARE)
        told(1)
    turns: dict[str, list[Turn]] = {contender.name: [] for contender in contenders}
    told = screen.step("turns", rounds * len(contenders))
    for _ in range(rounds):
        for contender in contenders:
            turns[contender.name].append(contender.turn(seconds))
            told(1)
    return turns
