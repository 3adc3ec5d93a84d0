"""Every page of the console that a house has something to show on, by name."""

from typing import Any
from urllib.parse import quote

import httpx

WHAT_IF = "shock.ETH/USDT=-30%25&sweep.of=BTC/USDT&sweep.from=-50%25&sweep.to=%2B50%25&sweep.step=5%25"
REPORTS = ("trial-balance", "loans", "margin-levels", "exposure", "insurance")


def every_page(http: httpx.Client) -> dict[str, str]:
    """Paths within the console, by name; what they name is asked of the house, with a client that has a key."""
    return {
        "overview": "/",
        "sign-in": "/sign-in",
        "accounts": "/accounts",
        "accounts-in-band": "/accounts?band=normal",
        "search-nothing": "/search?q=zzz",
        "trail": "/events",
        "trail-empty": "/events?account_id=nobody",
        "liquidations": "/liquidations",
        "margin-calls": "/margin-calls",
        "refused": "/accounts/nobody",
        "operations": "/operations",
        "what-if-empty": "/reports/what-if",
        "what-if": f"/reports/what-if?{WHAT_IF}",
        **{name: f"/reports/{name}" for name in REPORTS},
        **_of_accounts(http),
        **_of_liquidations(http),
    }


def _of_accounts(http: httpx.Client) -> dict[str, str]:
    """The account that owes most, what is told of it, and what may be done to it."""
    debtor = _answer(http, "/v1/reports/exposure")["debtors"][0]["account_id"]
    account = f"/accounts/{quote(debtor, safe='')}"
    last = _answer(http, f"/v1{account}/events?order=desc&limit=1")["events"][0]
    stated = "reason=ticket+4711&key=console:pictures"
    return {
        "account": account,
        "account-then": f"{account}?version={max(last['version'] // 2, 1)}",
        "account-explained": f"{account}/explain",
        "event": f"/events/{last['position']}",
        "statement": f"/reports/statement?account_id={quote(debtor)}",
        "freeze": f"/operations/freeze_account?account_id={quote(debtor)}",
        "freeze-shown": f"/operations/freeze_account?account_id={quote(debtor)}&blocks=trade&blocks=borrow&{stated}",
        "reverse-shown": f"/operations/reverse_event?account_id={quote(debtor)}&version=2&{stated}",
        "refused-operation": f"/operations/unfreeze_account?account_id={quote(debtor)}&{stated}",
    }


def _of_liquidations(http: httpx.Client) -> dict[str, str]:
    """The liquidation with the greatest deficit, its account and its event, and the last margin call."""
    found = _answer(http, "/v1/liquidations?limit=1000")["liquidations"]
    worst = max(found, key=lambda one: float(one["deficit_value"]))
    call = _answer(http, "/v1/margin-calls?limit=1&order=desc")["margin_calls"][0]
    name, account = (quote(worst[one], safe="") for one in ("liquidation_id", "account_id"))
    return {
        "liquidation": f"/liquidations/{name}",
        "account-liquidated": f"/accounts/{account}?position={worst['started_position'] - 1}",
        "event-of-liquidation": f"/events/{worst['started_position']}",
        "margin-call": f"/margin-calls/{quote(call['account_id'], safe='')}/{call['position']}",
    }


def _answer(http: httpx.Client, path: str) -> Any:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()
