"""What the back office does by hand: each operation with its fields, and the command that a filled form is."""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from starlette.datastructures import ImmutableMultiDict

from api.routes.actions import ACTIONS, IN_PAIR_NOTATION
from api.words import AdjustmentReason, Capability

REASON, KEY = "reason", "key"


class Field(NamedTuple):
    """One thing that a form asks for; with `choices` one of them is chosen, or some where `several`."""

    name: str
    title: str
    hint: str = ""
    choices: tuple[str, ...] = ()
    several: bool = False
    needed: bool = True


class Operation(NamedTuple):
    """A command as a form: what it is called, what it does, and how its button is labelled."""

    command: str
    title: str
    meaning: str
    button: str
    fields: tuple[Field, ...]


Stated = ImmutableMultiDict[str, Any]
"""What a query or a form states."""

ACCOUNT = Field("account_id", "Account")
PAIR = Field("pair", "Pair", "such as BTC/USDT")
BLOCKS = Field("blocks", "What is blocked", "", tuple(Capability), several=True)
WALLET = Field("wallet", "Wallet", "spot, cross or isolated:BTC/USDT")
SIGNED = Field("amount", "Amount", "below zero it is taken: -12.5")
CODE = Field("reason_code", "Reason code", "", tuple(AdjustmentReason))
NEW_ADJUSTMENT = Field("adjustment_id", "Adjustment", "an id of your own, such as a ticket's")
ADJUSTMENT = Field("adjustment_id", "Adjustment")
VERSION = Field("version", "Version of the event", "as the account's audit trail numbers it")
_ALL = [
    Operation(
        "freeze_account",
        "Freeze an account",
        "Blocks what is chosen until it is lifted. Repaying, cancelling, interest and liquidation go on.",
        "Freeze the account",
        (ACCOUNT, BLOCKS),
    ),
    Operation("unfreeze_account", "Unfreeze an account", "Lifts every block.", "Lift all blocks", (ACCOUNT,)),
    Operation(
        "propose_adjustment",
        "Propose an adjustment",
        "Moves nothing yet: another person approves or rejects it.",
        "Propose the adjustment",
        (ACCOUNT, NEW_ADJUSTMENT, WALLET, Field("asset", "Asset"), SIGNED, CODE),
    ),
    Operation(
        "approve_adjustment",
        "Approve an adjustment",
        "Posts what somebody else proposed.",
        "Approve and post it",
        (ACCOUNT, ADJUSTMENT),
    ),
    Operation(
        "reject_adjustment",
        "Reject an adjustment",
        "Ends what somebody else proposed; nothing is moved.",
        "Reject it",
        (ACCOUNT, ADJUSTMENT),
    ),
    Operation(
        "reverse_event",
        "Reverse an event",
        "Posts the exact opposite of one event, once, where the account can bear it. Nothing is deleted.",
        "Reverse the event",
        (ACCOUNT, VERSION),
    ),
    Operation(
        "cancel_withdrawal",
        "Cancel a withdrawal",
        "Gives back what was locked for it. First make sure that it has not left.",
        "Cancel the withdrawal",
        (ACCOUNT, Field("withdrawal_id", "Withdrawal")),
    ),
    Operation(
        "release_hold",
        "Release a hold",
        "Gives back what is left of what was locked for an order.",
        "Release the hold",
        (ACCOUNT, Field("hold_id", "Hold")),
    ),
    Operation(
        "confirm_price",
        "Confirm a held price",
        "Says what the price is: it counts from the time it was stated for, and wallets are examined at it.",
        "Confirm the price",
        (PAIR, Field("price", "Price")),
    ),
    Operation(
        "reject_price",
        "Reject a held price",
        "Says that what is held of a pair is wrong; the last price that was marked stays.",
        "Reject the price",
        (PAIR, Field("source", "Source", "empty: of all sources", needed=False)),
    ),
]
OPERATIONS = {operation.command: operation for operation in _ALL}
_PATHS = {action.command: action.path for action in ACTIONS if action.command in OPERATIONS}


def new_key() -> str:
    """The key of a form that is opened: however often what it then states is sent, it is recorded once."""
    return f"console:{secrets.token_hex(12)}"


def content_stated(operation: Operation, stated: Stated) -> dict[str, Any]:
    """The fields of the command as they are stated, without those left empty; all are checked by the API."""
    content: dict[str, Any] = {}
    for field in operation.fields:
        value = stated.getlist(field.name) if field.several else str(stated.get(field.name) or "").strip()
        if value:
            content[field.name] = value
    reason = str(stated.get(REASON) or "").strip()
    return {**content, REASON: reason} if reason else content


def missing_in(operation: Operation, content: Mapping[str, Any]) -> list[str]:
    """The titles of what is still to be stated; every operation has a reason."""
    missing = [field.title for field in operation.fields if field.needed and field.name not in content]
    return missing if REASON in content else [*missing, "Reason"]


def resource_of(operation: Operation, content: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The route that the command is sent to and its body, in which is what the path does not say."""
    path, body = _PATHS[operation.command], dict(content)
    for name in [name for name in content if f"{{{name}}}" in path]:
        value = str(body.pop(name))
        value = value.replace("/", "-") if name in IN_PAIR_NOTATION else value
        # A dot is written so that an id of dots is no step up the path.
        path = path.replace(f"{{{name}}}", quote(value, safe="").replace(".", "%2E"))
    return path, body


def form_path(command: str, **stated: Any) -> str:
    """Where the form of an operation is, filled with what is stated."""
    query = urlencode({name: value for name, value in stated.items() if value is not None}, doseq=True)
    return f"/operations/{command}" + (f"?{query}" if query else "")
