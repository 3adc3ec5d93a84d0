"""Liquidations and margin calls are explained from the log alone; numbers worked by hand."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ledger.errors import Malformed, Unknown, UnknownLiquidation
from ledger.log import read_stream
from ledger.postgres import connect
from ledger.snapshots import Snapshot, accounts_at, keep
from projections.questions.explanation_case import case_at
from projections.runner import catch_up
from tests.projections.liquidated import (
    BUCKET,
    Exchange,
    explained,
    fill,
    long_in_the_pool,
    named,
    opened_exchange,
    position_of,
    short_in_a_bucket,
    wrong,
)


@pytest.fixture
def exchange(database: str) -> Iterator[Exchange]:
    with opened_exchange(database) as exchange:
        yield exchange


def test_a_cross_liquidation_tells_in_a_sentence_what_led_to_it_and_what_became_of_it(
    exchange: Exchange, database: str
) -> None:
    """0.6 BTC at 36,000 is 21,600 against 20,000 and two hours of 0.2: 1.0799784, and 1.13997720 just before."""
    long_in_the_pool(exchange, "alice")
    exchange.mark("12:30:00", BTC="38000")
    exchange.examine("alice")
    vector = exchange.mark("12:40:00", BTC="36000", ETH="1900")
    found = explained(database, named(exchange.examine("alice")))
    crossed = f"when BTC/USDT fell to 36,000 (position {vector})."
    assert found["sentence"] == (
        f"Account alice's cross pool fell to 1.0799784 at 2026-01-15T12:40:00Z, at or below its line 1.1, {crossed} "
        f"It was liquidated by the house at level 1.0799784 (position {vector + 1}), which sold 0.55556667 BTC, "
        "repaid 20,000.4 USDT, charged 0.01111134 BTC; it left 0.03332199 BTC."
    )
    assert (found["agrees"], found["disagreements"], wrong(found)) == (True, 0, [])
    assert (found["line"], found["crossing"]["position"]) == (
        {"name": "liquidation", "level": "1.1", "tier": None},
        vector,
    )
    levels = [(step["topic"], step["level"]) for step in found["path"]["steps"]]
    assert levels == [
        ("prices.marked", "1.13998860"),
        ("interest.accrued", "1.13997720"),
        ("prices.marked", "1.07997840"),
    ]
    assert found["path"]["start"]["level"] == "1.49998500"


def test_an_explanation_states_the_wallet_before_its_last_events_and_the_vector_of_each_price(
    exchange: Exchange, database: str
) -> None:
    long_in_the_pool(exchange, "alice")
    early = exchange.mark("12:30:00", ETH="1900")
    late = exchange.mark("12:40:00", BTC="36000")
    found = explained(database, named(exchange.examine("alice")))
    before = found["before"]
    assert (before["assets"]["BTC"]["net"], before["assets"]["USDT"]["net"]) == ("0.6", "-20000.4")
    assert (before["total_assets"], before["total_debt"], before["max_leverage"]) == ("21600", "20000.4", "3")
    assert [event["topic"] for event in found["last_events"]] == [
        *("funds.transferred", "loan.borrowed", "interest.accrued", "trade.booked", "interest.accrued")
    ]
    placed = {pair: (price["position"], price["values_the_wallet"]) for pair, price in found["prices"].items()}
    assert placed == {"BTC/USDT": (late, True), "ETH/USDT": (early, False)}


def test_what_was_sold_repaid_charged_covered_and_left_has_values_and_adds_up(
    exchange: Exchange, database: str
) -> None:
    """0.55556667 BTC is 20,000.40012, 0.00012 more than was owed; 2 % of 20,000.4 is 400.008."""
    long_in_the_pool(exchange, "alice")
    exchange.mark("12:40:00", BTC="36000")
    outcome = explained(database, named(exchange.examine("alice")))["outcome"]
    assert outcome["sold"] == {"BTC": {"amount": "0.55556667", "value": "20000.40012"}}
    assert outcome["repaid"] == {"USDT": {"amount": "20000.4", "value": "20000.4"}}
    assert outcome["repaid_interest"] == {"USDT": {"amount": "0.4", "value": "0.4"}}
    assert outcome["charged"]["fee"] == {"BTC": {"amount": "0.01111134", "value": "400.00824"}}
    assert outcome["left"] == {"BTC": {"amount": "0.03332199", "value": "1199.59164"}}
    assert (outcome["covered"], outcome["owed"], outcome["lost_to_rounding"]) == ({}, {}, "0.00012")


def test_an_isolated_liquidation_is_of_its_bucket_and_its_decision_charged_interest_first(
    exchange: Exchange, database: str
) -> None:
    """0.1 BTC and three hours of 0.00001 at 58,000 are 5,801.74 against 6,000 USDT: 1.0341725."""
    short_in_a_bucket(exchange, "bob")
    vector = exchange.mark("13:00:00", BTC="58000")
    examined = exchange.examine("bob", BUCKET)
    found = explained(database, named(examined))
    start = (
        "Account bob's isolated bucket BTC/USDT fell to 1.03437932 at 2026-01-15T13:00:00Z, at or below its line 1.05"
    )
    assert found["sentence"].startswith(f"{start}, when BTC/USDT rose to 58,000 (position {vector}).")
    assert (found["started"]["level"], found["line"]["tier"]) == ("1.03417250", 1)
    topics = [step["topic"] for step in found["steps"]]
    assert topics == [
        *("interest.accrued", "liquidation.started", "liquidation.filled", "liquidation.completed"),
    ]
    (decision,) = found["decisions"]
    assert decision == {
        "position": vector + 1,
        "command": "examine",
        "known_by": "its events",
        "events": 4,
        "agrees": True,
    }
    assert found["agrees"]


@pytest.mark.parametrize("is_projected", [False, True])
def test_a_deficit_beyond_the_fund_is_told_as_uncovered_with_or_without_projections(
    exchange: Exchange, database: str, is_projected: bool
) -> None:
    """0.6 BTC at 30,000 pays 18,000 of 20,000.4 USDT; the fund holds 500 of the 2,000.4 that are missing."""
    exchange.send({"type": "fund_insurance", "asset": "USDT", "amount": "500", "idempotency_key": "f"}, at="10:30:00")
    long_in_the_pool(exchange, "alice")
    long_in_the_pool(exchange, "carol")
    exchange.mark("12:40:00", BTC="30000")
    first, second = exchange.examine("alice"), exchange.examine("carol")
    if is_projected:
        catch_up(database)
    fund = explained(database, named(first))["insurance"]
    assert (fund["before"], fund["after"], fund["uncovered"]) == ({"USDT": "500"}, {"USDT": "-1500.4"}, "1500.4")
    (step,) = fund["steps"]
    assert step["position"] == position_of(first, "deficit.covered")
    assert step["assets"] == {"USDT": {"change": "-2000.4", "balance": "-1500.4"}}
    found = explained(database, named(second))
    assert (found["insurance"]["before"], found["insurance"]["uncovered"]) == ({"USDT": "-1500.4"}, "2000.4")
    assert "covered 2,000.4 USDT by the insurance fund, of which 2,000.4 could not be paid" in found["sentence"]
    assert (found["agrees"], found["outcome"]["left"]) == (True, {})


def test_a_margin_call_is_explained_by_its_own_line(exchange: Exchange, database: str) -> None:
    long_in_the_pool(exchange, "alice")
    vector = exchange.mark("11:30:00", BTC="42000")
    examined = exchange.examine("alice")
    found = explained(database, named(examined, "margin.called"))
    assert found["sentence"] == (
        "Account alice's cross pool fell to 1.2599874 at 2026-01-15T11:30:00Z, at or below its call line 1.3, when "
        f"BTC/USDT fell to 42,000 (position {vector}). It was called at level 1.2599874 (position {vector + 1})."
    )
    assert (found["kind"], found["agrees"], "outcome" in found) == ("margin_call", True, False)
    assert found["decisions"][0]["command"] == "examine"


def test_an_external_execution_is_explained_with_its_fills_and_as_of_before_its_end(
    exchange: Exchange, database: str
) -> None:
    """0.1 BTC is bought back at 57,000 after the price came back to it; the house takes its fee of what was repaid."""
    short_in_a_bucket(exchange, "bob")
    exchange.mark("11:30:00", BTC="58000")
    liquidate = {"type": "liquidate", "account_id": "bob", "wallet": BUCKET, "execution": "external"}
    (began,) = exchange.send({**liquidate, "idempotency_key": "l1"}, at="11:30:00")
    name = named(began)
    exchange.mark("11:40:00", BTC="57000", ETH="2100")
    bought = fill("bob", "buy", "0.10001", "57000", "t-2", liquidation_id=name, auto_repay=True)
    (filled,) = exchange.send(bought, at="11:41:00")
    complete = {"type": "complete_liquidation", "account_id": "bob", "liquidation_id": name, "idempotency_key": "c1"}
    exchange.send(complete, at="11:42:00")
    found = explained(database, name)
    assert [step["topic"] for step in found["steps"]] == [
        *("liquidation.started", "trade.booked", "loan.repaid", "liquidation.completed"),
    ]
    told = [(one["command"], one["known_by"], one["agrees"]) for one in found["decisions"]]
    assert told == [
        (command, "its idempotency key", True) for command in ("liquidate", "book_fill", "complete_liquidation")
    ]
    assert found["outcome"]["sold"] == {"USDT": {"amount": "5700.57", "value": "5700.57"}}
    assert found["outcome"]["repaid"] == {"BTC": {"amount": "0.10001", "value": "5700.57"}}
    assert (found["status"], found["execution"], wrong(found)) == ("completed", "external", [])
    running = explained(database, name, known=filled.position)
    assert (running["status"], running["outcome"]["left"], running["agrees"]) == (
        "running",
        {"USDT": {"amount": "299.43", "value": "299.43"}},
        True,
    )
    assert "which is running: so far it sold 5,700.57 USDT" in running["sentence"]


def test_a_level_that_an_event_moved_over_the_line_names_the_event(exchange: Exchange, database: str) -> None:
    """At 36,667.2 the pool is at 22,000.32 / 20,000.2, above 1.1; the interest of an hour takes it below."""
    long_in_the_pool(exchange, "alice")
    exchange.mark("11:59:00", BTC="36667.2")
    exchange.mark("12:00:00", BTC="36667.2")
    examined = exchange.examine("alice")
    found = explained(database, named(examined))
    assert found["crossing"]["topic"] == "interest.accrued"
    charged = position_of(examined, "interest.accrued")
    assert f"at or below its line 1.1, when interest was charged (position {charged})." in found["sentence"]
    assert found["agrees"]


def test_the_path_shows_the_last_steps_and_says_how_many_it_leaves_out(exchange: Exchange, database: str) -> None:
    long_in_the_pool(exchange, "alice")
    for minute in range(10, 40):
        exchange.mark(f"12:{minute}:00", BTC=str(50_000 - 100 * minute))
    exchange.mark("12:40:00", BTC="36000")
    name = named(exchange.examine("alice"))
    path = explained(database, name, steps=5)["path"]
    assert (len(path["steps"]), path["count"], path["left_out"]) == (5, 32, 27)
    assert path["note"] == "the first 27 of 32 steps are left out; ask for more of them, or over less time"
    short = explained(database, name, over=timedelta(minutes=5))["path"]
    assert [step["effective_at"].minute for step in short["steps"]] == [36, 37, 38, 39, 40, 40]
    assert (short["left_out"], short["note"], short["start"]["effective_at"].minute) == (0, None, 35)


def test_a_line_that_was_crossed_before_the_time_told_is_still_found(exchange: Exchange, database: str) -> None:
    long_in_the_pool(exchange, "alice")
    vector = exchange.mark("12:10:00", BTC="36000")
    exchange.mark("14:30:00", BTC="35900")
    found = explained(database, named(exchange.examine("alice")), over=timedelta(minutes=5))
    assert found["crossing"]["position"] == vector
    assert vector not in [step["position"] for step in found["path"]["steps"]]


def test_an_account_that_is_too_long_to_fold_in_one_answer_is_refused_unless_its_snapshot_is_near(
    exchange: Exchange, database: str
) -> None:
    """Six events lie before the hour that is told."""
    long_in_the_pool(exchange, "alice")
    exchange.mark("11:30:00", BTC="49000")
    exchange.mark("12:40:00", BTC="36000")
    name = named(exchange.examine("alice"))
    assert explained(database, name, most_folded=6)["agrees"]
    with pytest.raises(
        Malformed, match=r"6 events of account alice are to be folded .* `ledger explain` folds them all"
    ):
        explained(database, name, most_folded=5)
    with connect(database) as connection:
        last = read_stream(connection, "alice", limit=4)[-1]
        account = accounts_at(connection, ["alice"], last.position)["alice"]
        keep(connection, [Snapshot("alice", 4, last.position, last.event, account)])
    found = explained(database, name, most_folded=2)
    assert (found["agrees"], found["path"]["start"]["level"]) == (True, "1.46998530")


def test_any_event_of_a_liquidation_leads_to_it_and_others_are_refused(exchange: Exchange, database: str) -> None:
    long_in_the_pool(exchange, "alice")
    vector = exchange.mark("12:40:00", BTC="36000")
    examined = exchange.examine("alice")
    end = examined.position
    with connect(database) as connection:
        for topic in ("liquidation.started", "liquidation.filled", "liquidation.completed"):
            assert case_at(connection, position_of(examined, topic), end).event.version == int(named(examined)[6:])
        with pytest.raises(Unknown, match=r"is prices\.marked of @prices"):
            case_at(connection, vector, end)
        with pytest.raises(Unknown, match="lies beyond what was known, up to position"):
            case_at(connection, end + 1, end)
    with pytest.raises(UnknownLiquidation, match=r"version 4 is loan\.borrowed"):
        explained(database, "alice.4")
