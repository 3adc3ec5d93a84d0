"""`ledger replay`: what each event and each price did, between points, step by step, and up to a condition."""

import json
from typing import Any

import pytest

from api.command_line.conditions import read_condition
from ledger.errors import Malformed
from tests.api.command_line import CommandLine
from tests.api.two_traders import Terminal


def replayed(ledger: CommandLine, *arguments: str) -> dict[str, Any]:
    ended = ledger("replay", *arguments, "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_a_replay_tells_levels_before_and_after_each_event_at_the_prices_of_the_moment(ledger: CommandLine) -> None:
    ended = ledger("replay", "alice")
    assert "~ cross: equity 10000 -> 9960, margin_level 2.00000000 -> 1.99600000" in ended.out
    assert "~ cross: equity 10160 -> 10150, margin_level 2.01600000 -> 2.01398601" in ended.out
    assert "margin_level none -> 2.00000000" in ended.out


def test_a_replay_is_bounded_by_points_and_tells_the_state_before(ledger: CommandLine) -> None:
    found = replayed(ledger, "alice", "--from", "13", "--to", "17")
    assert [event["position"] for event in found["events"]] == [14, 17]
    assert found["before"]["wallets"]["cross"]["margin_level"] == "2.00000000"
    assert found["state"]["wallets"]["cross"]["margin_level"] == "2.01398601"
    by_time = replayed(ledger, "alice", "--from", "2026-01-16T00:00:13Z", "--to", "2026-01-16T00:00:17")
    assert by_time["events"] == found["events"]
    assert "the state before them" in ledger("replay", "alice", "--from", "13").out


def test_a_replay_by_business_time_meets_the_prices_of_that_time(ledger: CommandLine) -> None:
    found = replayed(ledger, "alice", "--effective", "--from", "2026-01-15T12:02:30", "--to", "2026-01-15T12:04:00Z")
    assert [event["topic"] for event in found["events"]] == ["interest.accrued"]
    (cross,) = found["events"][0]["margins"]
    assert (cross["before"]["margin_level"], cross["after"]["margin_level"]) == ("2.01600000", "2.01398601")
    assert found["state"]["wallets"]["cross"]["margin_level"] == "1.79420579"


@pytest.mark.parametrize(
    ("account", "condition", "position", "value"),
    [
        ("alice", "cross.level < 2.0", 14, "1.99600000"),
        ("alice", "cross.level <= 2", 13, "2.00000000"),
        ("alice", "cross.level > 2.03", 15, "2.03600000"),
        ("alice", "cross.level < 1.8", 18, "1.79420579"),
        ("alice", "cross.level != none", 13, "2.00000000"),
        ("alice", "cross.level = 1.996", 14, "1.99600000"),
        ("alice", "cross.collateral_level>=2.5", 19, "2.58682634"),
        ("alice", "cross.equity = 7950", 18, "7950"),
        ("alice", "cross.debt > 10000", 17, "10010"),
        ("alice", "cross.assets >= 20360", 15, "20360"),
        ("alice", "cross.band = transfer_blocked", 13, "transfer_blocked"),
        ("alice", "cross.USDT.free < 100", 10, "0"),
        ("alice", "cross.USDT.free > 9960.5", 12, "10000"),
        ("alice", "cross.USDT.interest > 0", 17, "10"),
        ("alice", "cross.USDT.net < 0", 14, "-40"),
        ("alice", "spot.USDT.free >= 10000", 11, "10000"),
        ("bob", "isolated:BTC/USDT.level <= 1.1", 27, "1.00000000"),
        ("bob", "isolated:BTC/USDT.BTC.borrowed = 0.1", 25, "0.1"),
        ("bob", "isolated:BTC/USDT.band = liquidation", 27, "liquidation"),
    ],
)
def test_a_replay_stops_at_the_first_event_or_price_at_which_a_condition_holds(
    ledger: CommandLine, account: str, condition: str, position: int, value: str
) -> None:
    found = replayed(ledger, account, "--until", condition)
    assert (found["stopped"]["position"], found["stopped"]["value"]) == (position, value)
    assert all(event["position"] <= position for event in found["events"])


def test_where_a_replay_stopped_is_told_with_the_state_there(ledger: CommandLine) -> None:
    ended = ledger("replay", "alice", "--until", "cross.level < 1.8")
    assert ended.code == 0
    assert "stopped at #18 prices.marked, of 2026-01-15 12:04:00: cross.level is 1.79420579" in ended.out
    assert "equity 7950  margin_level 1.79420579" in ended.out
    assert "#19" not in ended.out


def test_a_condition_that_holds_at_the_first_point_stops_there(ledger: CommandLine) -> None:
    found = replayed(ledger, "alice", "--from", "18", "--until", "cross.level < 1.8")
    assert (found["events"], found["stopped"]["position"]) == ([], None)


def test_a_condition_that_never_holds_ends_with_1_and_says_how_it_stands(ledger: CommandLine) -> None:
    ended = ledger("replay", "alice", "--until", "cross.level < 1.3")
    assert ended.code == 1
    assert ended.err == "cross.level < 1.3 did not hold anywhere; at the end cross.level is 3.38522954\n"
    assert ledger("replay", "alice", "--to", "12", "--until", "cross.level < 99").code == 1, "no debt, no level"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cross.level", "is no condition; write it as WALLET.FIGURE"),
        ("cross.level << 1", "is no condition"),
        ("cross.level < 1 or 2", "is no condition"),
        ("level < 1", "'level' in 'level < 1' does not name a figure"),
        ("margin.level < 1", "'margin' in 'margin.level < 1' is no wallet"),
        ("isolated:BTC/BTC.level < 1", "is no wallet"),
        ("cross.depth < 1", "which has level, collateral_level, assets, debt, equity, band"),
        ("isolated:BTC/USDT.collateral_level < 1", "which has level, assets, debt, equity, band"),
        ("spot.level < 1", "spot has no 'level'"),
        ("cross.free < 1", "write cross.USDT.free"),
        ("cross.usdt.free < 1", "'usdt' in 'cross.usdt.free < 1' is no asset"),
        ("cross.USDT.level < 1", "which is free, locked, borrowed, interest, net"),
        ("isolated:BTC/USDT.ETH.free < 1", "holds BTC and USDT only"),
        ("cross.band < margin_call", "is compared with = or !="),
        ("cross.level < none", "is compared with = or !="),
        ("cross.band = awful", "is no band: normal, "),
        ("cross.level < 1e3", "plain notation"),
        ("cross.level < .5", "plain notation"),
        ("cross.equity = none", "plain notation"),
    ],
)
def test_a_condition_that_cannot_be_understood_is_refused_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_condition(text)
    assert why in refused.value.detail


