"""A seeded market: a calm day, a crash with one jump in it, and some hours of half a recovery."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from api.demo.candles import Vector
from ledger.money import ONE, divide_down, round_down

BITCOIN, ETHER = "BTC/USDT", "ETH/USDT"
PRICE_SCALE = 2
FIRST_HOUR = datetime(2024, 3, 4, tzinfo=UTC)
START_PRICES = {BITCOIN: Decimal(60_000), ETHER: Decimal(3_000)}
# How much further than bitcoin a pair moves.
PULLS = {BITCOIN: ONE, ETHER: Decimal("1.08")}
HOUR, FIVE_MINUTES = 60, 5
CRASH_STARTS, CRASH_ENDS, LAST_MINUTE = 26 * HOUR, 31 * HOUR, 48 * HOUR
# Bitcoin's price as a part of its first one, by minutes; between two marks it moves in a straight line.
MARKS = (
    (0, Decimal("1.00")),
    (12 * HOUR, Decimal("1.03")),
    (20 * HOUR, Decimal("0.985")),
    (CRASH_STARTS, Decimal("0.98")),
    (26 * HOUR + 40, Decimal("0.92")),
    (27 * HOUR + 20, Decimal("0.83")),
    # The jump: nobody can be closed out between these two prices.
    (27 * HOUR + 25, Decimal("0.73")),
    (28 * HOUR + 10, Decimal("0.70")),
    (29 * HOUR + 10, Decimal("0.60")),
    (29 * HOUR + 30, Decimal("0.62")),
    (30 * HOUR + 10, Decimal("0.49")),
    (30 * HOUR + 30, Decimal("0.46")),
    (CRASH_ENDS, Decimal("0.55")),
    (LAST_MINUTE, Decimal("0.64")),
)
# Each price is off its line by at most this part, so that no two seeds are alike.
NOISE = Decimal("0.004")
NOISE_STEPS = 1000


def seeded_vectors(seed: int) -> list[Vector]:
    """The prices of both pairs: hourly, and every five minutes while the market crashes."""
    random = Random(seed)
    return [
        Vector(FIRST_HOUR + timedelta(minutes=minute), {pair: _price(pair, minute, random) for pair in START_PRICES})
        for minute in _minutes()
    ]


def _minutes() -> Iterator[int]:
    yield from range(0, CRASH_STARTS, HOUR)
    yield from range(CRASH_STARTS, CRASH_ENDS, FIVE_MINUTES)
    yield from range(CRASH_ENDS, LAST_MINUTE + 1, HOUR)


def _price(pair: str, minute: int, random: Random) -> Decimal:
    moved = ONE + PULLS[pair] * (_part(minute) - ONE)
    noise = NOISE * random.randint(-NOISE_STEPS, NOISE_STEPS)
    return round_down(START_PRICES[pair] * moved * (ONE + divide_down(noise, Decimal(NOISE_STEPS), 8)), PRICE_SCALE)


def _part(minute: int) -> Decimal:
    for (since, first), (until, last) in pairwise(MARKS):
        if minute <= until:
            return first + divide_down((last - first) * (minute - since), Decimal(until - since), 8)
    return MARKS[-1][1]
