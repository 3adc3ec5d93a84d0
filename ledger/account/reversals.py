"""Reversals: the exact opposite of one event, and of the one that stands and falls with it on another account."""

from collections.abc import Iterable
from typing import NamedTuple

from ledger import commands as c
from ledger import events as e
from ledger.account.bearing import require_bearable
from ledger.account.conditions import require_mode, require_no_liquidation, require_open
from ledger.account.draft import Draft
from ledger.account.lending import charge
from ledger.errors import AlreadyReversed, NotReversible, UnknownEvent
from ledger.postings import opposite
from ledger.words import CROSS, SPOT, Line, MarginMode, pair_of

Reversible = (
    e.FundsDeposited
    | e.FundsTransferred
    | e.TransferSent
    | e.TransferReceived
    | e.MarginAdded
    | e.MarginRemoved
    | e.TradeBooked
    | e.InterestAccrued
    | e.LoanRepaid
    | e.AdjustmentPosted
)
_INSTEAD: dict[type[e.Event], str] = {
    e.WithdrawalRequested: "cancel_withdrawal gives back what is not paid yet",
    e.WithdrawalSettled: "what has left is gone; what comes back is a deposit",
    e.WithdrawalCancelled: "request_withdrawal asks for it anew",
    e.FundsHeld: "release_hold gives back what is left of it",
    e.HoldReleased: "place_hold places a further one",
    e.LoanBorrowed: "repay pays it back",
    e.AccountFrozen: "unfreeze_account lifts it",
    e.AccountUnfrozen: "freeze_account blocks anew",
    e.MarginModeSet: "set_margin_mode sets it anew",
    e.LeverageSet: "set_leverage sets it anew",
    e.EventReversed: "book what it reversed anew, under an id of its own",
    e.AdjustmentProposed: "reject_adjustment ends it",
    e.AdjustmentRejected: "propose_adjustment proposes a further one",
    e.TextsErased: "what was erased is gone",
}
"""What can be done about an event of a kind that is not reversed; else an adjustment can."""


class Original(NamedTuple):
    """An event that was recorded, and the one of the same decision that stands and falls with it, if there is one."""

    event: e.AccountEvent
    other: e.AccountEvent | None = None


def original_of(account_id: str, version: int, decision: Iterable[e.AnyEvent]) -> Original:
    """The event of that version with the other account's part of it, among all events of its decision."""
    events: list[e.AccountEvent] = [event for event in decision if isinstance(event, e.AccountEvent)]
    event = next(one for one in events if (one.account_id, one.version) == (account_id, version))
    return Original(event, next((one for one in events if _is_other_part(event, one)), None))


def _is_other_part(event: e.AccountEvent, one: e.AccountEvent) -> bool:
    match event:
        case e.TransferSent():
            return isinstance(one, e.TransferReceived) and one.account_id == event.to_account_id
        case e.TransferReceived():
            return isinstance(one, e.TransferSent) and one.account_id == event.from_account_id
        case e.TradeBooked():
            return isinstance(one, e.TradeBooked) and one.account_id != event.account_id
        case _:
            return False


def unknown_event(command: c.ReverseEvent, latest: int) -> UnknownEvent:
    """The refusal of a reversal of an event that is not there."""
    return UnknownEvent(
        f"account {command.account_id} has no event of version {command.version}, its last is of version {latest}; "
        "the versions of its events stand in its audit trail"
    )


def reverse_event(named: Draft, other: Draft | None, original: Original) -> None:
    """Reverse an event once, and with it its other part; no freeze stops it, for it is the house that corrects."""
    parts = [(named, original.event)]
    if other is not None and original.other is not None:
        parts.append((other, original.other))
    _require_reversible(original.event)
    for draft, event in parts:
        require_open(draft.account)
        _require_not_reversed(draft, event)
        require_no_liquidation(draft.account, *_wallets_of(draft, opposite(event)))
    for draft, event in parts:
        _require_modes(draft, event)
    for (draft, event), (beside, _) in zip(parts, reversed(parts), strict=True):
        _reverse(draft, event, beside.account.id if beside is not draft else None, follows=draft is not named)


def _require_reversible(event: e.AccountEvent) -> None:
    told = f"{event.TOPIC} (version {event.version} of account {event.account_id}) is not reversed"
    if isinstance(event, e.TradeBooked) and event.liquidation_id is not None:
        raise NotReversible(f"{told}: it is a fill of liquidation {event.liquidation_id}; propose_adjustment corrects")
    if not isinstance(event, Reversible):
        instead = _INSTEAD.get(type(event), "propose_adjustment corrects what it left, where that is wrong")
        raise NotReversible(f"{told}; {instead}")


def _require_not_reversed(draft: Draft, event: e.AccountEvent) -> None:
    by = draft.account.reversals.get(str(event.version))
    if by is not None:
        raise AlreadyReversed(
            f"{event.TOPIC} (version {event.version} of account {draft.account.id}) was reversed by version {by}; "
            "an event is reversed once"
        )


def _wallets_of(draft: Draft, lines: Iterable[Line]) -> list[str]:
    return sorted({line.book.name for line in lines if line.book.account_id == draft.account.id})


def _require_modes(draft: Draft, event: e.AccountEvent) -> None:
    """Nothing comes into a bucket or opens a position against the mode that its pair has by now."""
    for name in _wallets_of(draft, opposite(event)):
        pair = pair_of(name)
        if pair is not None:
            require_mode(draft.account, pair, MarginMode.ISOLATED)
    if isinstance(event, e.TradeBooked) and event.wallet == CROSS:
        require_mode(draft.account, event.pair, MarginMode.CROSS)


def _reverse(draft: Draft, event: e.AccountEvent, other_account_id: str | None, *, follows: bool) -> None:
    lines = opposite(event)
    for name in _wallets_of(draft, lines):
        charge(draft, name)
    asked = f"the reversal of {event.TOPIC} (version {event.version}) was asked for"
    draft.record(
        e.EventReversed,
        reversed_version=event.version,
        reversed_topic=event.TOPIC,
        lines=[_carried(line) for line in lines],
        trade=_trade_of(event),
        other_account_id=other_account_id,
        follows=follows,
        assessments=require_bearable(draft, lines, asked) or None,
    )


def _carried(line: Line) -> e.PostedLine:
    (account_id, name, part), asset, amount = line
    own = {"wallet": name, "part": part} if account_id is not None else {"house": name}
    return e.made(e.PostedLine, {**own, "asset": asset, "amount": amount})


def _trade_of(event: e.AccountEvent) -> e.ReversedTrade | None:
    if not isinstance(event, e.TradeBooked) or event.wallet == SPOT:
        return None
    terms = {"trade_id": event.trade_id, "pair": event.pair, "wallet": event.wallet, "price": event.price}
    return e.made(e.ReversedTrade, {**terms, "quantity": event.base_brought})
