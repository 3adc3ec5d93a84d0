"""What waits for somebody's hand: adjustments, held prices, withdrawals, holds, freezes; and what may be done."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from nicegui import ui

from api.console.asking import Asker
from api.console.doors import console_page
from api.console.fields import free_text
from api.console.forms import asked_by, further, written
from api.console.frame import show
from api.console.operating import OPERATIONS, form_path, new_key
from api.console.writing import (
    Column,
    Markup,
    account_link,
    amount,
    card,
    event_link,
    joined,
    link,
    moment,
    table,
    tag,
    wallet_name,
)
from api.console.writing import query as written_query
from api.roles import MAY_SEND, Caller, Role, may_send

SHOWN = 20
FILTER = "account_id"
LATEST_FIRST = {"adjustments"}
"""Lists that begin with what was asked for last; the others are in the order of their question."""

Answer = dict[str, Any]


@console_page("/operations", "Operations")
async def operations(ask: Asker) -> None:
    """Lists of what is open, each with what may be done about it by who is signed in; `account_id` narrows them."""
    query = ui.context.client.request.query_params
    account_id, caller = query.get(FILTER) or None, ask.session.caller
    proposed, market, pending, held, frozen = await asyncio.gather(
        ask.get("/v1/adjustments", status="proposed", account_id=account_id, **_page(query, "adjustments")),
        ask.get("/v1/market"),
        ask.get("/v1/withdrawals", status="pending", account_id=account_id, **_page(query, "withdrawals")),
        ask.get("/v1/holds", account_id=account_id, **_page(query, "holds")),
        ask.get("/v1/accounts", status="frozen", **_page(query, "accounts")),
    )
    show(_choices(caller))
    show(_narrowed(account_id))
    cards = [
        _adjustments(caller, proposed),
        _held_prices(caller, market["held_prices"]),
        _withdrawals(caller, pending),
        _holds(caller, held),
        _frozen(caller, frozen),
    ]
    show(joined(*cards)).classes("cards")


def _page(query: Mapping[str, str], name: str) -> dict[str, Any]:
    order = "desc" if name in LATEST_FIRST else None
    return {_onwards(name): query.get(f"{name}_{_onwards(name)}") or None, "order": order, "limit": SHOWN}


def _onwards(name: str) -> str:
    """The parameter by which a list is read on."""
    return "before" if name in LATEST_FIRST else "after"


def _choices(caller: Caller) -> Markup:
    allowed = [operation for operation in OPERATIONS.values() if may_send(caller, operation.command)]
    if not allowed:
        roles = ", ".join(sorted({*MAY_SEND["freeze_account"], Role.ADMIN}))
        said = f"A key of role {caller.role} reads what is open here; who acts has a key of role {roles}."
        return card("What may be done", tag("p", said, class_="empty"), wide=True)
    links = (
        tag("a", one.title, href=f"/console{form_path(one.command)}", class_="button", title=one.meaning)
        for one in allowed
    )
    hint = "nothing is recorded before it was shown"
    return card("What may be done", tag("div", joined(*links), class_="choices"), wide=True, hint=hint)


def _narrowed(account_id: str | None) -> Markup:
    everything = link("all accounts", "/operations") if account_id else ""
    return asked_by("/operations", written("Only of account", FILTER, account_id, "all"), reset=everything)


def _actions(caller: Caller, choices: Iterable[tuple[str, str]], **stated: Any) -> Markup:
    """Links to the forms of commands that the caller may send, filled with what they are about."""
    links = [link(word, form_path(command, **stated)) for word, command in choices if may_send(caller, command)]
    return joined(*(joined(" · ", one) if place else one for place, one in enumerate(links)))


def _listed(title: str, columns: list[Column], rows: list[Any], empty: str, found: Answer, name: str) -> Markup:
    """A card with a list, and the way to its next page."""
    query = ui.context.client.request.query_params
    more: Markup | str = ""
    if found["next"] is not None:
        onwards = {FILTER: query.get(FILTER), f"{name}_{_onwards(name)}": found["next"]}
        more = further(f"The next {SHOWN}", f"/operations{written_query(**onwards)}")
    return card(title, joined(table(columns, rows, empty), more), wide=True)


def _adjustments(caller: Caller, found: Answer) -> Markup:
    rows = [
        (
            joined(event_link(one["proposed_position"]), " ", moment(one["proposed_at"])),
            account_link(one["account_id"]),
            wallet_name(one["wallet"]),
            amount(one["amount"], one["asset"]),
            joined(one["reason_code"].replace("_", " "), tag("div", free_text(one, "reason"), class_="note")),
            one["proposed_by"],
            _decisions(caller, one),
        )
        for one in found["adjustments"]
    ]
    columns = [
        Column("Proposed"),
        Column("Account"),
        Column("Wallet"),
        Column("Amount", True),
        Column("Why"),
        Column("By"),
        Column(""),
    ]
    return _listed("Adjustments that wait", columns, rows, "No adjustment waits for a decision.", found, "adjustments")


def _decisions(caller: Caller, one: Answer) -> Markup:
    """Approve and reject; who proposed it is told that another person decides, and may see the ledger say so."""
    stated = {name: one[name] for name in ("account_id", "adjustment_id")}
    if one["proposed_by"] == caller.actor and may_send(caller, "approve_adjustment"):
        why = link("why", form_path("approve_adjustment", **stated, reason="asked why", key=new_key()))
        return tag("span", joined("yours: another person decides (", why, ")"), class_="note")
    return _actions(caller, (("Approve", "approve_adjustment"), ("Reject", "reject_adjustment")), **stated)


def _held_prices(caller: Caller, held: dict[str, list[Answer]]) -> Markup:
    rows = [
        (
            pair,
            amount(one["price"]),
            amount(one["last_price"]),
            one["source"],
            joined(event_link(one["position"]), " ", moment(one["effective_at"])),
            joined(
                _actions(caller, [("Confirm", "confirm_price")], pair=pair, price=one["price"]),
                " · " if may_send(caller, "reject_price") else "",
                _actions(caller, [("Reject", "reject_price")], pair=pair, source=one["source"]),
            ),
        )
        for pair, prices in held.items()
        for one in prices
    ]
    columns = [
        Column("Pair"),
        Column("Held", True),
        Column("Last marked", True),
        Column("Source"),
        Column("Stated"),
        Column(""),
    ]
    empty = "No price is held: none moved further than its pair's limit."
    return card("Held prices", table(columns, rows, empty), wide=True)


def _withdrawals(caller: Caller, found: Answer) -> Markup:
    rows = [
        (
            joined(event_link(one["requested_position"]), " ", moment(one["requested_at"])),
            account_link(one["account_id"]),
            one["withdrawal_id"],
            amount(one["amount"], one["asset"]),
            _actions(
                caller,
                [("Cancel", "cancel_withdrawal")],
                account_id=one["account_id"],
                withdrawal_id=one["withdrawal_id"],
            ),
        )
        for one in found["withdrawals"]
    ]
    columns = [Column("Requested"), Column("Account"), Column("Withdrawal"), Column("Amount", True), Column("")]
    return _listed("Pending withdrawals", columns, rows, "No withdrawal is pending.", found, "withdrawals")


def _holds(caller: Caller, found: Answer) -> Markup:
    rows = [
        (
            account_link(one["account_id"]),
            one["hold_id"],
            wallet_name(one["wallet"]),
            amount(one["amount"], one["asset"]),
            _actions(caller, [("Release", "release_hold")], account_id=one["account_id"], hold_id=one["hold_id"]),
        )
        for one in found["holds"]
    ]
    columns = [Column("Account"), Column("Hold"), Column("Wallet"), Column("Left", True), Column("")]
    return _listed("Holds", columns, rows, "Nothing is held for an open order.", found, "holds")


def _frozen(caller: Caller, found: Answer) -> Markup:
    rows = [
        (
            account_link(one["account_id"]),
            ", ".join(one["blocks"]),
            _actions(caller, [("Unfreeze", "unfreeze_account")], account_id=one["account_id"]),
        )
        for one in found["accounts"]
    ]
    columns = [Column("Account"), Column("Blocked"), Column("")]
    return _listed("Frozen accounts", columns, rows, "No account is frozen.", found, "accounts")
