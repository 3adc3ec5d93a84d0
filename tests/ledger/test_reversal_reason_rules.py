"""Why a reversal was asked for: told to the account that it was asked of, not to the other side of the event."""

from tests.ledger.correcting import lived, reversal
from tests.ledger.given import NOON
from tests.ledger.happenings import borrowed, deposited, hours, opened, the_market, traded, transferred

POOLED = (opened(), deposited("1000", "USDT"), transferred("1000", "USDT"))


def test_the_reason_of_a_reversal_is_told_to_the_account_that_it_was_asked_of_alone() -> None:
    market, late = the_market(rates=True, at=NOON + hours(2)), NOON + hours(2)
    alice = lived(*POOLED, traded("buy", "0.01", "50000"))
    bob = lived(*POOLED, borrowed("100", "USDT"), traded("sell", "0.01", "50000"), account_id="bob")
    events, _ = reversal(market, alice, beside=bob, at=late, reason="bob is looked into")
    told = [(event.account_id, event.TOPIC, event.reason) for event in events]
    assert told == [
        ("alice", "event.reversed", "bob is looked into"),
        ("bob", "interest.accrued", None),
        ("bob", "event.reversed", None),
    ]