def test_a_condition_on_what_was_never_listed_is_refused(ledger: CommandLine) -> None:
    for condition, why in [
        ("isolated:DOGE/USDT.level < 1.3", "unknown_pair: pair DOGE/USDT is not listed"),
        ("spot.DOGE.free > 1", "unknown_asset: asset DOGE is not listed"),
    ]:
        ended = ledger("replay", "alice", "--until", condition)
        assert ended.code == 1
        assert why in ended.err


def test_what_cannot_be_replayed_ends_with_2(ledger: CommandLine) -> None:
    for arguments, why in [
        (["--until", "cross.level"], "is no condition"),
        (["--from", "17", "--to", "13"], "nothing between"),
        (["--position", "13", "--to", "17"], "different ends"),
        (["--from", "soon"], "no time such as"),
        (["--effective"], "neither is given"),
        (["--effective", "--to", "17"], "17 is a position"),
        (["--effective-at", "2026-01-15T12:00:00Z", "--from", "13"], "13 is a position"),
        (["--effective", "--position", "13"], "orders events by business time"),
        (["--step"], "needs a terminal"),
        (["--step", "--json"], "one of the two"),
    ]:
        ended = ledger("replay", "alice", *arguments)
        assert (ended.code, ended.out) == (2, ""), arguments
        assert why in ended.err
    assert ledger("replay", "alice", "--from", "99").err == "the log ends at position 27, 99 is yet to come\n"


def test_steps_go_forth_and_back_at_a_key_with_the_state_before_and_after(two_traders: str) -> None:
    terminal = Terminal(two_traders, "replay", "alice", "--from", "13", "--until", "cross.level < 1.8", "--step")
    first = terminal.see("-- step 1;")
    assert "#14 version 5" in first
    assert (
        first.index("margin_level 2.00000000") < first.index("#14 version 5") < first.index("margin_level 1.99600000")
    )
    terminal.press("xp")
    terminal.see("-- this is the first step")
    terminal.press("n")
    assert "#17 version 6" in terminal.see("-- step 2;")
    terminal.press("p")
    assert "#14 version 5" in terminal.see("-- step 1;")
    terminal.press("\r")
    assert "#17 version 6" in terminal.see("-- step 2;")
    terminal.press("n")
    assert "stopped at #18 prices.marked" in terminal.see("-- that was the last step")
    assert terminal.end() == 0


def test_steps_are_left_at_a_key(two_traders: str) -> None:
    terminal = Terminal(two_traders, "replay", "bob", "--step")
    terminal.see("-- step 1;")
    terminal.press("q")
    assert terminal.end() == 0
