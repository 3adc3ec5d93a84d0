"""Two traders with the same trade: on isolated margin the loss stops at the bucket, the cross pool pays on."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from ledger.positions import Position
from tests.acceptance.telling import DAWN, Story, in_wallet

BUCKET = "isolated:BTC/USDT"
BUY: dict[str, Any] = {
    "type": "book_fill",
    "pair": "BTC/USDT",
    "side": "buy",
    "quantity": "1",
    "price": "50000",
    "fee": "0",
    "fee_asset": "USDT",
    "auto_borrow": True,
}


def begins(story: Story) -> None:
    """Both have 10,000 USDT and 10 ether, and buy a bitcoin for 50,000 with 40,000 borrowed."""
    story.does(None, type="fund_insurance", asset="USDT", amount="20000")
    story.marks(BTC="50000", ETH="2000")
    for name in ("alice", "bob"):
        story.trader(name, USDT="10000", ETH="10")
    story.does("alice", type="set_leverage", wallet="cross", leverage="5")
    story.does("alice", type="transfer", **{"from": "spot", "to": "cross"}, asset="USDT", amount="10000")
    story.does("alice", type="transfer", **{"from": "spot", "to": "cross"}, asset="ETH", amount="10")
    story.does("bob", type="set_margin_mode", pair="BTC/USDT", mode="isolated")
    story.does("bob", type="add_margin", pair="BTC/USDT", asset="USDT", amount="10000")
    for name in ("alice", "bob"):
        assert story.does(name, trade_id=f"T-{name}", **BUY) == ["loan.borrowed", "trade.booked"]


def test_the_isolated_loss_stops_at_the_bucket_and_the_cross_pool_pays_on(story: Story) -> None:
    begins(story)
    before = story.answer("bob")
    assert before["isolated"]["BTC/USDT"]["margin_level"] == "1.25000000"
    assert before["isolated"]["BTC/USDT"]["liquidation_price"] == "42000.00"

    story.at = DAWN + timedelta(hours=1)
    story.marks(BTC="30000", ETH="1500")
    # Bob's bucket: 30,000 against 40,000. Alice's pool: 45,000 against 40,000, at 1.125 below her call line of 1.16.
    assert story.does("bob", type="examine", wallet=BUCKET) == [
        "liquidation.started",
        "liquidation.filled",
        "deficit.covered",
        "liquidation.completed",
    ]
    assert story.does("alice", type="examine", wallet="cross") == ["margin.called"]
    bob = story.answer("bob")
    assert in_wallet(bob, BUCKET, "USDT") == in_wallet(bob, BUCKET, "BTC") == {}
    assert bob["spot"] == before["spot"]
    assert in_wallet(bob, "spot", "ETH") == {"free": "10"}

    story.at = DAWN + timedelta(hours=2)
    story.marks(BTC="25000", ETH="1400")
    # 25,000 and 14,000 of ether against 40,000: the ether is paid too, 1,000 are missing.
    topics = story.does("alice", type="examine", wallet="cross")
    assert topics.count("liquidation.filled") == 2
    alice = story.answer("alice")
    assert (
        in_wallet(alice, "cross", "ETH") == in_wallet(alice, "cross", "BTC") == in_wallet(alice, "cross", "USDT") == {}
    )
    # 20,000 funded, 10,000 paid for Bob and 1,000 for Alice.
    assert story.books()["USDT"]["books"]["insurance"] == "9000"


def test_where_the_price_recovers_both_have_the_same_profit(story: Story) -> None:
    begins(story)
    story.at = DAWN + timedelta(hours=1)
    story.marks(BTC="55000", ETH="2000")
    for name in ("alice", "bob"):
        sell = {**BUY, "side": "sell", "price": "55000", "auto_borrow": False, "auto_repay": True}
        assert story.does(name, trade_id=f"S-{name}", **sell) == ["trade.booked", "loan.repaid"]
    assert in_wallet(story.answer("alice"), "cross", "USDT")["free"] == "15000"
    assert in_wallet(story.answer("bob"), BUCKET, "USDT")["free"] == "15000"
    for name, wallet in (("alice", "cross"), ("bob", BUCKET)):
        assert story.ledger.account(name).wallets.wallet(wallet).positions["BTC/USDT"] == Position(
            realised_profit=Decimal(5000)
        )
