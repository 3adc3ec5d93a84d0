"""Every command at its own resource does what it does at POST /v1/commands."""

from typing import Any

import pytest

from api.routes.actions import ACTIONS, content_of
from ledger import COMMANDS, Malformed
from tests.api.house import House, deposit, open_account

AMOUNT = {"asset": "USDT", "amount": "1"}
SIDE = {"fee": "0", "fee_asset": "USDT"}
ADJUSTMENT = {**AMOUNT, "adjustment_id": "a1", "wallet": "spot", "reason_code": "compensation"}
# Path, body, and the topics recorded or the code of the refusal, in an order in which they follow from each other.
STORY: list[tuple[str, str, dict[str, Any], list[str] | str]] = [
    ("POST", "/v1/accounts", {"account_id": "ann", "idempotency_key": "o"}, ["account.opened"]),
    ("POST", "/v1/accounts", {"account_id": "bob", "idempotency_key": "o"}, ["account.opened"]),
    ("POST", "/v1/accounts/ann/deposits", {"asset": "USDT", "amount": "9000", "deposit_id": "d1"}, ["funds.deposited"]),
    ("POST", "/v1/accounts/bob/deposits", {"asset": "BTC", "amount": "1", "deposit_id": "d1"}, ["funds.deposited"]),
    ("POST", "/v1/accounts/ann/withdrawals", {**AMOUNT, "withdrawal_id": "w1"}, ["withdrawal.requested"]),
    ("POST", "/v1/accounts/ann/withdrawals/w1/settle", {}, ["withdrawal.settled"]),
    ("POST", "/v1/accounts/ann/withdrawals", {**AMOUNT, "withdrawal_id": "w2"}, ["withdrawal.requested"]),
    ("POST", "/v1/accounts/ann/withdrawals/w2/cancel", {}, ["withdrawal.cancelled"]),
    (
        "POST",
        "/v1/accounts/ann/transfers",
        {"asset": "USDT", "amount": "2000", "from": "spot", "to": "cross"},
        ["funds.transferred"],
    ),
    ("POST", "/v1/accounts/ann/sends", {**AMOUNT, "to_account_id": "bob"}, ["transfer.sent", "transfer.received"]),
    ("PUT", "/v1/accounts/ann/margin-modes/BTC-USDT", {"mode": "isolated"}, ["margin_mode.set"]),
    ("POST", "/v1/accounts/ann/isolated/BTC-USDT/margin", {"asset": "USDT", "amount": "50"}, ["margin.added"]),
    ("POST", "/v1/accounts/ann/isolated/BTC-USDT/margin/remove", AMOUNT, ["margin.removed"]),
    ("PUT", "/v1/accounts/ann/wallets/cross/leverage", {"leverage": "5"}, ["leverage.set"]),
    ("PUT", "/v1/accounts/ann/wallets/isolated:BTC-USDT/leverage", {"leverage": "4"}, ["leverage.set"]),
    ("POST", "/v1/accounts/ann/wallets/cross/loans", AMOUNT, ["loan.borrowed", "interest.accrued"]),
    ("POST", "/v1/accounts/ann/wallets/cross/repayments", {"asset": "USDT", "amount": "all"}, ["loan.repaid"]),
    ("POST", "/v1/accounts/ann/interest", {"hour": "2026-01-01T00:00:00Z"}, "nothing_to_do"),
    ("POST", "/v1/interest", {"hour": "2026-01-01T00:00:00Z"}, "nothing_to_do"),
    ("POST", "/v1/accounts/ann/wallets/cross/examine", {}, "nothing_to_do"),
    ("POST", "/v1/accounts/ann/wallets/isolated:BTC-USDT/liquidate", {}, "not_liquidatable"),
    ("POST", "/v1/accounts/ann/liquidations/ann.1/complete", {}, "unknown_liquidation"),
    ("POST", "/v1/accounts/ann/holds", {**AMOUNT, "hold_id": "h1", "wallet": "spot"}, ["funds.held"]),
    ("POST", "/v1/accounts/ann/holds/h1/release", {}, ["hold.released"]),
    (
        "POST",
        "/v1/accounts/ann/fills",
        {**SIDE, "trade_id": "t1", "pair": "ETH/USDT", "side": "buy", "quantity": "0.5", "price": "2000"},
        ["trade.booked"],
    ),
    (
        "POST",
        "/v1/trades",
        {
            "trade_id": "t2",
            "pair": "BTC/USDT",
            "quantity": "0.01",
            "price": "50000",
            "buyer": {**SIDE, "account_id": "ann", "wallet": "spot"},
            "seller": {**SIDE, "account_id": "bob", "wallet": "spot"},
        },
        ["trade.booked", "trade.booked"],
    ),
    ("POST", "/v1/accounts/ann/freeze", {"blocks": ["trade"]}, ["account.frozen"]),
    ("POST", "/v1/accounts/ann/unfreeze", {}, ["account.unfrozen"]),
    ("POST", "/v1/accounts/ann/erasures", {"reason_code": "customer_request"}, ["texts.erased"]),
    ("POST", "/v1/accounts/ann/events/2/reverse", {}, "insufficient_funds"),
    ("POST", "/v1/accounts/bob/adjustments", ADJUSTMENT, ["adjustment.proposed"]),
    ("POST", "/v1/accounts/bob/adjustments/a1/approve", {}, "same_actor"),
    ("POST", "/v1/accounts/bob/adjustments/a1/reject", {}, "same_actor"),
    ("POST", "/v1/accounts/ann/close", {}, "account_not_empty"),
    ("POST", "/v1/assets", {"asset": "SOL", "scale": 6, "daily_interest_rate": "0"}, ["asset.listed"]),
    ("PUT", "/v1/assets/SOL/limits", {"borrow_limit": "10"}, ["asset_limits.set"]),
    ("POST", "/v1/assets/SOL/interest-rates", {"daily_rate": "0.001"}, ["interest_rate.set"]),
    ("POST", "/v1/pairs", {"pair": "SOL/USDT", "price_scale": 3, "max_leverage": "3"}, ["pair.listed"]),
    ("PUT", "/v1/pairs/SOL-USDT/status", {"status": "halted"}, ["pair_status.set"]),
    ("PUT", "/v1/risk-limits/SOL-USDT", {"dust": "2"}, ["risk_limits.set"]),
    ("PUT", "/v1/risk-limits/cross", {"dust": "2"}, ["risk_limits.set"]),
    ("POST", "/v1/prices", {"prices": {"SOL/USDT": "100"}, "source": "test"}, ["prices.marked"]),
    ("PUT", "/v1/risk-limits/SOL-USDT", {"price_jump_limit": "0.1"}, ["risk_limits.set"]),
    ("POST", "/v1/prices", {"prices": {"SOL/USDT": "50"}, "source": "test"}, ["prices.held"]),
    ("POST", "/v1/prices/SOL-USDT/confirm", {"price": "51", "reason": "seen"}, ["prices.marked"]),
    ("POST", "/v1/prices", {"prices": {"SOL/USDT": "1"}, "source": "test"}, ["prices.held"]),
    ("POST", "/v1/prices/SOL-USDT/reject", {"reason": "a slip"}, ["price.rejected"]),
    ("POST", "/v1/prices/SOL-USDT/reject", {"reason": "a slip", "source": "test"}, "price_not_held"),
    ("POST", "/v1/insurance/deposits", AMOUNT, ["insurance.funded"]),
    ("POST", "/v1/insurance/withdrawals", AMOUNT, ["insurance.withdrawn"]),
]


