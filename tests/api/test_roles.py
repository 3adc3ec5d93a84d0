"""Each role may do what the contract gives it, and nothing else."""

from typing import Any

import pytest

from api.roles import MAY_READ, MAY_SEND, Resource, Role
from ledger import COMMANDS
from tests.api.house import House, deposit, open_account

SIDE = {"fee": "0", "fee_asset": "USDT"}
AMOUNT = {"asset": "USDT", "amount": "1"}
# One well-formed command of every type; whether it can be carried out is another question than who may ask for it.
FIELDS: dict[str, dict[str, Any]] = {
    "open_account": {},
    "freeze_account": {},
    "unfreeze_account": {},
    "erase_texts": {"reason_code": "customer_request"},
    "close_account": {},
    "deposit": AMOUNT,
    "request_withdrawal": {**AMOUNT, "withdrawal_id": "w1"},
    "settle_withdrawal": {"withdrawal_id": "w1"},
    "cancel_withdrawal": {"withdrawal_id": "w1"},
    "transfer": {**AMOUNT, "from": "spot", "to": "cross"},
    "add_margin": {**AMOUNT, "pair": "BTC/USDT"},
    "remove_margin": {**AMOUNT, "pair": "BTC/USDT"},
    "send": {**AMOUNT, "to_account_id": "elsewhere"},
    "set_margin_mode": {"pair": "BTC/USDT", "mode": "isolated"},
    "set_leverage": {"wallet": "cross", "leverage": "5"},
    "borrow": {**AMOUNT, "wallet": "cross"},
    "repay": {**AMOUNT, "wallet": "cross"},
    "accrue_interest": {"hour": "2026-01-01T00:00:00Z"},
    "place_hold": {**AMOUNT, "hold_id": "h1", "wallet": "spot"},
    "release_hold": {"hold_id": "h1"},
    "book_fill": {**SIDE, "trade_id": "t1", "pair": "BTC/USDT", "side": "buy", "quantity": "1", "price": "1"},
    "book_trade": {
        "trade_id": "t1",
        "pair": "BTC/USDT",
        "quantity": "1",
        "price": "1",
        "buyer": {**SIDE, "account_id": "stranger"},
        "seller": {**SIDE, "account_id": "another"},
    },
    "examine": {"wallet": "cross"},
    "liquidate": {"wallet": "cross"},
    "complete_liquidation": {"liquidation_id": "stranger.1"},
    "reverse_event": {"version": 1},
    "propose_adjustment": {**AMOUNT, "adjustment_id": "a1", "wallet": "spot", "reason_code": "compensation"},
    "approve_adjustment": {"adjustment_id": "a1"},
    "reject_adjustment": {"adjustment_id": "a1"},
    "list_asset": {"asset": "USDT", "scale": 8, "daily_interest_rate": "0"},
    "set_asset_limits": {"asset": "DOGE", "borrow_limit": "1"},
    "list_pair": {"pair": "BTC/USDT", "price_scale": 2, "max_leverage": "5"},
    "set_pair_status": {"pair": "DOGE/USDT", "status": "halted"},
    "set_risk_limits": {"scope": "DOGE/USDT", "dust": "1"},
    "set_interest_rate": {"asset": "DOGE", "daily_rate": "1"},
    "mark_prices": {"prices": {"DOGE/USDT": "1"}, "source": "test"},
    "confirm_price": {"pair": "DOGE/USDT", "price": "1", "reason": "seen"},
    "reject_price": {"pair": "DOGE/USDT", "reason": "seen"},
    "fund_insurance": {"asset": "DOGE", "amount": "1"},
    "withdraw_insurance": {"asset": "DOGE", "amount": "1"},
}
CUSTOMERS = {
    "transfer",
    "send",
    "add_margin",
    "remove_margin",
    "set_margin_mode",
    "set_leverage",
    "borrow",
    "repay",
    "request_withdrawal",
}


def command_of(kind: str, account_id: str) -> dict[str, Any]:
    """A command of this type for an account, where its type has one."""
    named = {"account_id": account_id} if "account_id" in COMMANDS[kind].model_fields else {}
    return {"type": kind, "idempotency_key": f"try-{kind}", **named, **FIELDS[kind]}


def test_every_command_and_every_resource_has_its_row() -> None:
    assert set(MAY_SEND) == set(COMMANDS) == set(FIELDS)
    assert set(MAY_READ) == set(Resource)
    assert {kind for kind, roles in MAY_SEND.items() if Role.CUSTOMER in roles} == CUSTOMERS
    assert not any(Role.AUDITOR in roles for roles in MAY_SEND.values())


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("who", ["service", "operator", "auditor", "stranger"])
def test_a_role_may_send_its_commands_and_no_others(house: House, kind: str, who: str) -> None:
    role = Role.CUSTOMER if who == "stranger" else Role(who)
    before = house.log_end()
    answer = house.post(command_of(kind, "stranger"), who=who)
    may = role in MAY_SEND[kind]
    assert (answer.status_code == 403) is not may
    if not may:
        assert answer.json()["code"] == "forbidden"
        assert kind in answer.json()["detail"]
        assert house.log_end() == before


def test_an_admin_may_send_everything(house: House) -> None:
    for kind in FIELDS:
        assert house.post(command_of(kind, "admins-own")).status_code != 403, kind


