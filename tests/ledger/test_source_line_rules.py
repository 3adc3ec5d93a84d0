"""The line of an outside statement that a booking came from: kept in each event, and part of no comparison."""

from datetime import timedelta
from typing import Any

import pytest

from ledger import events as e
from ledger.errors import IdempotencyKeyReused, Malformed
from ledger.idempotency import UsedKey, content_of, require_same_content
from tests.ledger.correcting import OPERATORS, approve, asked_by, propose, reject
from tests.ledger.given import NOON, command_of, given
from tests.ledger.happenings import deposited, opened, the_market

LINE = 'march.csv:12: 2026-01-14,alice,USDT,-40,"bank\n7"'
MARKET = the_market()
ANN, BEN = OPERATORS
ALICE = given(opened(), deposited("100", "USDT"))
YESTERDAY = NOON - timedelta(days=1)
OUTSIDE = {"source_line": LINE, "effective_at": YESTERDAY.isoformat()}


def deposit_of(amount: str, **fields: Any) -> dict[str, Any]:
    return {"type": "deposit", "asset": "USDT", "amount": amount, "idempotency_key": "K7", **fields}


def test_every_event_of_a_line_keeps_the_line() -> None:
    (deposit,), _ = asked_by(ANN, MARKET, ALICE, **deposit_of("1", **OUTSIDE))
    asked = {"type": "request_withdrawal", "withdrawal_id": "W7", "asset": "USDT", "amount": "40", **OUTSIDE}
    (requested,), account = asked_by(ANN, MARKET, ALICE, **asked)
    settled_by = {"type": "settle_withdrawal", "withdrawal_id": "W7", "reference": "bank 7", **OUTSIDE}
    (settled,), _ = asked_by(ANN, MARKET, account, **settled_by)
    for event in (deposit, requested, settled):
        assert isinstance(event, e.FundsDeposited | e.WithdrawalRequested | e.WithdrawalSettled)
        assert event.source_line == LINE
        assert event.effective_at == YESTERDAY


def test_an_adjustment_of_a_line_counts_when_the_line_does_whenever_it_is_approved() -> None:
    (proposed,), account = asked_by(ANN, MARKET, ALICE, **propose("-40", "USDT", reference="bank 7", **OUTSIDE))
    (posted,), decided = asked_by(BEN, MARKET, account, **approve())
    assert isinstance(proposed, e.AdjustmentProposed)
    assert (proposed.reference, proposed.source_line) == ("bank 7", LINE)
    assert isinstance(posted, e.AdjustmentPosted)
    assert (posted.effective_at, posted.proposed_version) == (YESTERDAY, proposed.version)
    assert decided.adjustments["A1"].counts_at is None


def test_the_state_of_an_account_holds_neither_the_line_nor_the_reference() -> None:
    """It is kept in snapshots, where nothing is sealed."""
    account = asked_by(ANN, MARKET, ALICE, **propose("-40", "USDT", reference="bank 7", **OUTSIDE))[1]
    assert "bank" not in str(account)


def test_an_approval_that_states_its_time_counts_then() -> None:
    account = asked_by(ANN, MARKET, ALICE, **propose("-40", "USDT", **OUTSIDE))[1]
    (posted,), _ = asked_by(BEN, MARKET, account, **approve(), effective_at=NOON.isoformat())
    assert posted.effective_at == NOON


def test_an_adjustment_without_a_line_counts_when_it_is_approved() -> None:
    account = asked_by(ANN, MARKET, ALICE, **propose("-40", "USDT", effective_at=YESTERDAY.isoformat()))[1]
    assert asked_by(BEN, MARKET, account, **approve())[0][0].effective_at == NOON


def test_a_rejection_counts_when_it_is_made() -> None:
    account = asked_by(ANN, MARKET, ALICE, **propose("-40", "USDT", **OUTSIDE))[1]
    assert asked_by(BEN, MARKET, account, **reject())[0][0].effective_at == NOON


def test_the_same_line_of_another_file_is_the_same_request() -> None:
    first, again, other = (
        command_of({"account_id": "alice", **deposit_of(amount, source_line=line)})
        for amount, line in (("1", LINE), ("1", LINE.replace("march.csv:12", "april.csv:3")), ("2", LINE))
    )
    used = UsedKey(content_of(first), [])
    assert "source_line" not in content_of(first)
    require_same_content(again, "alice", used, {})
    with pytest.raises(IdempotencyKeyReused, match="amount 1, this request says amount 2"):
        require_same_content(other, "alice", used, {})


@pytest.mark.parametrize("line", ["", "x" * 3001, "a\x00b", "\x01b", 7])
def test_a_line_that_cannot_be_kept_is_malformed(line: Any) -> None:
    with pytest.raises(Malformed, match="source_line"):
        command_of({"account_id": "alice", **deposit_of("1", source_line=line)})
