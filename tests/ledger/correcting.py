"""What tests of corrections tell: a life with its events, the reversal of one of them, adjustments by two actors."""

from datetime import datetime
from typing import Any

from ledger import account as accounts_room
from ledger.account import Account, Original
from ledger.decision import Context
from ledger.events import Event
from ledger.market import Market
from tests.ledger.as_read import require_as_read
from tests.ledger.given import NOON, Happened, command_of, context, numbered

Lived = tuple[Account, list[Event]]
OPERATORS = ("operator:ann", "operator:ben")


def lived(*news: Happened, account_id: str = "alice", at: datetime = NOON) -> Lived:
    """An account with all its events."""
    events = numbered(Account.unopened(account_id), *news, at=at)
    return accounts_room.fold(account_id, events), events  # type: ignore[arg-type]


def reversal(
    market: Market, life: Lived, place: int = -1, beside: Lived | None = None, *, at: datetime = NOON, **content: Any
) -> tuple[list[Event], dict[str, Account]]:
    """The reversal of an event of a life, by default the last, and with it the last one of the life beside.

    Returns the events and the accounts after; raises the refusal.
    """
    account, events = life
    asked = {"type": "reverse_event", "account_id": account.id, "version": events[place].version, **content}
    accounts = {account.id: account, **({beside[0].id: beside[0]} if beside else {})}
    before = {name: one.copy() for name, one in accounts.items()}
    original: Any = Original(events[place], beside[1][-1] if beside else None)  # type: ignore[arg-type]
    command: Any = command_of(asked)
    try:
        accounts_room.admit(command, accounts, market)
        decision = accounts_room.decide_reversal(command, original, accounts, market, context(at))
    finally:
        assert accounts == before, "a decision changes no account that it was given"
    for event in decision.events:
        require_as_read(event)
    return list(decision.events), dict(decision.accounts)


def asked_by(actor: str, market: Market, account: Account, **content: Any) -> tuple[list[Event], Account]:
    """The events of a command that this actor sends, and the account after."""
    command: Any = command_of({"account_id": account.id, **content})
    accounts_room.admit(command, {account.id: account}, market)
    decision = accounts_room.decide(command, {account.id: account}, market, Context(NOON, actor, "request-1"))
    for event in decision.events:
        require_as_read(event)
    return list(decision.events), decision.accounts[account.id]


def propose(amount: str, asset: str, wallet: str = "spot", adjustment_id: str = "A1", **fields: Any) -> dict[str, Any]:
    terms = {"adjustment_id": adjustment_id, "wallet": wallet, "asset": asset, "amount": amount}
    return {"type": "propose_adjustment", **terms, "reason_code": "booking_error", **fields}


def approve(adjustment_id: str = "A1") -> dict[str, Any]:
    return {"type": "approve_adjustment", "adjustment_id": adjustment_id}


def reject(adjustment_id: str = "A1") -> dict[str, Any]:
    return {"type": "reject_adjustment", "adjustment_id": adjustment_id}
