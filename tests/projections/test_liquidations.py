"""Liquidations are explained step by step, margin calls are listed, and what the fund could not pay is shown."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger import events as e
from projections.liquidations.queries import (
    insurance,
    liquidation,
    liquidations,
    margin_calls,
    uncovered_deficits,
)
from projections.questions.wallets import running_at
from tests.ledger.given import NOON, happened
from tests.ledger.happenings import marked, traded
from tests.projections.stories import MINUTE, crash_with_deficit, exchange_opens, short_of_the_worked_numbers
from tests.projections.story import Story


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    return story


@pytest.mark.parametrize("batch_size", [1, 1000])
def test_a_liquidation_tells_its_start_steps_deficit_and_end(story: Story, batch_size: int) -> None:
    """1 BTC at 30,000 pays 30,000 of 40,000; the fund is asked for 10,000 and holds 4,000."""
    crash_with_deficit(story)
    with story.projected(batch_size) as connection:
        found = liquidation(connection, story.position, "dan.7")
    assert found is not None
    assert (found["status"], found["execution"], found["wallet"]) == ("completed", "house", "cross")
    assert found["started"]["level"] == "0.75000000"
    assert found["started"]["prices"]["BTC/USDT"]["price"] == "30000"
    steps = [(step["topic"], step["value"], step["uncovered"]) for step in found["steps"]]
    assert steps == [("liquidation.filled", 0, 0), ("deficit.covered", 10000, 6000)]
    assert Decimal(found["completed"]["repaid"]["USDT"]) == 30000
    assert (found["deficit_value"], found["uncovered_deficit"]) == (10000, 6000)


def test_the_fund_below_zero_is_the_uncovered_deficit_reported_in_log_order(story: Story) -> None:
    crash_with_deficit(story)
    before = story.position
    story.on_exchange(happened(e.InsuranceFunded, asset="USDT", amount="7000"))
    with story.projected() as connection:
        assert insurance(connection, before) == {"USDT": -6000}
        assert insurance(connection, story.position) == {"USDT": 1000}
        assert insurance(connection, 9) == {}
        (deficit,) = uncovered_deficits(connection, story.position)
    terms = {"liquidation_id": "dan.7", "account_id": "dan", "wallet": "cross", "asset": "USDT"}
    assert deficit == {**terms, "position": before - 1, "value": 10000, "uncovered": 6000}


def test_as_of_a_position_within_it_a_liquidation_is_still_running(story: Story) -> None:
    crash_with_deficit(story)
    end = story.position
    with story.projected() as connection:
        found = liquidation(connection, end - 1, "dan.7")
        assert found is not None
        assert (found["status"], found["completed"], len(found["steps"])) == ("running", None, 2)
        assert list(running_at(connection, end - 1, "dan")) == ["cross"]
        assert running_at(connection, end, "dan") == {}
        assert liquidation(connection, end - 4, "dan.7") is None


def test_the_fills_of_an_external_execution_are_steps_of_the_liquidation(story: Story) -> None:
    """Bob's short is at 6,000 / 5,750 at 57,500, below 1.05; 0.1 BTC is bought at 57,000 and repaid."""
    short_of_the_worked_numbers(story)
    story.on_exchange(marked(BTC="57500"), at=NOON + MINUTE)
    bucket = "isolated:BTC/USDT"
    story.when("bob", NOON + MINUTE, type="liquidate", wallet=bucket, execution="external")
    with story.projected() as connection:
        assert list(running_at(connection, story.position, "bob")) == [bucket]
    story.of("bob", traded("buy", "0.1", "57000", wallet=bucket, liquidation_id="bob.7"), at=NOON + MINUTE)
    story.of("bob", happened(e.LoanRepaid, wallet=bucket, asset="BTC", interest="0", principal="0.1"))
    story.when("bob", NOON + MINUTE, type="complete_liquidation", liquidation_id="bob.7")
    with story.projected() as connection:
        found = liquidation(connection, story.position, "bob.7")
        (listed,) = liquidations(connection, story.position, status="completed")
        assert liquidations(connection, story.position, status="running") == []
        assert liquidations(connection, story.position, account_id="alice") == []
    assert found is not None
    assert [step["topic"] for step in found["steps"]] == ["trade.booked", "loan.repaid"]
    assert (found["status"], found["uncovered_deficit"], listed["liquidation_id"]) == ("completed", 0, "bob.7")


def test_margin_calls_are_listed_by_account_and_wallet(story: Story) -> None:
    crash_with_deficit(story)
    with story.projected() as connection:
        (call,) = margin_calls(connection, story.position, account_id="dan")
        assert margin_calls(connection, story.position, wallet="isolated:BTC/USDT") == []
        assert margin_calls(connection, call["position"] - 1) == []
    assert (call["level"], call["threshold"], call["assets"], call["debt"]) == ("1.2", Decimal("1.3"), 1200, 1000)
    assert call["effective_at"] == NOON + timedelta(minutes=1)
