"""What a demo plays: the pairs, their prices over time, and how old a price may become between two vectors."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from api.demo.candles import CandlesUnusable, Period, Series, Vector, read_all, vectors_of
from api.demo.seeded import PRICE_SCALE, START_PRICES, seeded_vectors
from ledger.market import PRICE_MAX_AGE_SECONDS
from ledger.money import base_of, quote_of

# The first pair has the highest leverage, the others the next one.
LEVERAGES = (Decimal(10), Decimal(5))
VALUATION_SCALE = 8


class Listing(NamedTuple):
    """A pair as the demo lists it; a quantity has as many decimals as leave its price's to the quote asset's scale."""

    pair: str
    price_scale: int
    max_leverage: Decimal

    @property
    def base(self) -> str:
        return base_of(self.pair)

    @property
    def quote(self) -> str:
        return quote_of(self.pair)

    @property
    def quantity_scale(self) -> int:
        return VALUATION_SCALE - self.price_scale


class Scenario(NamedTuple):
    """One market to play: `source` is what its prices say where they come from."""

    title: str
    source: str
    listings: list[Listing]
    vectors: list[Vector]
    price_max_age_seconds: int

    @property
    def first(self) -> Listing:
        """The pair of the two traders' story."""
        return self.listings[0]

    @property
    def last(self) -> Listing:
        """The pair whose base asset backs the two traders' wealth; the only one if there is only one."""
        return self.listings[min(1, len(self.listings) - 1)]

    def step_at(self, part: Decimal) -> int:
        """The number of the vector at which that part of the play (from 0 to 1) is over."""
        return int(part * (len(self.vectors) - 1))

    def full_step(self, step: int) -> int:
        """The number of the next vector that prices every pair; where there is none, of the last one that did."""
        full = [number for number, vector in enumerate(self.vectors) if len(vector.prices) == len(self.listings)]
        return next((number for number in full if number >= step), full[-1])

    def lowest_step(self, since: int) -> int:
        """The number of the vector, from a number on, at which the story's pair is cheapest."""
        priced = [
            number for number in range(since, len(self.vectors)) if self.first.pair in self.vectors[number].prices
        ]
        return min(priced, key=lambda number: self.vectors[number].prices[self.first.pair])


def seeded_scenario(seed: int) -> Scenario:
    """The invented market of a seed: hourly prices, and every five minutes while it crashes."""
    listings = _listed([(pair, PRICE_SCALE) for pair in START_PRICES])
    return Scenario(f"a seeded market (seed {seed})", "demo", listings, seeded_vectors(seed), PRICE_MAX_AGE_SECONDS)


def scenario_of_candles(files: Sequence[Path], pairs: Sequence[str], period: Period) -> Scenario:
    """The market of candle files within a period; refuses with CandlesUnusable."""
    return scenario_of_series(read_all(files, pairs, period))


def scenario_of_series(series: Sequence[Series]) -> Scenario:
    """The market of candles that were read; refuses with CandlesUnusable where they never open at the same time."""
    vectors = _started(vectors_of(series), [one.pair for one in series])
    listings = _listed([(one.pair, one.price_scale) for one in series])
    return Scenario(_title(series, vectors), "candles", listings, vectors, _longest_step_seconds(series))


def _started(vectors: list[Vector], pairs: Sequence[str]) -> list[Vector]:
    """From the first moment on at which every pair has had a price, whose vector states them all."""
    known: dict[str, Decimal] = {}
    for number, vector in enumerate(vectors):
        known |= vector.prices
        if set(vector.prices) == set(pairs):
            return vectors[number:]
    raise CandlesUnusable(f"the candles of {', '.join(pairs)} never open at the same time within the period")


def _title(series: Sequence[Series], vectors: Sequence[Vector]) -> str:
    names = ", ".join(one.pair for one in series)
    return f"{names} from {vectors[0].at:%Y-%m-%d %H:%M} to {vectors[-1].at:%Y-%m-%d %H:%M} UTC"


def _longest_step_seconds(series: Sequence[Series]) -> int:
    """Between two steps of its candles a price stays in force, however short the steps of another file are."""
    longest = max(one.step for one in series)
    return max(PRICE_MAX_AGE_SECONDS, -(-longest // timedelta(seconds=1)))


def _listed(pairs: Sequence[tuple[str, int]]) -> list[Listing]:
    leverages = (LEVERAGES[min(number, len(LEVERAGES) - 1)] for number in range(len(pairs)))
    return [Listing(pair, scale, leverage) for (pair, scale), leverage in zip(pairs, leverages, strict=True)]
