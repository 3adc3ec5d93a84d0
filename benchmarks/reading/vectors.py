"""Price vectors over twenty pairs: the three that are traded, and seventeen more that are listed only."""

import random
from collections.abc import Iterator

from benchmarks.market import QUOTE, TRADED, Asked, Prices

PAIRS = 20
MORE = tuple(f"A{number:02d}" for number in range(1, PAIRS - len(TRADED) + 1))
FIRST_CENTS = 10_000


def more_listings() -> Iterator[Asked]:
    """The further assets and pairs."""
    for symbol in MORE:
        yield {
            "type": "list_asset",
            "asset": symbol,
            "scale": 8,
            "daily_interest_rate": "0.0002",
            "idempotency_key": f"list-{symbol}",
        }
        yield {
            "type": "list_pair",
            "pair": f"{symbol}/{QUOTE}",
            "price_scale": 2,
            "max_leverage": "10",
            "idempotency_key": f"list-{symbol}/{QUOTE}",
        }


class Vectors:
    """One vector after the other; each price stays near where it began, so that no wallet nears a margin call."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._traded = Prices(self._rng)

    def mark(self) -> Asked:
        """The command that marks all twenty."""
        command = self._traded.mark()
        for symbol in MORE:
            cents = FIRST_CENTS + self._rng.randint(-FIRST_CENTS // 200, FIRST_CENTS // 200)
            command["prices"][f"{symbol}/{QUOTE}"] = f"{cents // 100}.{cents % 100:02d}"
        return command
