"""A margin call and its rescue, an uncovered deficit, and interest over a day."""

from datetime import timedelta
from typing import Any

from tests.acceptance.telling import DAWN, Story, in_wallet

BUCKET = "isolated:BTC/USDT"


def fill(side: str, price: str, **fields: Any) -> dict[str, Any]:
    terms = {"type": "book_fill", "pair": "BTC/USDT", "side": side, "quantity": "1", "price": price}
    return {**terms, "fee": "0", "fee_asset": "USDT", **fields}


def long_in_a_bucket(story: Story) -> None:
    """A bitcoin bought for 50,000, of which 40,000 are borrowed; 5,000 are left in spot."""
    story.marks(BTC="50000")
    story.trader("alice", USDT="15000")
    story.does("alice", type="set_margin_mode", pair="BTC/USDT", mode="isolated")
    story.does("alice", type="add_margin", pair="BTC/USDT", asset="USDT", amount="10000")
    story.does("alice", **fill("buy", "50000", trade_id="T1", auto_borrow=True))


def test_a_margin_call_is_answered_by_added_margin(story: Story) -> None:
    long_in_a_bucket(story)
    story.at = DAWN + timedelta(hours=1)
    story.marks(BTC="43600")
    # 43,600 / 40,000 is 1.09, the call line.
    assert story.does("alice", type="examine", wallet=BUCKET) == ["margin.called"]
    assert story.answer("alice")["isolated"]["BTC/USDT"]["band"] == "margin_call"
    story.is_refused("alice", "nothing_to_do", type="examine", wallet=BUCKET)
    said = story.is_refused(
        "alice", "insufficient_funds", type="add_margin", pair="BTC/USDT", asset="USDT", amount="6000"
    )
    assert "5000 USDT" in said
    story.does("alice", type="add_margin", pair="BTC/USDT", asset="USDT", amount="5000")
    there = story.answer("alice")["isolated"]["BTC/USDT"]
    figures = (there["margin_level"], there["band"], there["liquidation_price"])
    assert figures == ("1.21500000", "transfer_blocked", "37000.00")

    story.at = DAWN + timedelta(hours=2)
    story.marks(BTC="52000")
    assert story.does("alice", **fill("sell", "52000", trade_id="T2", auto_repay=True)) == [
        "trade.booked",
        "loan.repaid",
    ]
    story.does("alice", type="remove_margin", pair="BTC/USDT", asset="USDT", amount="17000")
    story.does("alice", type="set_margin_mode", pair="BTC/USDT", mode="cross")
    assert in_wallet(story.answer("alice"), "spot", "USDT") == {"free": "17000"}


def test_a_deficit_that_nobody_funded_is_shown_and_not_hidden(story: Story) -> None:
    long_in_a_bucket(story)
    story.at = DAWN + timedelta(hours=1)
    story.marks(BTC="35000")
    assert "deficit.covered" in story.does("alice", type="liquidate", wallet=BUCKET)
    assert story.books()["USDT"]["books"]["insurance"] == "-5000"
    # What is in the book does not count, only what was funded and not yet withdrawn.
    story.is_refused(None, "insufficient_insurance", type="withdraw_insurance", asset="USDT", amount="1")
    story.does(None, type="fund_insurance", asset="USDT", amount="5000")
    assert story.books()["USDT"]["books"].get("insurance", "0") == "0"
    assert in_wallet(story.answer("alice"), "spot", "USDT") == {"free": "5000"}


def test_a_day_of_interest_with_a_change_of_its_rate(story: Story) -> None:
    story.marks(BTC="50000")
    story.does(None, type="set_interest_rate", asset="USDT", daily_rate="0.024")
    story.trader("alice", USDT="24864")
    story.does("alice", type="transfer", **{"from": "spot", "to": "cross"}, asset="USDT", amount="24864")
    # The hour of the borrow costs 24,000 x 0.024 / 24 at once.
    assert story.does("alice", type="borrow", wallet="cross", asset="USDT", amount="24000") == [
        "loan.borrowed",
        "interest.accrued",
    ]
    assert in_wallet(story.answer("alice"), "cross", "USDT")["interest"] == "24"
    story.at = DAWN + timedelta(hours=11, minutes=30)
    story.does(None, type="set_interest_rate", asset="USDT", daily_rate="0.048")
    story.at = DAWN + timedelta(hours=23)
    hour = story.at.isoformat()
    assert story.does("alice", type="accrue_interest", hour=hour) == ["interest.accrued"]
    story.is_refused("alice", "nothing_to_do", type="accrue_interest", hour=hour)
    # Twelve hours of 24, and from 12:00 on twelve of 48.
    assert in_wallet(story.answer("alice"), "cross", "USDT")["interest"] == "864"
    story.is_refused("alice", "repayment_exceeds_debt", type="repay", wallet="cross", asset="USDT", amount="24864.01")
    story.does("alice", type="repay", wallet="cross", asset="USDT", amount="all")
    assert in_wallet(story.answer("alice"), "cross", "USDT") == {"free": "24000", "net": "24000"}
    assert story.books()["USDT"]["books"]["interest_income"] == "864"
