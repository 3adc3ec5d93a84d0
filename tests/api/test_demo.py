"""The demo: a small one of each kind played to its end, and every way it says no."""

import copy
import io
import socket
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from psycopg import sql
from rich.console import Console

from api.command_line.screen import table_of
from api.demo import seeded
from api.demo.candles import Period
from api.demo.cast import people
from api.demo.fresh_database import DatabaseRefused, demo_turn, make_fresh
from api.demo.liquidated import sold_and_own
from api.demo.play import DemoFailed
from api.demo.scenario import scenario_of_candles, seeded_scenario
from api.demo.story import require_the_rest_untouched
from ledger.log import log_end
from ledger.postgres import connect
from tests.api.candle_files import write_candles
from tests.api.command_line import CommandLine
from tests.databases import url_of

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
CRASH = ["8000", "7950", "7900", "7850", "6500", "5600", "4700", "4000", "4800", "5200"]
ETHER_CRASH = ["200", "199", "195", "190", "150", "125", "105", "90", "110", "120"]


@pytest.fixture
def demo_database(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a demo database of this test's own; tests run beside each other on one server."""
    name = f"ledger_demo_{uuid.uuid4().hex}"
    for module in ("database", "demonstrating"):
        monkeypatch.setattr(f"api.command_line.{module}.DEMO_DATABASE", name)
    yield name
    with connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def ledger(command_line: CommandLine, server_url: str, demo_database: str) -> CommandLine:
    command_line.use(server_url)
    return command_line


def shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded market with fewer vectors: the crash in steps of fifteen minutes."""
    monkeypatch.setattr(seeded, "FIVE_MINUTES", 15)


def test_the_seeded_demo_tells_its_story_and_agrees(ledger: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    shortened(monkeypatch)
    ended = ledger("demo", "--no-serve", "--accounts", "8")
    assert ended.code == 0, ended.err
    assert "Ivan's bucket was worth 10000 USDT and is worth 0: 10000 lost. It was liquidated." in ended.out
    assert "All else of his is what it was before the trade, to the digit" in ended.out
    assert "After the bucket was gone the pool paid on with everything in it" in ended.out
    assert "no difference; trial balance zero for every asset" in ended.out
    assert ledger("--demo", "verify").code == 0
    assert "ivan as of position" in ledger("--demo", "replay", "ivan").out


def test_candles_of_two_pairs_are_played_at_once(ledger: CommandLine, tmp_path: Path) -> None:
    bitcoin, ether = write_candles(tmp_path / "b.csv", CRASH), write_candles(tmp_path / "e.csv", ETHER_CRASH)
    files: list[str | Path] = ["--candles", bitcoin, "--pair", "BTC/USDT", "--candles", ether, "--pair", "ETH/USDT"]
    ended = ledger("demo", "--no-serve", "--accounts", "6", *files, "--from", "2020-03-12", "--to", "2020-03-13")
    assert ended.code == 0, ended.err
    assert "40 price vectors" in ended.out
    assert "It was liquidated." in ended.out
    assert "no difference; trial balance zero" in ended.out


def test_a_gap_in_one_file_leaves_wallets_unpriced_and_the_books_right(ledger: CommandLine, tmp_path: Path) -> None:
    bitcoin = write_candles(tmp_path / "b.csv", CRASH)
    ether = write_candles(tmp_path / "e.csv", ETHER_CRASH, without=[3, 4, 7])
    files: list[str | Path] = ["--candles", bitcoin, "--pair", "BTC/USDT", "--candles", ether, "--pair", "ETH/USDT"]
    ended = ledger("demo", "--no-serve", "--accounts", "6", *files)
    assert ended.code == 0, ended.err
    assert "no difference; trial balance zero" in ended.out


def test_one_pair_is_enough_and_a_rising_market_liquidates_neither(ledger: CommandLine, tmp_path: Path) -> None:
    file = write_candles(tmp_path / "b.csv", ["8000.123", "8100.456", "8200", "8300"])
    ended = ledger("demo", "--no-serve", "--accounts", "0", "--candles", file, "--pair", "BTC/USDT")
    assert ended.code == 0, ended.err
    assert ended.out.count("It was not liquidated.") == 2


@pytest.mark.skipif(not SHARED.is_dir(), reason="the price history of ../shared/data is not there")
def test_the_crash_of_march_2020_is_played_on_both_files(ledger: CommandLine) -> None:
    files: list[str | Path] = []
    for name in ("BTC", "ETH"):
        files += ["--candles", SHARED / f"{name}-USD-4h.csv", "--pair", f"{name}/USDT"]
    ended = ledger("demo", "--no-serve", "--accounts", "8", *files, "--from", "2020-03-12", "--to", "2020-03-13")
    assert ended.code == 0, ended.err
    assert ended.out.count("It was liquidated.") == 2
    assert "no difference; trial balance zero" in ended.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--pair", "BTC/USDT"], "--candles was given 0 times and --pair 1 times"),
        (["--candles", "absent.csv", "--pair", "BTC/USDT"], "absent.csv cannot be read"),
        (["--from", "2020-03-08"], "--from and --to choose candles"),
        (["--accounts", "many"], "Invalid value for '--accounts'"),
    ],
)
def test_what_cannot_be_played_ends_with_2(ledger: CommandLine, arguments: list[str], complaint: str) -> None:
    ended = ledger("demo", "--no-serve", *arguments)
    assert ended.code == 2
    assert complaint in ended.err


def test_the_same_seed_is_the_same_market_and_people_and_another_is_not() -> None:
    first, again, other = seeded_scenario(7), seeded_scenario(7), seeded_scenario(8)
    assert first == again
    assert first.vectors != other.vectors
    cast = [list(people(first, 20, Random(seed))) for seed in (7, 7, 8)]
    assert cast[0] == cast[1]
    assert cast[0] != cast[2]


def test_files_of_different_steps_are_played_together(tmp_path: Path) -> None:
    hours = write_candles(tmp_path / "b.csv", CRASH)
    minutes = write_candles(tmp_path / "e.csv", ETHER_CRASH, interval=timedelta(minutes=5))
    scenario = scenario_of_candles([hours, minutes], ["BTC/USDT", "ETH/USDT"], Period())
    assert scenario.price_max_age_seconds == 3600
    assert len(scenario.vectors[0].prices) == 2


def test_a_demo_in_use_is_not_dropped(server_url: str, demo_database: str) -> None:
    url = url_of(server_url, demo_database)
    make_fresh(server_url, url, demo_database)
    with connect(url) as connection:
        assert log_end(connection).position == 0
        with pytest.raises(DatabaseRefused, match="is in use, perhaps by a demo that is still playing or serving"):
            make_fresh(server_url, url, demo_database)
    make_fresh(server_url, url, demo_database)


def test_a_second_demo_is_told_at_once_that_one_is_playing(server_url: str, demo_database: str) -> None:
    with (
        demo_turn(server_url, demo_database),
        pytest.raises(DatabaseRefused, match="by a demo that is still playing or serving"),
        demo_turn(server_url, demo_database),
    ):
        pass
    with demo_turn(server_url, demo_database):
        pass


def test_a_port_that_is_taken_is_told_before_the_play(ledger: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = ledger("demo", "--accounts", "0", "--port", str(taken.getsockname()[1]))
    assert ended.code == 1
    assert "cannot listen on 127.0.0.1 port" in ended.err
    assert "playing" not in ended.err


@pytest.mark.parametrize("width", [60, 42, 36, 34])
def test_numbers_are_never_broken_on_a_narrow_screen(width: int) -> None:
    rows = [("trader-0005.17", "30604.02350989 USDT"), ("trader-0017.35", "0.26302542 ETH")]
    console = Console(width=width, file=io.StringIO())
    with console.capture() as captured:
        console.print(table_of(None, ["liquidation", "repaid"], rows, right=[1]))
    shown = captured.get()
    for cell in ("trader-0005.17", "trader-0017.35", "30604.02350989 USDT", "0.26302542 ETH"):
        assert cell in shown, shown
    assert all(len(line) <= width for line in shown.splitlines())


def test_what_an_asset_paid_of_its_own_debt_is_told_apart_from_what_was_sold() -> None:
    fill = {"asset": "USDT", "debt_asset": "USDT", "taken": "1472.25"}
    other = {"asset": "ETH", "debt_asset": "USDT", "taken": "11.24"}
    steps = [{"topic": "liquidation.filled", "content": content} for content in (fill, other)]
    sold, own = sold_and_own({"ETH": "11.24", "USDT": "1472.25"}, steps)
    assert {asset: amount for asset, amount in sold.items() if amount} == {"ETH": Decimal("11.24")}
    assert own == {"USDT": Decimal("1472.25")}


def test_a_touched_wallet_fails_the_demo() -> None:
    before: dict[str, Any] = {
        "spot": {"USDT": {"free": "5000", "locked": "0"}},
        "cross": {"assets": {"ETH": {"free": "1", "locked": "0"}}},
    }
    require_the_rest_untouched(before, copy.deepcopy(before))
    after = copy.deepcopy(before)
    after["cross"]["assets"]["ETH"]["free"] = "0.99999999"
    with pytest.raises(DemoFailed, match="cross of ivan was"):
        require_the_rest_untouched(before, after)
