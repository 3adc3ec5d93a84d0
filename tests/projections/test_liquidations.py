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
    uncovered_total,
)
from projections.questions.account_state import account_at
from projections.questions.liquidations import liquidation_answer, liquidations_answer, overdue_now
from projections.questions.wallets import running_at
from tests.ledger.given import NOON, happened
from tests.ledger.happenings import marked, risk_limits, tier, traded
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
    assert deficit == {
        **terms,
        "position": before - 1,
        "value": 10000,
        "uncovered": 6000,
        "uncovered_so_far": 6000,
    }


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


TWO_ROWS = (tier("3", "1.5", "1.3", "1.1"), tier("5", "1.25", "1.16", "1.1"))


def test_an_execution_beyond_its_time_limit_is_overdue_by_the_newest_prices_time(story: Story) -> None:
    """Bob's bucket is to be executed within 60 seconds; at the 61st it is overdue, and no more once it is completed."""
    row = tier("10", "1.111", "1.09", "1.05")
    story.on_exchange(risk_limits("BTC/USDT", row, execution_time_limit_seconds=60))
    short_of_the_worked_numbers(story)
    story.on_exchange(marked(BTC="57500"), at=NOON + MINUTE)
    story.when("bob", NOON + MINUTE, type="liquidate", wallet="isolated:BTC/USDT", execution="external")
    in_time = story.position
    story.on_exchange(marked(BTC="57500"), at=NOON + MINUTE + timedelta(seconds=60))
    on_the_second = story.position
    story.on_exchange(marked(BTC="57500"), at=NOON + MINUTE + timedelta(seconds=61))
    late = story.position
    with story.projected() as connection:
        assert overdue_now(connection, late) == 1
        for position, is_overdue in ((in_time, False), (on_the_second, False), (late, True)):
            (listed,) = liquidations_answer(connection, position)
            assert (listed["overdue"], listed["execute_by"]) == (is_overdue, NOON + 2 * MINUTE)
            found = liquidations_answer(connection, position, overdue_only=True)
            assert [one["liquidation_id"] for one in found] == ["bob.7"] * is_overdue
        (before,) = liquidations_answer(connection, late, effective_at=NOON + MINUTE)
        assert not before["overdue"], "nor was it then"
    story.when("bob", NOON + 3 * MINUTE, type="complete_liquidation", liquidation_id="bob.7")
    with story.projected() as connection:
        one = liquidation_answer(connection, story.position, "bob.7")
        assert one is not None
        assert (one["overdue"], overdue_now(connection, story.position)) == (False, 0)


def test_a_liquidation_that_leaves_debts_states_them_and_covers_nothing(story: Story) -> None:
    """Dan's pool of the crash, at 43,000 against 40,000 and a target of 1.3, goes on with what it still owes."""
    story.on_exchange(risk_limits("cross", *TWO_ROWS, liquidation_target="1.3"))
    crash_with_deficit(story, price="43000")
    with story.projected() as connection:
        (found,) = liquidations(connection, story.position)
        account = account_at(connection, story.position, "dan")
        assert uncovered_total(connection, story.position) == 0
    assert account is not None
    assert (found["status"], found["deficit_value"], found["completed"]["level"]) == ("completed", 0, "1.30000000")
    owed = {asset: debt.owed for asset, debt in account.wallets.cross.debts.items()}
    assert {asset: Decimal(amount) for asset, amount in found["completed"]["owed"].items()} == owed


def test_what_is_left_uncovered_is_summed_up_along_the_log(story: Story) -> None:
    """Two equal crashes: the fund pays 4,000 of the first 10,000; 4,000 more do not fill it up, and it pays nothing."""
    crash_with_deficit(story)
    first = story.position
    crash_with_deficit(story, account_id="eva")
    with story.projected() as connection:
        deficits = uncovered_deficits(connection, story.position)
        assert [(one["account_id"], one["uncovered"], one["uncovered_so_far"]) for one in deficits] == [
            ("dan", 6000, 6000),
            ("eva", 10000, 16000),
        ]
        assert uncovered_deficits(connection, story.position, after=deficits[0]["position"]) == deficits[1:]
        assert [uncovered_total(connection, point) for point in (first, story.position)] == [6000, 16000]
        assert insurance(connection, story.position) == {"USDT": -12000}


def test_margin_calls_are_listed_by_account_and_wallet(story: Story) -> None:
    crash_with_deficit(story)
    with story.projected() as connection:
        (call,) = margin_calls(connection, story.position, account_id="dan")
        assert margin_calls(connection, story.position, wallet="isolated:BTC/USDT") == []
        assert margin_calls(connection, call["position"] - 1) == []
    assert (call["level"], call["threshold"], call["assets"], call["debt"]) == ("1.2", Decimal("1.3"), 1200, 1000)
    assert call["effective_at"] == NOON + timedelta(minutes=1)
