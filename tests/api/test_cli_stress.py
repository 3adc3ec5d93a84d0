"""`ledger stress` and `ledger exposure`: tables, JSON, pictures and refusals; numbers worked by hand."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.api.command_line import CommandLine

PNG = b"\x89PNG\r\n\x1a\n"
SWEEP = "BTC/USDT=-40%..+0%:20%"


def shown_in(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_stress_tells_prices_bands_sums_the_fund_and_the_worst(ledger: CommandLine) -> None:
    """At 66,000 bob's 6,000 USDT buy back 0.09090909 BTC; the rest of 0.1 is a deficit of 600.00006."""
    ended = ledger("stress", "--shock", "BTC/USDT=+10%")
    assert ended.code == 0, ended.err
    shown = shown_in(ended.out)
    assert ended.out.startswith("at position 27, values in USDT at the shocked prices; nothing is recorded")
    assert ["BTC/USDT", "+10%", "60000", "66000"] in shown
    assert ["liquidation", "1", "1"] in shown
    assert ["BTC/USDT", "0", "1", "5999.99994", "0", "600.00006"] in shown
    assert ["in", "all", "0", "1", "5999.99994", "0", "600.00006"] in shown
    assert ["USDT", "0", "-600.00006"] in shown
    assert "deficit 600.00006, of which the fund does not hold 600.00006" in ended.out
    row = ["bob", "isolated:BTC/USDT", "liquidated", "1.00000000", "0.90909090", "-600", "600.00006"]
    assert row in shown


def test_stress_sweeps_as_a_table_and_says_what_it_leaves_out(ledger: CommandLine) -> None:
    ended = ledger("stress", "--shock", "ETH=-5%", "--sweep", SWEEP, "--limit", "0")
    assert ended.code == 0, ended.err
    assert [line[:4] for line in shown_in(ended.out) if line[:1] in (["-40%"], ["-20%"], ["+0%"])] == [
        ["-40%", "0", "0", "0"],
        ["-20%", "0", "0", "0"],
        ["+0%", "0", "1", "0"],
    ]
    assert "1 more are not listed; --limit lists more" in ended.out


def test_stress_as_json_as_of_an_earlier_point(ledger: CommandLine) -> None:
    found = json.loads(ledger("stress", "--shock", "BTC=-90%", "--at", "14", "--json").out)
    assert (found["position"], found["liquidated"], found["shocks"]["BTC/USDT"]["shocked"]) == (14, 1, "5000")
    dated = ("--at", "2026-01-15T12:00:30", "--effective")
    assert json.loads(ledger("stress", "--shock", "BTC=-90%", *dated, "--json").out)["liquidated"] == 1


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_a_sweep_is_drawn_and_drawn_the_same_again(ledger: CommandLine, tmp_path: Path, ending: str) -> None:
    files = [tmp_path / f"{number}{ending}" for number in (1, 2)]
    for file in files:
        ended = ledger("stress", "--sweep", SWEEP, "--plot", file)
        assert (ended.code, ended.err.split()[:2]) == (0, ["drawn", "into"])
    content = files[0].read_bytes()
    assert content == files[1].read_bytes()
    if ending == ".png":
        assert content.startswith(PNG)
        assert content.endswith(b"IEND\xaeB`\x82")
        assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (1350, 1050)
    else:
        assert ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"


def test_what_only_draws_is_not_loaded_by_other_commands() -> None:
    """A command that draws nothing, and the service, do without the library that draws."""
    code = "import sys, api.cli, api.command_line.stressing, api.app; print('matplotlib' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"


def test_what_cannot_be_asked_is_refused(ledger: CommandLine, tmp_path: Path) -> None:
    refused: list[tuple[list[str | Path], int, str]] = [
        ([], 2, "no shock is stated"),
        (["--shock", "BTC/USDT"], 2, "no shock such as"),
        (["--shock", "BTC/USDT=-5%", "--shock", "BTC/USDT=-6%"], 2, "shocked twice, by -5% and -6%"),
        (["--shock", "BTC/USDT=-100%"], 2, "no price above zero"),
        (["--shock", "DOGE=-5%"], 1, "unknown_asset"),
        (["--sweep", "BTC/USDT=5%"], 2, "no sweep such as"),
        (["--sweep", "BTC/USDT=-5%..+5%:0%"], 2, "above zero"),
        (["--shock", "BTC=-5%", "--plot", tmp_path / "a.svg"], 2, "draws a --sweep"),
        (["--sweep", SWEEP, "--plot", tmp_path / "a.pdf"], 2, ".svg or .png"),
        (["--shock", "BTC=-5%", "--effective"], 2, "--at is not given"),
        (["--sweep", SWEEP, "--plot", tmp_path / "no" / "a.svg"], 2, "cannot be written"),
    ]
    for arguments, code, why in refused:
        ended = ledger("stress", *arguments)
        assert (ended.code, why in ended.err) == (code, True), (arguments, ended)


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_asked(
    ledger: CommandLine, tmp_path: Path
) -> None:
    ledger.use("postgresql://nobody@127.0.0.1:1/nowhere")
    old = tmp_path / "old.svg"
    old.write_text("what was drawn before")
    (tmp_path / "folder.svg").mkdir()
    for file, code, why in [
        (Path("/nonexistent/x.png"), 2, "cannot be written into /nonexistent/x.png: No such file or directory"),
        (tmp_path / "folder.svg", 2, "Is a directory"),
        (tmp_path / "new.svg", 3, "the database cannot be reached"),
        (old, 3, "the database cannot be reached"),
    ]:
        ended = ledger("stress", "--sweep", SWEEP, "--plot", file)
        assert (ended.code, ended.out) == (code, ""), file
        assert why in ended.err
    assert {one.name for one in tmp_path.iterdir()} == {"old.svg", "folder.svg"}
    assert old.read_text() == "what was drawn before"


def test_exposure_tells_positions_debtors_shares_and_who_is_near(ledger: CommandLine) -> None:
    """Bob owes 0.1 BTC or 6,000, alice 5,010 USDT; of 11,010 he has 0.54495912."""
    ended = ledger("exposure")
    assert ended.code == 0, ended.err
    shown = shown_in(ended.out)
    assert ["BTC/USDT", "1", "0.2", "12000", "1", "0.1", "6000", "0.1", "6000"] in shown
    assert ["bob", "6000", "6000", "0.1", "BTC", "isolated:BTC/USDT"] in shown
    assert any(line[:5] == ["debt", "all", "2", "11010", "0.54495912"] for line in shown)
    assert "Within 10 % of liquidation: 1 wallets that owe 6000" in ended.out
    found = json.loads(ledger("exposure", "--within", "75%", "--json", "--at", "26").out)
    assert [(one["account_id"], one["move_percent"]) for one in found["near"]["wallets"]] == [("bob", "14.2857")]


def test_exposure_that_cannot_be_asked_is_refused(ledger: CommandLine) -> None:
    for arguments, why in [
        (["--within", "near"], "takes a percentage"),
        (["--within", "0"], "greater than zero"),
        (["--effective"], "--at is not given"),
    ]:
        ended = ledger("exposure", *arguments)
        assert (ended.code, why in ended.err) == (2, True), ended
