"""A withdrawal in two phases, with a freeze between them."""

from tests.acceptance.telling import Story, in_wallet


def test_a_withdrawal_requested_before_a_freeze_is_settled_during_it(story: Story) -> None:
    story.trader("alice", USDT="100")
    story.does("alice", type="request_withdrawal", withdrawal_id="W1", asset="USDT", amount="60")
    story.does("alice", type="request_withdrawal", withdrawal_id="W2", asset="USDT", amount="30")
    assert in_wallet(story.answer("alice"), "spot", "USDT") == {"free": "10", "locked": "90"}

    story.does("alice", type="freeze_account", blocks=["withdraw", "transfer"])
    said = story.is_refused(
        "alice", "account_frozen", type="request_withdrawal", withdrawal_id="W3", asset="USDT", amount="1"
    )
    assert "withdraw" in said
    story.does("alice", type="settle_withdrawal", withdrawal_id="W1", reference="0xabc")
    story.does("alice", type="cancel_withdrawal", withdrawal_id="W2")
    story.is_refused("alice", "withdrawal_not_pending", type="cancel_withdrawal", withdrawal_id="W1")
    there = story.answer("alice")
    assert (there["status"], sorted(there["blocks"])) == ("frozen", ["transfer", "withdraw"])
    assert in_wallet(there, "spot", "USDT") == {"free": "40"}

    story.does("alice", type="deposit", asset="USDT", amount="5")
    story.is_refused("alice", "account_not_empty", type="close_account")
    story.does("alice", type="unfreeze_account")
    story.does("alice", type="request_withdrawal", withdrawal_id="W3", asset="USDT", amount="45")
    story.is_refused("alice", "account_not_empty", type="close_account")
    story.does("alice", type="settle_withdrawal", withdrawal_id="W3")
    story.does("alice", type="close_account")
    story.is_refused("alice", "account_closed", type="deposit", asset="USDT", amount="1")
