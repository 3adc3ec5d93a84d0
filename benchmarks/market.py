"""The market that all commands are decided in: four assets, three pairs, prices that never grow too old."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

Asked = dict[str, Any]

QUOTE = "USDT"
ISOLATED_PAIR = "BTC/USDT"
CROSS_PAIRS = ("ETH/USDT", "SOL/USDT")
# Longer than any run, since it is the write path that is measured and not the refusal of old prices.
PRICE_MAX_AGE_SECONDS = 1_000_000


class Traded(NamedTuple):
    """A pair: its first price in cents, and quantities whose value lies between about 50 and 1,000 USDT."""

    pair: str
    cents: int
    quantities: tuple[str, ...]

    @property
    def base(self) -> str:
        return self.pair.partition("/")[0]


TRADED = (
    Traded("BTC/USDT", 5_000_000, tuple(f"0.{step:03d}" for step in range(1, 21))),
    Traded("ETH/USDT", 250_000, tuple(f"0.{2 * step:02d}" for step in range(1, 21))),
    Traded("SOL/USDT", 12_500, tuple(f"{4 * step // 10}.{4 * step % 10}" for step in range(1, 21))),
)


def listings() -> Iterator[Asked]:
    """Everything the exchange sets before the first account is opened."""
    for symbol in (QUOTE, *(traded.base for traded in TRADED)):
        yield {
            "type": "list_asset",
            "asset": symbol,
            "scale": 8,
            "daily_interest_rate": "0.0002",
            "idempotency_key": f"list-{symbol}",
        }
    for traded in TRADED:
        yield {
            "type": "list_pair",
            "pair": traded.pair,
            "price_scale": 2,
            "max_leverage": "10",
            "idempotency_key": f"list-{traded.pair}",
        }
    for scope in ("cross", *(traded.pair for traded in TRADED)):
        yield {
            "type": "set_risk_limits",
            "scope": scope,
            "price_max_age_seconds": PRICE_MAX_AGE_SECONDS,
            "idempotency_key": f"age-{scope}",
        }
    yield Prices(random.Random(0)).mark()


class Prices:
    """Prices that wander within half a percent of where they began, so that no wallet nears a margin call."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.of = {traded.pair: _written(traded.cents) for traded in TRADED}

    def mark(self) -> Asked:
        """The command that marks new prices."""
        self.of = {
            traded.pair: _written(traded.cents + self._rng.randint(-traded.cents // 200, traded.cents // 200))
            for traded in TRADED
        }
        return {"type": "mark_prices", "prices": dict(self.of), "source": "benchmark"}


def _written(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
