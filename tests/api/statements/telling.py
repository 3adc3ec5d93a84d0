"""The story that statements are asked of: every kind of line, corrections, and texts that look like something else."""

from datetime import timedelta
from typing import Any

from ledger import events as e
from ledger.postings import opposite, postings
from ledger.words import AdjustmentReason
from tests.ledger.given import NOON, Happened, happened
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    asset_listed,
    borrowed,
    deposited,
    held,
    line,
    margin_added,
    mode_set,
    opened,
    pair_listed,
    received,
    released,
    repaid,
    sent,
    traded,
    transferred,
    withdrawal_requested,
    withdrawal_settled,
)
from tests.projections.stories import MINUTE, crash_with_deficit, exchange_opens
from tests.projections.story import Story

SCRIPT = "<script>alert('no')</script> & \u202egnikool drawkcab"
FORMULA = '=HYPERLINK("http://example.com";"Rechnung, 7")'
GERMAN = (
    "Rückerstattungsbestätigungsschreiben der Kontoführungsgebührenabteilung, Aktenzeichen 2026/00017\nzweite Zeile"
)
LONG_ID = "Einzahlungsreferenznummer-0123456789.0123456789:0123456789_ABCDEF"


def reversal_of(story: Story, position: int, reason: str | None = None) -> Happened:
    """The reversal of the event at a position."""
    event = story.events[position - 1]
    lines = [
        e.PostedLine(
            wallet=book.name if book.account_id else None,
            part=book.part,
            house=None if book.account_id else book.name,  # type: ignore[arg-type]
            asset=asset,
            amount=amount,
        )
        for book, asset, amount in opposite(event)
    ]
    told: Any = {"reversed_version": event.version, "reversed_topic": event.TOPIC, "lines": lines}
    return happened(e.EventReversed, reason=reason, **told)


def proposed(adjustment_id: str, amount: str, reason: str | None, reference: str | None = None) -> Happened:
    return happened(e.AdjustmentProposed, **_terms(adjustment_id, amount), reason=reason, reference=reference)


def posted(adjustment_id: str, amount: str, version: int) -> Happened:
    by: Any = {"proposed_by": "operator:ann", "proposed_version": version}
    return happened(e.AdjustmentPosted, **_terms(adjustment_id, amount), **by, actor="operator:ben")


def _terms(adjustment_id: str, amount: str) -> dict[str, Any]:
    code = AdjustmentReason.FEE_CORRECTION
    return {"adjustment_id": adjustment_id, "wallet": "spot", "asset": "USDT", "amount": amount, "reason_code": code}


def tell(story: Story) -> None:
    """Alice's spot wallet, pool and bucket move in every way; Bob is beside her, Dan is liquidated with a deficit."""
    exchange_opens(story)
    story.of("alice", opened(), deposited("10000.5", "USDT", deposit_id=LONG_ID, reference=GERMAN))
    story.of("alice", deposited("3", "BTC", deposit_id="d2", reference=FORMULA), held("100", "USDT"))
    story.of("alice", released("40", "USDT"), withdrawal_requested("0.12345678", "BTC"))
    story.of("alice", withdrawal_settled("0.12345678", "BTC"), transferred("4000", "USDT"))
    story.of("bob", opened(), deposited("77", "USDT", deposit_id="b1"))
    story.of("alice", sent("1.5", "USDT", "bob"))
    story.of("bob", received("1.5", "USDT", "alice"))
    story.of("alice", borrowed("2000", "USDT"), accrued(line("0.00833334", "USDT", "2000", "0.0001")))
    story.of("alice", traded("buy", "0.1", "50000", fee="0.0001", fee_asset="BTC"))
    story.of("alice", repaid("0.00833334", "499.99166666", "USDT"), at=NOON + 90 * MINUTE)
    story.of("alice", mode_set("isolated"), margin_added("1100", "USDT"))
    story.of("alice", traded("buy", "0.02", "50000", wallet=BTC_BUCKET, trade_id="T2", fee="0.5"))
    story.of("alice", deposited("250", "USDT", deposit_id="d3", reference=SCRIPT))
    story.of("alice", reversal_of(story, story.position, SCRIPT), at=NOON + 3 * MINUTE)
    story.of("alice", proposed("a1", "-2.5", GERMAN))
    story.of("alice", posted("a1", "-2.5", story.account("alice").version))
    # Entered late: it counts from two days before.
    story.of("alice", deposited("5", "USDT", deposit_id="late"), at=NOON - timedelta(days=2))
    crash_with_deficit(story)


def later(story: Story) -> None:
    """What is recorded afterwards: corrections of lines that were told, more money, and a new pair."""
    undone = {e.EventReversed, e.FundsHeld, e.HoldReleased, e.WithdrawalRequested, e.WithdrawalSettled}
    told = {event.version: place for place, event in enumerate(story.events, 1) if event.account_id == "alice"}
    gone = {event.reversed_version for event in story.events if isinstance(event, e.EventReversed)}
    for version, position in told.items():
        event = story.events[position - 1]
        if type(event) not in undone and version not in gone and postings(event):
            story.of("alice", reversal_of(story, position, "later"))
    story.of("alice", deposited("1", "SOL"), deposited("7", "USDT"), at=NOON - timedelta(days=2))
    story.on_exchange(asset_listed("DOGE"), pair_listed("DOGE/USDT", "3"))
