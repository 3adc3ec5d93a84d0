"""Every command once more as a route of the resource it acts on: one table, and one endpoint for all its rows."""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.answers import written_answer
from api.bodies import JsonObject, parse_object, read_body
from api.doors import caller_of, correlation_id_of, doors_of
from api.submission import Sender, answer_one, with_key
from ledger import Malformed

ACCOUNT = "/v1/accounts/{account_id}"
WALLET = ACCOUNT + "/wallets/{wallet}"
BUCKET = ACCOUNT + "/isolated/{pair}"
ADJUSTMENT = ACCOUNT + "/adjustments/{adjustment_id}"


class Action(NamedTuple):
    """A command as a route: what is written in braces in the path is a field of the command."""

    method: str
    path: str
    command: str
    summary: str
    tag: str = "accounts"


ACTIONS = [
    Action("POST", "/v1/accounts", "open_account", "Open an account"),
    Action("POST", ACCOUNT + "/freeze", "freeze_account", "Block some or all that an account may do"),
    Action("POST", ACCOUNT + "/unfreeze", "unfreeze_account", "Lift all blocks of an account"),
    Action(
        "POST", ACCOUNT + "/erasures", "erase_texts", "Make an account's reasons and references unreadable for ever"
    ),
    Action("POST", ACCOUNT + "/close", "close_account", "Close an account that holds and owes nothing"),
    Action("POST", ACCOUNT + "/deposits", "deposit", "Book a deposit into spot", "funds"),
    Action("POST", ACCOUNT + "/withdrawals", "request_withdrawal", "Request a withdrawal from spot", "funds"),
    Action(
        "POST",
        ACCOUNT + "/withdrawals/{withdrawal_id}/settle",
        "settle_withdrawal",
        "Say a withdrawal is paid",
        "funds",
    ),
    Action(
        "POST",
        ACCOUNT + "/withdrawals/{withdrawal_id}/cancel",
        "cancel_withdrawal",
        "Give back what was locked",
        "funds",
    ),
    Action("POST", ACCOUNT + "/transfers", "transfer", "Move funds between wallets of an account", "funds"),
    Action("POST", ACCOUNT + "/sends", "send", "Send funds from spot to another account's spot", "funds"),
    Action("POST", BUCKET + "/margin", "add_margin", "Add margin to an isolated bucket", "margin"),
    Action("POST", BUCKET + "/margin/remove", "remove_margin", "Take margin out of an isolated bucket", "margin"),
    Action("PUT", ACCOUNT + "/margin-modes/{pair}", "set_margin_mode", "Set a pair's margin mode", "margin"),
    Action("PUT", WALLET + "/leverage", "set_leverage", "Set the leverage of the pool or a bucket", "margin"),
    Action("POST", WALLET + "/loans", "borrow", "Borrow into a margin wallet", "margin"),
    Action("POST", WALLET + "/repayments", "repay", "Repay a debt of a margin wallet", "margin"),
    Action("POST", ACCOUNT + "/interest", "accrue_interest", "Charge an account's interest up to an hour", "margin"),
    Action("POST", "/v1/interest", "accrue_interest", "Charge the interest of all who owe, up to an hour", "margin"),
    Action("POST", WALLET + "/examine", "examine", "Look whether a wallet must be called or liquidated", "margin"),
    Action("POST", WALLET + "/liquidate", "liquidate", "Liquidate a wallet at or below its line", "margin"),
    Action(
        "POST",
        ACCOUNT + "/liquidations/{liquidation_id}/complete",
        "complete_liquidation",
        "Complete a liquidation that was executed outside",
        "margin",
    ),
    Action("POST", ACCOUNT + "/holds", "place_hold", "Lock funds for an open order", "trading"),
    Action("POST", ACCOUNT + "/holds/{hold_id}/release", "release_hold", "Release what is left of a hold", "trading"),
    Action("POST", ACCOUNT + "/fills", "book_fill", "Book one fill on one account", "trading"),
    Action("POST", "/v1/trades", "book_trade", "Book a trade between two accounts, both sides or neither", "trading"),
    Action(
        "POST",
        ACCOUNT + "/events/{version}/reverse",
        "reverse_event",
        "Reverse an event by its exact opposite",
        "corrections",
    ),
    Action("POST", ACCOUNT + "/adjustments", "propose_adjustment", "Propose an adjustment", "corrections"),
    Action("POST", ADJUSTMENT + "/approve", "approve_adjustment", "Post another's adjustment", "corrections"),
    Action("POST", ADJUSTMENT + "/reject", "reject_adjustment", "Reject another's adjustment", "corrections"),
    Action("POST", "/v1/assets", "list_asset", "List an asset", "exchange"),
    Action("PUT", "/v1/assets/{asset}/limits", "set_asset_limits", "Set what an asset may be used for", "exchange"),
    Action("POST", "/v1/assets/{asset}/interest-rates", "set_interest_rate", "Set a daily interest rate", "exchange"),
    Action("POST", "/v1/pairs", "list_pair", "List a pair", "exchange"),
    Action("PUT", "/v1/pairs/{pair}/status", "set_pair_status", "Set whether a pair trades", "exchange"),
    Action("PUT", "/v1/risk-limits/{scope}", "set_risk_limits", "Set risk tiers of the pool or a pair", "exchange"),
    Action("POST", "/v1/prices", "mark_prices", "Mark prices", "exchange"),
    Action("POST", "/v1/prices/{pair}/confirm", "confirm_price", "Say that a held price is right", "exchange"),
    Action("POST", "/v1/prices/{pair}/reject", "reject_price", "Say that a held price is wrong", "exchange"),
    Action("POST", "/v1/insurance/deposits", "fund_insurance", "Pay into the insurance fund", "exchange"),
    Action("POST", "/v1/insurance/withdrawals", "withdraw_insurance", "Take out of the insurance fund", "exchange"),
]

IN_PAIR_NOTATION = {"pair", "wallet", "scope"}
"""Fields that in a path are written with a dash, BTC-USDT, for the slash of their pair."""
NUMBERS, NUMBER = {"version"}, re.compile("[0-9]{1,19}")
"""Fields that are numbers; what is not written as one is malformed like any other."""


def content_of(command: str, path: dict[str, str], body: JsonObject) -> JsonObject:
    """The command that a request to a resource route is; Malformed where the body says otherwise than the path."""
    named: JsonObject = {"type": command}
    for field, value in path.items():
        named[field] = value.replace("-", "/") if field in IN_PAIR_NOTATION else value
        if field in NUMBERS and NUMBER.fullmatch(value):
            named[field] = int(value)
    for field, value in named.items():
        if field in body and body[field] != value:
            raise Malformed(f"the body's {field} is not the path's {value!a}; leave it out of the body")
    return {**body, **named}


def _endpoint(action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def act(request: Request) -> Response:
        sender = Sender(await caller_of(request), correlation_id_of(request))
        if request.query_params:
            raise Malformed("this route takes no parameters; every field stands in the path or in the body")
        body = parse_object(await read_body(request.receive, request.headers.get("content-length", "")))
        content = content_of(action.command, request.path_params, body)
        (content,) = with_key([content], request.headers.get("idempotency-key"))
        return written_answer(await answer_one(doors_of(request), content, sender))

    return act


router = APIRouter()
for _action in ACTIONS:
    router.add_api_route(
        _action.path,
        _endpoint(_action),
        methods=[_action.method],
        summary=_action.summary,
        tags=[_action.tag],
        operation_id=f"{_action.command}_{'job' if _action.path == '/v1/interest' else 'on_its_resource'}",
        openapi_extra={"x-command": _action.command},
    )
