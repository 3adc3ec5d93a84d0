"""Candle files: what is read from them, and what is said of those that cannot be played."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from api.demo.candles import CandlesUnusable, Period, parse_period, read_all, read_series, vectors_of
from tests.api.candle_files import HEADER, write_candles

BTC, ETH = "BTC/USDT", "ETH/USDT"
ALWAYS = Period()
NOON = datetime(2020, 3, 12, 12, tzinfo=UTC)


def test_a_candle_that_closes_lower_was_at_its_high_first(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_text(f"{HEADER}\n1584014400000,6080,6345,5710,6034.04,30871\n1584028800000,6034,6250,5950,6137.44,1\n")
    vectors = vectors_of([read_series(file, BTC, ALWAYS)])
    noon = datetime(2020, 3, 12, 12, tzinfo=UTC)
    prices = ["6080", "6345", "5710", "6034.04", "6034", "5950", "6250", "6137.44"]
    assert [vector.prices[BTC] for vector in vectors] == [Decimal(price) for price in prices]
    assert [vector.at for vector in vectors] == [noon + number * timedelta(hours=1) for number in range(8)]


def test_prices_are_cut_to_the_scale_the_pair_is_listed_with(tmp_path: Path) -> None:
    series = read_series(write_candles(tmp_path / "candles.csv", ["8901.36789", "8000.129"]), BTC, ALWAYS)
    assert series.price_scale == 2
    assert [candle.close for candle in series.candles] == [Decimal("8901.36"), Decimal("8000.12")]


def test_a_cheap_asset_keeps_more_decimals(tmp_path: Path) -> None:
    series = read_series(write_candles(tmp_path / "candles.csv", ["0.0812345678", "0.07"]), "DOGE/USDT", ALWAYS)
    assert series.price_scale == 6
    assert series.candles[0].close == Decimal("0.081234")


def test_a_gap_in_one_file_leaves_its_pair_without_a_price(tmp_path: Path) -> None:
    bitcoin = write_candles(tmp_path / "btc.csv", ["8000", "7900", "7800", "7700", "7600"])
    ether = write_candles(tmp_path / "eth.csv", ["200", "190", "180", "170", "160"], without=[2])
    series = read_all([bitcoin, ether], [BTC, ETH], ALWAYS)
    vectors = vectors_of(series)
    assert [one.interval for one in series] == [timedelta(hours=4)] * 2
    assert [sorted(vector.prices) for vector in vectors[8:12]] == [[BTC]] * 4
    assert all(sorted(vector.prices) == [BTC, ETH] for vector in [*vectors[:8], *vectors[12:]])


def test_a_last_date_counts_whole_and_a_last_time_does_not() -> None:
    assert parse_period("2020-03-08", "2020-03-16") == Period(
        datetime(2020, 3, 8, tzinfo=UTC), datetime(2020, 3, 17, tzinfo=UTC)
    )
    assert parse_period(None, "2020-03-12T12:00") == Period(None, NOON)
    assert parse_period("2020-03-12T13:00+01:00", None) == Period(NOON, None)


def test_only_candles_of_the_period_are_read(tmp_path: Path) -> None:
    file = write_candles(tmp_path / "candles.csv", ["8000"] * 12)
    series = read_series(file, BTC, parse_period("2020-03-13", "2020-03-13"))
    assert [candle.open_time.day for candle in series.candles] == [13] * 6


@pytest.mark.parametrize(
    ("first", "last", "complaint"),
    [
        ("yesterday", None, "--from 'yesterday' is neither a date"),
        (None, "2020-13-01", "--to '2020-13-01' is neither a date"),
        ("2020-03-16", "2020-03-08", "--from 2020-03-16 does not lie before --to 2020-03-08"),
    ],
)
def test_a_period_that_is_none_is_refused(first: str | None, last: str | None, complaint: str) -> None:
    with pytest.raises(CandlesUnusable, match=complaint):
        parse_period(first, last)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "lacks the columns open_time, open, high, low, close: its first line is empty"),
        ("time,open,high,low,close\n", "lacks the column open_time: its first line is time,open,high,low,close"),
        (f"{HEADER}\n", "has no candle"),
        (f"{HEADER}\n1584014400000,8000,8000\n", "line 2: has 3 values"),
        (f"{HEADER}\n1584014400000,8000,8100,7900,abc,1\n", "line 2: close 'abc' is no price greater than zero"),
        (f"{HEADER}\n1584014400000,NaN,8100,7900,8000,1\n", "line 2: open 'NaN' is no price greater than zero"),
        (f"{HEADER}\n1584014400000,8000,8100,-1,8000,1\n", "line 2: low '-1' is no price greater than zero"),
        (f"{HEADER}\n1584014400000,8000,1e999999999,7900,8000,1\n", "line 2: high '1e999999999' is no price"),
        (f"{HEADER}\n1584014400000,8000,7950,7900,8000,1\n", "must lie between low 7900 and high 7950"),
        (f"{HEADER}\n12.5,8000,8100,7900,8000,1\n", "line 2: open_time '12.5' is no count of milliseconds"),
        (f"{HEADER}\n99999999999999,8000,8100,7900,8000,1\n", "which is yet to come"),
        (
            f"{HEADER}\n1584014400000,8000,8100,7900,8000,1\n1584014400000,8000,8100,7900,8000,1\n",
            "line 3: opens at 2020-03-12 12:00, not after the candle before it",
        ),
    ],
)
def test_a_file_that_cannot_be_played_is_refused_with_its_line(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "candles.csv"
    file.write_text(content)
    with pytest.raises(CandlesUnusable, match=complaint):
        read_series(file, BTC, ALWAYS)


def test_files_that_are_not_there_or_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CandlesUnusable, match="cannot be read: No such file"):
        read_series(tmp_path / "absent.csv", BTC, ALWAYS)
    with pytest.raises(CandlesUnusable, match="cannot be read: Is a directory"):
        read_series(tmp_path, BTC, ALWAYS)
    (tmp_path / "noise.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(CandlesUnusable, match="is no CSV file"):
        read_series(tmp_path / "noise.csv", BTC, ALWAYS)


def test_a_period_without_a_candle_names_what_the_file_has(tmp_path: Path) -> None:
    file = write_candles(tmp_path / "candles.csv", ["8000", "7000"])
    with pytest.raises(CandlesUnusable, match="its candles open from 2020-03-12 00:00 to 2020-03-12 04:00"):
        read_series(file, BTC, parse_period("2021-01-01", None))


@pytest.mark.parametrize(
    ("pairs", "complaint"),
    [
        ([BTC], "--candles was given 2 times and --pair 1 times"),
        ([BTC, BTC], "--pair BTC/USDT was given 2 times"),
        ([BTC, "btcusdt"], "--pair 'btcusdt' is no pair"),
        ([BTC, "USDT/USDT"], "--pair 'USDT/USDT' is no pair"),
        ([BTC, "ETH/BTC"], "--pair ETH/BTC cannot be played"),
    ],
)
def test_pairs_that_do_not_go_with_the_files_are_refused(tmp_path: Path, pairs: list[str], complaint: str) -> None:
    file = write_candles(tmp_path / "candles.csv", ["8000", "7000"])
    with pytest.raises(CandlesUnusable, match=complaint):
        read_all([file, file], pairs, ALWAYS)
