"""`ledger explain`: the story of a liquidation as it is printed, its JSON, and how it ends where a number is wrong."""

import json
from typing import Any

import pytest

from tests.api.command_line import CommandLine
from tests.projections.liquidated import (
    BUCKET,
    long_in_the_pool,
    named,
    opened_exchange,
    position_of,
    short_in_a_bucket,
    tamper,
)


def tell(database: str) -> dict[str, Any]:
    """Alice is called and liquidated, Bob's short is liquidated in its bucket."""
    with opened_exchange(database) as exchange:
        long_in_the_pool(exchange, "alice")
        short_in_a_bucket(exchange, "bob")
        exchange.mark("11:30:00", BTC="42000")
        called = exchange.examine("alice")
        vector = exchange.mark("12:40:00", BTC="36000")
        liquidated = exchange.examine("alice")
        exchange.mark("13:00:00", BTC="58000")
        short = exchange.examine("bob", BUCKET)
    return {
        "call": named(called, "margin.called"),
        "id": named(liquidated),
        "vector": vector,
        "start": position_of(liquidated, "liquidation.started"),
        "end": liquidated.position,
        "short": named(short),
    }


@pytest.fixture(scope="module")
def places(module_database: str) -> dict[str, Any]:
    return {**tell(module_database), "url": module_database}


@pytest.fixture
def ledger(command_line: CommandLine, places: dict[str, Any]) -> CommandLine:
    command_line.use(places["url"])
    return command_line


def test_explain_tells_a_sentence_first_and_then_the_story(ledger: CommandLine, places: dict[str, Any]) -> None:
    ended = ledger("explain", places["id"])
    first, second = ended.out.splitlines()[:2]
    assert ended.code == 0
    crossed = f"when BTC/USDT fell to 36,000 (position {places['vector']})"
    assert first.startswith("Account alice's cross pool fell to 1.0799892 at 2026-01-15T12:40:00Z")
    assert f"at or below its line 1.1, {crossed}" in first
    assert second.startswith("Every number agrees: ")
    shown = [line.split() for line in ended.out.splitlines()]
    at = ["2026-01-15", "12:40:00"]
    path = [f"#{places['vector']}", *at, "BTC/USDT", "42000", "->", "36000", "21600", "20000.2", "1.07998920", "1.1"]
    assert [*path, "liquidation", "<-", "crossed", "the", "line"] in shown
    assert ["sold", "BTC", "0.55556667", "20000.40012"] in shown
    assert ["left", "BTC", "0.03332199", "1199.59164"] in shown
    assert ["BTC/USDT", "36000", *at, "3", f"#{places['vector']}", "yes"] in shown
    assert "E-" not in ended.out
    assert "decided again gives the same bytes" in ended.out


def test_explain_takes_a_call_a_position_and_a_bucket(ledger: CommandLine, places: dict[str, Any]) -> None:
    assert "at or below its call line 1.3" in ledger("explain", places["call"]).out
    assert ledger("explain", str(places["end"])).out == ledger("explain", places["id"]).out
    assert "isolated bucket BTC/USDT fell to" in ledger("explain", places["short"]).out


def test_explain_as_json_is_the_answer_of_the_question(ledger: CommandLine, places: dict[str, Any]) -> None:
    found = json.loads(ledger("explain", places["id"], "--json", "--over", "2h").out)
    assert (found["liquidation_id"], found["agrees"], found["path"]["over_seconds"]) == (places["id"], True, 7200)
    running = json.loads(ledger("explain", places["id"], "--json", "--position", places["start"]).out)
    assert (running["status"], running["position"]) == ("running", places["start"])


def test_explain_ends_with_1_and_names_what_does_not_agree(ledger: CommandLine, database: str) -> None:
    places = tell(database)
    tamper(database, places["start"], '"level":"1.07997840"', '"level":"1.09997840"')
    ledger.use(database)
    ended = ledger("explain", places["id"])
    assert ended.code == 1
    assert "OF" in ended.out.splitlines()[1]
    assert "NUMBERS DO NOT AGREE" in ended.out.splitlines()[1]
    wrong = f"does not agree: level at position {places['start']}: 1.09997840 is stated, 1.07997840 is what it comes to"
    assert wrong in ended.err
    tamper(database, places["start"], '"debt":"20000.4', '"debt":"twenty')
    unreadable = ledger("explain", places["id"])
    assert (unreadable.code, unreadable.out) == (1, "")
    said = f"event_unreadable: event {places['start']} cannot be read: its bytes are no liquidation.started (debt: "
    assert unreadable.err.startswith(said)
    assert "pydantic" not in unreadable.err


def test_explain_refuses_what_it_cannot_understand_or_find(ledger: CommandLine, places: dict[str, Any]) -> None:
    for arguments, code, why in [
        (["alice"], 2, "'alice' is neither ACCOUNT.VERSION, such as alice.8, nor a position"),
        (["alice.99"], 1, "it has no version 99"),
        (["1"], 1, "the event at position 1 is asset.listed of @exchange"),
        (["999999"], 1, "lies beyond what was known"),
        ([places["id"], "--over", "soon"], 2, "'soon' is no time such as 30m, 1h or 2d"),
        ([places["id"], "--position", "5"], 1, "up to position 5"),
        ([places["id"], "--position", "5", "--recorded-at", "2026-01-01"], 2, "give one of them"),
    ]:
        ended = ledger("explain", *arguments)
        assert (ended.code, ended.out) == (code, ""), arguments
        assert why in ended.err
