"""Which falls are replayed: their dates, and the markets that candle files or a seed make of them."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from api.demo.candles import CandlesUnusable, Period, Series, read_all
from api.demo.scenario import Scenario, scenario_of_series, seeded_scenario
from ledger.money import VALUATION_ASSET

DAYS_OF_FALLS = {
    "2020-03-12": (date(2020, 3, 12), date(2020, 3, 13)),
    "2021-05-19": (date(2021, 5, 19), date(2021, 5, 19)),
    "2022-06-12": (date(2022, 6, 12), date(2022, 6, 18)),
    "2022-11-08": (date(2022, 11, 8), date(2022, 11, 9)),
    "2024-08-05": (date(2024, 8, 5), date(2024, 8, 5)),
    "2025-10-10": (date(2025, 10, 10), date(2025, 10, 10)),
}
"""The first and the last day (UTC) of each fall, by its name."""
ALL = "all"
# On these days before a fall its traders join, one after the other.
DAYS_OF_OPENING = timedelta(days=3)
ONE_DAY = timedelta(days=1)
# Where no fall is named, everybody has joined after this part of what is played.
JOINED_BY = Decimal("0.2")
SYNTHETIC = "synthetic"
ASSET_OF_A_FILE = re.compile(r"([A-Z0-9]{2,12})[-_.]")


class Fall(NamedTuple):
    """One market to replay: `name` is part of its accounts' ids; all have joined by the vector of number `joined_by`.

    Its first and its last vector price every pair.
    """

    name: str
    scenario: Scenario
    joined_by: int


def synthetic_fall(seed: int) -> Fall:
    """The invented market of a seed, for who has no candles."""
    scenario = seeded_scenario(seed)._replace(source=SYNTHETIC)
    return Fall(SYNTHETIC, scenario, scenario.step_at(JOINED_BY))


def pairs_of(files: Sequence[Path]) -> list[str]:
    """The pair of each file by its name: `BTC-USD-4h.csv` has the prices of BTC."""
    return [f"{_asset_of(file)}/{VALUATION_ASSET}" for file in files]


def _asset_of(file: Path) -> str:
    found = ASSET_OF_A_FILE.match(file.name)
    if found is None:
        raise CandlesUnusable(
            f"the name of {file} does not begin with an asset, as BTC-USD-4h.csv does: give one --pair for each "
            "--candles"
        )
    return found[1]


def named_falls(files: Sequence[Path], pairs: Sequence[str], name: str) -> list[Fall]:
    """The fall of that name, or of `all` those that every file has candles of; refuses with CandlesUnusable."""
    if name != ALL and name not in DAYS_OF_FALLS:
        raise CandlesUnusable(
            f"--fall {name} is not known; the falls are {', '.join(DAYS_OF_FALLS)}, and {ALL} of them"
        )
    series = read_all(files, pairs, Period())
    wanted = DAYS_OF_FALLS if name == ALL else {name: DAYS_OF_FALLS[name]}
    found = [_fall_of(name, *days, series) for name, days in wanted.items() if _has(series, *days)]
    if not found:
        raise CandlesUnusable(
            f"the candles of {', '.join(map(str, files))} have none of the falls asked for ({', '.join(wanted)}) with "
            f"the {DAYS_OF_OPENING.days} days before it; choose days with --from and --to"
        )
    return found


def fall_of_period(files: Sequence[Path], pairs: Sequence[str], period: Period) -> Fall:
    """What the files have of a period; its first part is for joining."""
    scenario = _ended(scenario_of_series(read_all(files, pairs, period)))
    return Fall(f"{scenario.vectors[0].at:%Y-%m-%d}", scenario, scenario.step_at(JOINED_BY))


def _fall_of(name: str, first: date, last: date, series: Sequence[Series]) -> Fall:
    scenario = _ended(scenario_of_series([_cut(one, _period(first, last)) for one in series]))
    begins = _midnight(first)
    return Fall(name, scenario, max(sum(vector.at < begins for vector in scenario.vectors) - 1, 0))


def _has(series: Sequence[Series], first: date, last: date) -> bool:
    """Whether every file has a candle of each day of a fall, and of those before it."""
    opening = first - DAYS_OF_OPENING
    needed = {opening + number * ONE_DAY for number in range((last - opening).days + 1)}
    return all(needed <= {candle.open_time.date() for candle in one.candles} for one in series)


def _period(first: date, last: date) -> Period:
    return Period(_midnight(first) - DAYS_OF_OPENING, _midnight(last) + ONE_DAY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _cut(series: Series, period: Period) -> Series:
    return series._replace(candles=[candle for candle in series.candles if period.has(candle.open_time)])


def _ended(scenario: Scenario) -> Scenario:
    """Up to the last vector that prices every pair: there all positions can be closed."""
    last = scenario.full_step(len(scenario.vectors) - 1)
    return scenario._replace(vectors=scenario.vectors[: last + 1])
