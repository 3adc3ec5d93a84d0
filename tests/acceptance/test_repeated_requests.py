"""A request that was killed and is repeated counts once, also where nobody knows whether it was answered."""

import subprocess
import sys

import pytest

from ledger import Recorded, Refused, parse_command
from tests.acceptance.depositing import deposits
from tests.acceptance.telling import Story, in_wallet

COUNT = 400


@pytest.mark.parametrize("answered", [1, 37])
def test_requests_killed_in_the_middle_and_repeated_are_booked_once(story: Story, answered: int) -> None:
    story.trader("alice")
    arguments = [sys.executable, "-m", "tests.acceptance.depositing", story.url, str(COUNT)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(answered)]
        process.kill()
    assert acknowledged[-1] == f"D{answered - 1}"

    commands = [parse_command(content) for content in deposits(COUNT)]
    outcomes = story.ledger.submit(commands, actor="bank")
    recorded = [outcome for outcome in outcomes if isinstance(outcome, Recorded)]
    assert len(recorded) == COUNT
    replayed = [outcome for outcome in recorded if outcome.replayed]
    assert answered <= len(replayed) < COUNT
    assert story.ledger.submit(commands, actor="bank") == [outcome._replace(replayed=True) for outcome in recorded]
    assert in_wallet(story.answer("alice"), "spot", "USDT") == {"free": str(COUNT)}


def test_a_key_used_with_other_content_is_refused_and_the_field_is_named(story: Story) -> None:
    story.trader("alice", USDT="5")
    content = {"type": "deposit", "account_id": "alice", "asset": "USDT", "amount": "1", "idempotency_key": "K"}
    first = story.send(content)
    assert isinstance(first, Recorded)
    assert story.send({**content, "amount": "1"}) == first._replace(replayed=True)
    other = story.send({**content, "amount": "2"})
    assert isinstance(other, Refused)
    assert other.refusal.code == "idempotency_key_reused"
    assert "amount" in other.refusal.detail


def test_a_refused_command_does_not_use_up_its_key(story: Story) -> None:
    story.trader("alice", USDT="5")
    content = {
        "type": "request_withdrawal",
        "account_id": "alice",
        "asset": "USDT",
        "amount": "7",
        "withdrawal_id": "W1",
    }
    assert isinstance(story.send(content), Refused)
    story.does("alice", type="deposit", asset="USDT", amount="2")
    assert isinstance(story.send(content), Recorded)


def test_one_trade_and_one_deposit_are_booked_once_whatever_the_key(story: Story) -> None:
    story.trader("alice", USDT="5")
    story.does("alice", type="deposit", asset="USDT", amount="1", deposit_id="D1")
    story.is_refused("alice", "deposit_already_booked", type="deposit", asset="USDT", amount="1", deposit_id="D1")
    story.marks(BTC="1")
    buy = {"type": "book_fill", "trade_id": "T1", "pair": "BTC/USDT", "side": "buy", "quantity": "1", "price": "1"}
    terms = {"fee": "0", "fee_asset": "USDT", "wallet": "spot"}
    story.does("alice", **buy, **terms)
    story.is_refused("alice", "trade_already_booked", **buy, **terms)
    story.trader("bob", USDT="5")
    story.does("bob", **buy, **terms)


def test_the_same_id_on_another_account_is_another_key(story: Story) -> None:
    for name in ("alice", "bob"):
        story.trader(name)
        content = {"type": "deposit", "account_id": name, "asset": "USDT", "amount": "1", "deposit_id": "D1"}
        outcome = story.send(content)
        assert isinstance(outcome, Recorded)
        assert not outcome.replayed
