"""Adjustments: a signed amount that one actor proposes and another one approves, which posts it, or rejects."""

from ledger import commands as c
from ledger import events as e
from ledger.account.bearing import require_bearable
from ledger.account.conditions import require_collateral, require_mode, require_no_liquidation, require_place
from ledger.account.draft import Draft
from ledger.account.lending import charge
from ledger.account.state import Account, Adjustment
from ledger.account.transfers import assess_arrival
from ledger.errors import AdjustmentExists, AdjustmentNotPending, SameActor, UnknownAdjustment
from ledger.postings import ADJUSTMENTS
from ledger.words import AdjustmentStatus, Book, Line, MarginMode, pair_of


def propose_adjustment(draft: Draft, command: c.ProposeAdjustment) -> None:
    """Moves nothing; whether the account can bear it is judged when it is approved, on what is known then."""
    known = draft.account.adjustments.get(command.adjustment_id)
    if known is not None:
        raise AdjustmentExists(
            f"adjustment {command.adjustment_id} of {known.amount:f} {known.asset} was proposed before and is "
            f"{known.status}; a further one needs an id of its own"
        )
    require_place(command.wallet, command.asset)
    draft.record(
        e.AdjustmentProposed,
        adjustment_id=command.adjustment_id,
        wallet=command.wallet,
        asset=command.asset,
        amount=command.amount,
        reason_code=command.reason_code,
        reference=command.reference,
        source_line=command.source_line,
    )


def approve_adjustment(draft: Draft, command: c.ApproveAdjustment) -> None:
    """Posts it against the house's book; at most what is free is taken. No freeze stops it.

    What an outside statement dates counts then, also where it is approved later.
    """
    adjustment = _pending(draft, command.adjustment_id)
    if adjustment.counts_at is not None and command.effective_at is None:
        draft.envelope = {**draft.envelope, "effective_at": adjustment.counts_at}
    wallet, pair = adjustment.wallet, pair_of(adjustment.wallet)
    require_no_liquidation(draft.account, wallet)
    _require_other_actor(draft, command.adjustment_id, adjustment)
    if pair is not None:
        require_mode(draft.account, pair, MarginMode.ISOLATED)
    if adjustment.amount > 0:
        require_collateral(draft, wallet, adjustment.asset)
    charge(draft, wallet)
    assessment = _assess(draft, command.adjustment_id, adjustment)
    draft.record(e.AdjustmentPosted, **_terms(command.adjustment_id, adjustment), assessment=assessment)


def _assess(draft: Draft, adjustment_id: str, adjustment: Adjustment) -> e.Assessment | None:
    """What is given comes in as in a transfer; what is taken must be free, and leave the wallet above its call line."""
    name, asset, amount = adjustment.wallet, adjustment.asset, adjustment.amount
    if amount > 0:
        return assess_arrival(draft, name, asset, amount)
    lines = [Line(ADJUSTMENTS, asset, -amount), Line(Book(draft.account.id, name), asset, amount)]
    asked = f"the approval of adjustment {adjustment_id} of {amount:f} {asset} was asked for"
    return require_bearable(draft, lines, asked).get(name)


def reject_adjustment(draft: Draft, command: c.RejectAdjustment) -> None:
    """Ends it without posting anything; that too is another's to decide."""
    adjustment = _pending(draft, command.adjustment_id)
    _require_other_actor(draft, command.adjustment_id, adjustment)
    draft.record(e.AdjustmentRejected, **_terms(command.adjustment_id, adjustment))


def known_adjustment(account: Account, adjustment_id: str) -> Adjustment:
    """The adjustment of that id, or UnknownAdjustment."""
    adjustment = account.adjustments.get(adjustment_id)
    if adjustment is None:
        raise UnknownAdjustment(
            f"account {account.id} has no adjustment {adjustment_id}; propose_adjustment proposes one"
        )
    return adjustment


def _pending(draft: Draft, adjustment_id: str) -> Adjustment:
    adjustment = known_adjustment(draft.account, adjustment_id)
    if adjustment.status is not AdjustmentStatus.PROPOSED:
        raise AdjustmentNotPending(f"adjustment {adjustment_id} of account {draft.account.id} is {adjustment.status}")
    return adjustment


def _require_other_actor(draft: Draft, adjustment_id: str, adjustment: Adjustment) -> None:
    if adjustment.proposed_by == draft.envelope["actor"]:
        raise SameActor(
            f"adjustment {adjustment_id} of account {draft.account.id} was proposed by {adjustment.proposed_by}, who "
            "asks to decide on it; somebody else approves or rejects it"
        )


def _terms(adjustment_id: str, adjustment: Adjustment) -> dict[str, object]:
    return {
        "adjustment_id": adjustment_id,
        "wallet": adjustment.wallet,
        "asset": adjustment.asset,
        "amount": adjustment.amount,
        "reason_code": adjustment.reason_code,
        "proposed_by": adjustment.proposed_by,
        "proposed_version": adjustment.version,
    }