def test_every_command_has_a_route_and_every_route_is_told_here() -> None:
    assert {action.command for action in ACTIONS} == set(COMMANDS)
    assert len(STORY) >= len(ACTIONS)


def test_every_route_does_its_command(house: House) -> None:
    for number, (method, path, body, expected) in enumerate(STORY):
        key = body.get("idempotency_key", f"s{number}")
        answer = house.ask(method, path, json=body, headers={"Idempotency-Key": key})
        if isinstance(expected, str):
            assert answer.json()["code"] == expected, (path, answer.text)
        else:
            assert answer.status_code == 200, (path, answer.text)
            (result,) = answer.json()["results"]
            assert [event["topic"] for event in result["events"]] == expected, path


def test_a_route_and_the_commands_share_their_keys(house: House) -> None:
    house.send(open_account("shared"), deposit("shared", "5", "d1"))
    body = {"asset": "USDT", "amount": "5", "deposit_id": "d1"}
    (result,) = house.ask("POST", "/v1/accounts/shared/deposits", json=body).json()["results"]
    assert result["status"] == "replayed"


def test_roles_hold_at_resources_too(house: House) -> None:
    assert house.ask("POST", "/v1/accounts/ann/deposits", who="auditor", json=AMOUNT).status_code == 400
    body = {**AMOUNT, "deposit_id": "d9"}
    assert house.ask("POST", "/v1/accounts/ann/deposits", who="auditor", json=body).status_code == 403
    assert house.http.post("/v1/accounts/ann/deposits", json=body).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"nothing",
        b'{"amount": "1", "amount": "2"}',
        b'{"type": "send"}',
        b'{"account_id": "bob"}',
        b'{"pear": 1}',
    ],
)
def test_a_body_that_does_not_belong_to_the_route_is_malformed(house: House, body: bytes) -> None:
    answer = house.ask("POST", "/v1/accounts/ann/deposits", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_parameter_at_a_route_of_a_command_is_malformed(house: House) -> None:
    answer = house.ask("POST", "/v1/accounts/ann/deposits?atomic=true", json={**AMOUNT, "deposit_id": "d7"})
    assert answer.status_code == 400


def test_a_pair_is_written_with_a_dash_in_a_path() -> None:
    assert content_of("add_margin", {"pair": "BTC-USDT", "account_id": "a-b"}, {}) == {
        "type": "add_margin",
        "pair": "BTC/USDT",
        "account_id": "a-b",
    }
    with pytest.raises(Malformed, match="pair"):
        content_of("add_margin", {"pair": "BTC-USDT"}, {"pair": "ETH/USDT"})
