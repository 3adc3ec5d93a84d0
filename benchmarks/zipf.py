"""The skewed choice of accounts: the one of rank r is chosen in proportion to 1 / r."""

import random
from collections.abc import Iterator
from itertools import accumulate

EXPONENT = 1.0
DRAWN_AT_ONCE = 10_000


def cumulative_weights(ranks: int, exponent: float = EXPONENT) -> list[float]:
    """The running sums of 1 / rank^exponent, as random.choices takes them: a choice is then one bisection."""
    return list(accumulate(1 / rank**exponent for rank in range(1, ranks + 1)))


def draw_ranks(rng: random.Random, weights: list[float]) -> Iterator[int]:
    """Ranks from 0, the most popular first, for ever."""
    ranks = range(len(weights))
    while True:
        yield from rng.choices(ranks, cum_weights=weights, k=DRAWN_AT_ONCE)


def shuffled_names(ranks: int, seed: int) -> list[str]:
    """The account id of each rank: shuffled, so that popular accounts are not neighbours in any index."""
    numbers = list(range(ranks))
    random.Random(seed).shuffle(numbers)
    return [f"acct-{number:07d}" for number in numbers]
