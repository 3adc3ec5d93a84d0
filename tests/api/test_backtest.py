"""The `ledger backtest` command: which falls it replays, that a seed gives the same log again, and how it says no."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from api.backtest.falls import DAYS_OF_FALLS, Fall, fall_of_period, named_falls, pairs_of
from api.backtest.tally import Day
from api.command_line import database
from api.command_line.backtesting import replay
from api.demo import seeded
from api.demo.candles import CandlesUnusable, Period
from ledger.postgres import connect
from tests.api.candle_files import write_candles
from tests.api.command_line import CommandLine, Ended
from tests.databases import fresh_database

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
CALM = ["8000", "8010", "7990", "8005"]


@pytest.fixture
def ledger(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, server_url: str) -> Iterator[CommandLine]:
    """The command with a backtest database of this test's own, and the invented market in fewer vectors."""
    name = f"ledger_backtest_{uuid.uuid4().hex}"
    for module in ("database", "backtesting"):
        monkeypatch.setattr(f"api.command_line.{module}.BACKTEST_DATABASE", name)
    monkeypatch.setattr(seeded, "FIVE_MINUTES", 30)
    command_line.use(server_url)
    yield command_line
    with connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def replayed(ledger: CommandLine, *arguments: str | Path) -> Any:
    ended = ledger("backtest", "--json", *arguments)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.mark.long
def test_the_same_seed_gives_the_same_log_to_the_digit_and_another_does_not(ledger: CommandLine) -> None:
    asked = ("--synthetic", "--accounts", "6")
    first, again = replayed(ledger, *asked, "--seed", "3"), replayed(ledger, *asked, "--seed", "3")
    assert first == again
    other = replayed(ledger, *asked, "--seed", "4")
    assert other["digest"] != first["digest"]
    assert first["verified"]["agrees"]
    assert first["verified"]["events"] == first["events"] > 0


def test_a_kept_backtest_is_there_for_other_commands_and_is_told_in_tables(ledger: CommandLine) -> None:
    ended = ledger("backtest", "--synthetic", "--accounts", "6", "--keep")
    assert ended.code == 0, ended.err
    assert "no difference; trial balance zero for every asset" in ended.out
    assert "Trial balance at position" in ended.out
    assert "digest of the log" in ended.out
    assert days_told(ended) == ["2024-03-04", "2024-03-05", "2024-03-06"]
    assert ledger("--backtest", "verify").code == 0
    assert "synthetic.trader-00001" in ledger("--backtest", "replay", "synthetic.trader-00001").out


def days_told(ended: Ended) -> list[str]:
    rows = [line.split() for line in ended.out.splitlines()]
    return [row[0] for row in rows if row and row[0].startswith("2024-")]


def test_what_is_not_kept_leaves_no_database(ledger: CommandLine, server_url: str) -> None:
    replayed(ledger, "--synthetic", "--accounts", "1")
    with connect(server_url) as connection:
        named = f"{database.BACKTEST_DATABASE}%"
        assert connection.execute("select datname from pg_database where datname like %s", [named]).fetchall() == []
    for command in (["status"], ["verify"], ["replay", "alice"]):
        ended = ledger("--backtest", *command)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith("no backtest is kept: `ledger backtest --keep`")


@pytest.mark.long
def test_what_was_kept_stays_when_a_later_backtest_is_not_kept_or_fails(ledger: CommandLine) -> None:
    kept = replayed(ledger, "--synthetic", "--accounts", "6", "--keep")
    replayed(ledger, "--synthetic", "--accounts", "1")
    assert ledger("backtest", "--candles", "absent-USD.csv").code == 2
    ended = ledger("--backtest", "verify")
    assert ended.code == 0, ended.err
    assert f"verified {kept['events']:,} events" in ended.out
    again = replayed(ledger, "--synthetic", "--accounts", "1", "--keep")
    assert f"verified {again['events']:,} events" in ledger("--backtest", "verify").out