def test_what_a_role_may_not_send_refuses_no_other_command_of_a_list(house: House) -> None:
    house.send(open_account("mixed"))
    answer = house.post([deposit("mixed", "1", "d1"), command_of("freeze_account", "mixed")], who="service")
    assert [result["status"] for result in answer.json()["results"]] == ["recorded", "refused"]
    assert answer.json()["results"][1]["problem"]["status"] == 403


@pytest.mark.parametrize("kind", sorted(CUSTOMERS))
def test_a_customer_acts_on_the_own_account_only_and_learns_of_no_other(house: House, kind: str) -> None:
    house.send(
        *(one for one in [open_account("mine"), open_account("existing")] if not _is_open(house, one["account_id"]))
    )
    answers = [house.post(command_of(kind, account_id), who="mine") for account_id in ("existing", "missing")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()
    assert house.post(command_of(kind, "mine"), who="mine").status_code != 403


def test_a_customers_event_says_who_acted(house: House) -> None:
    house.send(open_account("acting"), deposit("acting", "10", "d1"))
    house.send(command_of("transfer", "acting"), who="acting")
    events = house.get("/v1/accounts/acting/events", params={"topic": "funds.transferred"}, who="acting").json()[
        "events"
    ]
    assert [event["actor"] for event in events] == ["customer:acting-phone"]


def test_interest_of_all_is_not_for_customers(house: House) -> None:
    command = {"type": "accrue_interest", "hour": "2026-01-01T00:00:00Z", "idempotency_key": "all"}
    assert house.post(command, who="stranger").status_code == 403


@pytest.mark.parametrize(("who", "may"), [("stranger", False), ("service", True), ("admin", True)])
def test_only_staff_states_a_business_time(house: House, who: str, may: bool) -> None:
    kind = "request_withdrawal" if who == "stranger" else "deposit"
    command = {**command_of(kind, "stranger"), "effective_at": "2026-01-01T00:00:00Z"}
    answer = house.post(command, who=who)
    assert (answer.status_code == 403) is not may
    if not may:
        assert "effective_at" in answer.json()["detail"]


def test_an_operator_states_a_business_time(house: House) -> None:
    command = {**command_of("freeze_account", "stranger"), "effective_at": "2026-01-01T00:00:00Z"}
    assert house.post(command, who="operator").status_code != 403


OWN = [
    "/v1/accounts/{}",
    "/v1/accounts/{}/limits?wallet=cross&asset=USDT",
    "/v1/accounts/{}/events",
    "/v1/accounts/{}/statement",
    "/v1/accounts/{}/statement/document",
    "/v1/accounts/{}/diff",
]
LISTS = ["/v1/withdrawals", "/v1/holds", "/v1/loans", "/v1/liquidations", "/v1/margin-calls"]
STAFFS = [
    "/v1/accounts",
    "/v1/events",
    "/v1/events/1",
    "/v1/reports/trial-balance",
    "/v1/reports/margin-levels",
    "/v1/reports/insurance",
    "/v1/reports/exposure",
    "/v1/adjustments",
    "/v1/adjustments?account_id=stranger",
]


@pytest.mark.parametrize("who", ["service", "operator", "auditor", "admin"])
def test_staff_reads_everything(house: House, who: str) -> None:
    if not _is_open(house, "read"):
        house.send(open_account("read"))
    for path in [path.format("read") for path in OWN] + LISTS + STAFFS + ["/v1/market"]:
        answer = house.get(path, who=who)
        assert answer.status_code == 200, (path, answer.text)


def test_a_customer_reads_the_own_account_and_the_market(house: House) -> None:
    house.send(open_account("reader"))
    for path in [path.format("reader") for path in OWN] + LISTS + ["/v1/market"]:
        assert house.get(path, who="reader").status_code == 200, path


@pytest.mark.parametrize("path", OWN)
def test_a_customer_reads_no_other_account_and_learns_of_none(house: House, path: str) -> None:
    if not _is_open(house, "secret"):
        house.send(open_account("secret"))
    answers = [house.get(path.format(account_id), who="stranger") for account_id in ("secret", "missing")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("path", STAFFS)
def test_a_customer_reads_nothing_of_all_accounts(house: House, path: str) -> None:
    assert house.get(path, who="stranger").status_code == 403


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_a_customer_the_own_account_only(house: House, path: str) -> None:
    assert house.get(f"{path}?account_id=secret", who="stranger").status_code == 403
    assert house.get(f"{path}?account_id=stranger", who="stranger").status_code == 200


def test_a_customers_lists_hold_nothing_of_others(house: House) -> None:
    for name in ("listed-1", "listed-2"):
        house.send(open_account(name), deposit(name, "10", "d1"), command_of("request_withdrawal", name))
        house.send(command_of("place_hold", name))
    for path, name in [("/v1/withdrawals", "withdrawals"), ("/v1/holds", "holds")]:
        assert {row["account_id"] for row in house.get(path, who="listed-1").json()[name]} == {"listed-1"}
        assert {"listed-1", "listed-2"} <= {row["account_id"] for row in house.get(path).json()[name]}


def test_a_customer_asks_of_the_own_liquidations_only(house: House) -> None:
    assert house.get("/v1/liquidations/secret.1", who="stranger").status_code == 403
    assert house.get("/v1/liquidations/stranger.1", who="stranger").status_code == 404


def _is_open(house: House, account_id: str) -> bool:
    return house.get(f"/v1/accounts/{account_id}").status_code == 200
