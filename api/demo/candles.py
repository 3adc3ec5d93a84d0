"""Price candles from CSV files: read with precise complaints, and cut into the price vectors of a market."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from ledger.money import AMOUNT_DIGITS, VALUATION_ASSET, quote_of, round_down
from ledger.words import PairName

COLUMNS = ("open_time", "open", "high", "low", "close")
PRICES = COLUMNS[1:]
STEPS_OF_A_CANDLE = 4
# A file with one candle says nothing of how long it lasts.
INTERVAL_OF_ONE_CANDLE = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXAMPLE = f"BTC/{VALUATION_ASSET}"
_PAIR_NAME: TypeAdapter[str] = TypeAdapter(PairName)
# A price is kept with five digits or two decimals, whichever is more.
DIGITS_OF_A_PRICE = 5
FEWEST_DECIMALS, MOST_DECIMALS = 2, 6


class CandlesUnusable(ValueError):
    """The candles that were asked for cannot be played; the message names the file, the line and what to do."""


class Candle(NamedTuple):
    """What a pair traded at from `open_time` on, for one interval of its file."""

    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    def path(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """The four prices in a likely order: a candle that closes lower was at its high first."""
        first, second = (self.low, self.high) if self.close >= self.open else (self.high, self.low)
        return self.open, first, second, self.close


class Series(NamedTuple):
    """The candles of one pair within the range asked for, and how long each lasts."""

    pair: str
    price_scale: int
    interval: timedelta
    candles: list[Candle]

    @property
    def step(self) -> timedelta:
        """How far apart the prices of a candle are taken."""
        return self.interval / STEPS_OF_A_CANDLE


class Vector(NamedTuple):
    """The prices of one moment by pair."""

    at: datetime
    prices: dict[str, Decimal]


class Period(NamedTuple):
    """A range of times, the end excluded; None is without bound."""

    start: datetime | None = None
    end: datetime | None = None

    def has(self, at: datetime) -> bool:
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)

    def __str__(self) -> str:
        start = "the beginning" if self.start is None else f"{self.start:%Y-%m-%d %H:%M}"
        return f"{start} to {'the end' if self.end is None else f'{self.end:%Y-%m-%d %H:%M}'} (UTC)"


def parse_period(first: str | None, last: str | None) -> Period:
    """The period from one date or time to another, in UTC; a last date counts whole."""
    start, end = _parse_time(first, "--from"), _parse_time(last, "--to")
    if end is not None and last is not None and len(last) == len("2020-03-16"):
        end += timedelta(days=1)
    if start is not None and end is not None and start >= end:
        raise CandlesUnusable(f"--from {first} does not lie before --to {last}")
    return Period(start, end)


def _parse_time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CandlesUnusable(
            f"{option} {text!r} is neither a date (2020-03-08) nor a time (2020-03-08T12:00)"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def read_all(files: Sequence[Path], pairs: Sequence[str], period: Period) -> list[Series]:
    """The candles of several pairs, one file for each, within a period."""
    if len(files) != len(pairs):
        raise CandlesUnusable(
            f"--candles was given {len(files)} times and --pair {len(pairs)} times: give one --pair for each --candles"
        )
    for pair, times in Counter(pairs).items():
        _require_playable(pair)
        if times > 1:
            raise CandlesUnusable(f"--pair {pair} was given {times} times: one file gives the prices of one pair")
    return [read_series(file, pair, period) for file, pair in zip(files, pairs, strict=True)]


def _require_playable(pair: str) -> None:
    try:
        _PAIR_NAME.validate_python(pair)
    except ValidationError:
        raise CandlesUnusable(f"--pair {pair!r} is no pair: write BASE/QUOTE, such as {EXAMPLE}") from None
    if quote_of(pair) != VALUATION_ASSET:
        raise CandlesUnusable(
            f"--pair {pair} cannot be played: the demo's pairs are in {VALUATION_ASSET}, as {EXAMPLE}"
        )


def read_series(file: Path, pair: str, period: Period) -> Series:
    """The candles of one file within a period, prices cut to the scale that the pair is listed with."""
    candles = list(_read(file))
    if not candles:
        raise CandlesUnusable(f"{file} has no candle: a line of columns and then one line for each are needed")
    played = [candle for candle in candles if period.has(candle.open_time)]
    if not played:
        first, last = candles[0].open_time, candles[-1].open_time
        raise CandlesUnusable(
            f"{file} has no candle from {period}: its candles open from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
        )
    scale = _price_scale(played[0].open)
    return Series(pair, scale, _interval(candles), [_cut(file, candle, scale) for candle in played])


def _read(file: Path) -> Iterator[Candle]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text)
            places = _places(file, next(rows, []))
            before = None
            for row in rows:
                if not row:
                    continue
                candle = _candle(f"{file}, line {rows.line_num}", row, places)
                if before is not None and candle.open_time <= before:
                    raise CandlesUnusable(
                        f"{file}, line {rows.line_num}: opens at {candle.open_time:%Y-%m-%d %H:%M}, "
                        f"not after the candle before it ({before:%Y-%m-%d %H:%M}): sort the file by open_time"
                    )
                before = candle.open_time
                yield candle
    except OSError as error:
        raise CandlesUnusable(f"{file} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CandlesUnusable(f"{file} is no CSV file: {error}") from error


def _places(file: Path, header: list[str]) -> list[int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise CandlesUnusable(
            f"{file} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: its first line is "
            f"{','.join(header) or 'empty'}, expected is {','.join(COLUMNS)},volume with open_time in milliseconds"
        )
    return [names.index(name) for name in COLUMNS]


def _candle(where: str, row: list[str], places: list[int]) -> Candle:
    if len(row) <= max(places):
        raise CandlesUnusable(f"{where}: has {len(row)} values, the first line names more columns")
    opened, *texts = [row[place].strip() for place in places]
    opening, high, low, close = (_price(where, name, text) for name, text in zip(PRICES, texts, strict=True))
    if not low <= min(opening, close) <= max(opening, close) <= high:
        raise CandlesUnusable(
            f"{where}: open {opening:f} and close {close:f} must lie between low {low:f} and high {high:f}"
        )
    return Candle(_open_time(where, opened), opening, high, low, close)


def _open_time(where: str, text: str) -> datetime:
    try:
        at = EPOCH + timedelta(milliseconds=int(text))
    except (ValueError, OverflowError):
        raise CandlesUnusable(f"{where}: open_time {text!r} is no count of milliseconds since 1970") from None
    if at > datetime.now(UTC):
        raise CandlesUnusable(f"{where}: open_time {text} is {at:%Y-%m-%d %H:%M}, which is yet to come")
    return at


def _price(where: str, name: str, text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    # Beyond these bounds a number is no price of anything, and writing it out would fill the memory.
    if not price.is_finite() or price <= 0 or abs(price.adjusted()) > AMOUNT_DIGITS // 2:
        raise CandlesUnusable(f"{where}: {name} {text[:40]!r} is no price greater than zero")
    return price


def _price_scale(price: Decimal) -> int:
    return min(max(FEWEST_DECIMALS, DIGITS_OF_A_PRICE - 1 - price.adjusted()), MOST_DECIMALS)


def _cut(file: Path, candle: Candle, scale: int) -> Candle:
    prices = [round_down(price, scale) for price in candle[1:]]
    if not min(prices):
        opened = f"{candle.open_time:%Y-%m-%d %H:%M}"
        raise CandlesUnusable(f"{file}: the candle of {opened} falls to zero at {scale} decimals")
    return Candle(candle.open_time, *prices)


def _interval(candles: list[Candle]) -> timedelta:
    """How long a candle lasts: the most common distance between two, so that gaps do not count."""
    distances = Counter(after.open_time - before.open_time for before, after in pairwise(candles))
    return distances.most_common(1)[0][0] if distances else INTERVAL_OF_ONE_CANDLE


def vectors_of(series: Sequence[Series]) -> list[Vector]:
    """The prices of all pairs in order of time; where a file has a gap, its pair has no price."""
    moments: dict[datetime, dict[str, Decimal]] = {}
    for one in series:
        for candle in one.candles:
            for number, price in enumerate(candle.path()):
                moments.setdefault(candle.open_time + number * one.step, {})[one.pair] = price
    return [Vector(at, moments[at]) for at in sorted(moments)]