def test_candles_of_chosen_days_are_replayed_and_the_low_of_each_day_counts(
    ledger: CommandLine, tmp_path: Path
) -> None:
    falling = [str(8000 - 100 * number) for number in range(18)]
    file = write_candles(tmp_path / "BTC-USD.csv", falling)
    report = replayed(ledger, "--candles", file, "--from", "2020-03-12", "--to", "2020-03-14", "--accounts", "4")
    (fall,) = report["falls"]
    assert fall["name"] == "2020-03-12"
    assert [(one["day"], one["lowest"]["BTC/USDT"], one["vectors"]) for one in fall["days"]] == [
        ("2020-03-12", "7500", 24),
        ("2020-03-13", "6900", 24),
        ("2020-03-14", "6300", 24),
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "name files of candles with --candles, or replay an invented fall with --synthetic"),
        (["--synthetic", "--fall", "2020-03-12"], "--synthetic is a fall of its own"),
        (["--candles", "BTC.csv", "--fall", "all", "--from", "2020-03-12"], "--fall all has days of its own"),
        (["--candles", "BTC.csv", "--fall", "2020-03-11"], "--fall 2020-03-11 is not known; the falls are 2020-03-12"),
        (["--candles", "prices.csv"], "the name of prices.csv does not begin with an asset"),
        (["--candles", "BTC.csv"], "BTC.csv cannot be read"),
        (["--synthetic", "--accounts", "0"], "Invalid value for '--accounts'"),
    ],
)
def test_what_cannot_be_replayed_ends_with_2(ledger: CommandLine, arguments: list[str], complaint: str) -> None:
    ended = ledger("backtest", *arguments)
    assert ended.code == 2
    assert complaint in ended.err


def test_candles_without_any_of_the_falls_say_so(tmp_path: Path) -> None:
    file = write_candles(tmp_path / "BTC-USD.csv", CALM)
    with pytest.raises(CandlesUnusable, match=r"have none of the falls asked for \(2020-03-12, .*choose days with"):
        named_falls([file], pairs_of([file]), "all")


def test_of_all_falls_those_are_replayed_that_every_file_has_whole(tmp_path: Path) -> None:
    days = {"2020-03-12": 5, "2021-05-19": 3}  # With the days before; the second one ends before its fall.
    files = [tmp_path / "BTC-USD.csv", tmp_path / "ETH-USD.csv"]
    for file in files:
        parts = []
        for name, count in days.items():
            start = datetime.combine(date.fromisoformat(name), datetime.min.time(), UTC) - timedelta(days=3)
            write_candles(file, ["100"] * 6 * count, start=start)
            parts.append(file.read_text().splitlines(keepends=True))
        file.write_text("".join(parts[0] + parts[1][1:]))
    (fall,) = named_falls(files, pairs_of(files), "all")
    assert fall.name == "2020-03-12"
    assert first_and_last(fall) == ("2020-03-09 00:00", "2020-03-13 23:00")
    assert f"{fall.scenario.vectors[fall.joined_by].at}" == "2020-03-11 23:00:00+00:00"


@pytest.mark.long
def test_what_happens_in_a_fall_is_the_same_whichever_falls_come_before_it(
    tmp_path: Path, server_url: str, template_database: str
) -> None:
    file = write_candles(tmp_path / "BTC-USD.csv", [str(8000 - 250 * number) for number in range(18)])
    noon = datetime(2020, 3, 13, 12, tzinfo=UTC)
    falls = [fall_of_period([file], pairs_of([file]), period) for period in (Period(end=noon), Period(start=noon))]
    found = []
    for chosen in (falls, falls[1:]):
        with fresh_database(server_url, template_database) as url:
            found.append(replay(url, chosen, 8, 7))
    beside, alone = ([total_of_traders(day) for day in one.days_of(falls[1])[1:]] for one in found)
    assert beside == alone
    assert sum(day["isolated_liquidations"] + day["cross_liquidations"] for day in alone) > 0
    assert {fall.name: bool(found[0].days_of(fall)) for fall in falls} == {"2020-03-12": True, "2020-03-13": True}
    assert found[0].agrees


def total_of_traders(day: Day) -> dict[str, Any]:
    """The figures of a day but for what the fund had left from before."""
    figures = asdict(day.figures)
    return {name: figure for name, figure in figures.items() if name not in ("paid_by_fund", "uncovered")}


def first_and_last(fall: Fall) -> tuple[str, ...]:
    return tuple(f"{fall.scenario.vectors[number].at:%Y-%m-%d %H:%M}" for number in (0, -1))


def test_a_market_ends_where_every_pair_has_a_price(tmp_path: Path) -> None:
    bitcoin = write_candles(tmp_path / "BTC-USD.csv", CALM)
    ether = write_candles(tmp_path / "ETH-USD.csv", CALM[:2])
    fall = fall_of_period([bitcoin, ether], pairs_of([bitcoin, ether]), Period())
    assert first_and_last(fall) == ("2020-03-12 00:00", "2020-03-12 07:00")


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the price history of {SHARED} is not there")
def test_all_falls_of_the_price_history_are_found_with_three_days_before_each() -> None:
    files = [SHARED / "BTC-USD-4h.csv", SHARED / "ETH-USD-4h.csv"]
    falls = named_falls(files, pairs_of(files), "all")
    assert [fall.name for fall in falls] == list(DAYS_OF_FALLS)
    for fall, (first, last) in zip(falls, DAYS_OF_FALLS.values(), strict=True):
        assert first_and_last(fall) == (f"{first - timedelta(days=3)} 00:00", f"{last} 23:00")
