"""POST /v1/commands: one, several, NDJSON, all or none, and the same key twice."""

import json
from typing import Any

import pytest

from tests.api.house import NDJSON, House, deposit, open_account


def test_one_object_is_answered_by_results_of_one(house: House) -> None:
    answer = house.post(open_account("one"))
    assert answer.status_code == 200
    (result,) = answer.json()["results"]
    assert result["status"] == "recorded"
    assert (result["account_id"], result["version"]) == ("one", 1)
    assert result["events"] == [
        {"account_id": "one", "topic": "account.opened", "version": 1, "position": result["position"]}
    ]


def test_one_object_that_is_refused_is_answered_by_the_bare_problem(house: House) -> None:
    answer = house.post(deposit("nobody", "10", "d1"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "unknown_account"
    assert problem["type"].endswith("/unknown_account")
    assert problem["status"] == 404
    assert "nobody" in problem["detail"]


def test_an_array_of_one_is_answered_200_also_where_it_is_refused(house: House) -> None:
    answer = house.post([deposit("nobody", "10", "d1")])
    assert answer.status_code == 200
    (result,) = answer.json()["results"]
    assert result["status"] == "refused"
    assert result["problem"]["code"] == "unknown_account"


def test_results_come_in_the_order_asked_and_a_malformed_element_touches_no_other(house: House) -> None:
    house.send(open_account("order"))
    answer = house.post(
        [
            deposit("order", "1", "d1"),
            {"type": "deposit", "account_id": "order", "amount": 5},
            deposit("order", "2", "d2"),
            deposit("nobody", "3", "d3"),
            {},
        ]
    )
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["recorded", "refused", "recorded", "refused", "refused"]
    assert [result["problem"]["status"] for result in results if "problem" in result] == [400, 404, 400]


def test_ndjson_is_answered_like_an_array(house: House) -> None:
    house.send(open_account("lines"))
    lines = "\n".join([json.dumps(deposit("lines", "1", "d1")), "", json.dumps(deposit("lines", "2", "d2")) + "\r", ""])
    answer = house.post(lines.encode(), headers=NDJSON)
    assert answer.status_code == 200
    assert [result["version"] for result in answer.json()["results"]] == [2, 3]


def test_one_line_of_ndjson_is_a_list_too(house: House) -> None:
    answer = house.post(json.dumps(deposit("nobody", "1", "d1")).encode(), headers=NDJSON)
    assert answer.status_code == 200
    assert answer.json()["results"][0]["problem"]["code"] == "unknown_account"


def test_a_line_that_is_no_object_refuses_the_whole_body_and_names_the_line(house: House) -> None:
    house.send(open_account("broken"))
    before = house.log_end()
    answer = house.post(json.dumps(deposit("broken", "1", "d1")).encode() + b"\n[1]\n", headers=NDJSON)
    assert answer.status_code == 400
    assert "line 2" in answer.json()["detail"]
    assert house.log_end() == before


def test_an_empty_array_has_no_results(house: House) -> None:
    answer = house.post([])
    assert (answer.status_code, answer.json()) == (200, {"results": []})


def test_under_atomic_one_refusal_refuses_all(house: House) -> None:
    house.send(open_account("atomic"))
    before = house.log_end()
    commands = [deposit("atomic", "1", "d1"), deposit("nobody", "2", "d2"), deposit("atomic", "3", "d3")]
    results = house.post(commands, params={"atomic": "true"}).json()["results"]
    assert [result["problem"]["code"] for result in results] == ["batch_refused", "unknown_account", "batch_refused"]
    assert house.log_end() == before
    recorded = house.post([commands[0], commands[2]], params={"atomic": "true"}).json()["results"]
    assert [result["status"] for result in recorded] == ["recorded", "recorded"]


def test_under_atomic_a_malformed_command_refuses_all(house: House) -> None:
    house.send(open_account("atomic-malformed"))
    before = house.log_end()
    commands = [deposit("atomic-malformed", "1", "d1"), {"type": "nonsense"}]
    results = house.post(commands, params={"atomic": "true"}).json()["results"]
    assert [result["problem"]["code"] for result in results] == ["batch_refused", "malformed"]
    assert house.log_end() == before


@pytest.mark.parametrize("query", ["atomic=yes", "atomic=1", "atomic=", "atomic=true&atomic=true", "atomc=true"])
def test_a_parameter_that_is_not_understood_is_refused(house: House, query: str) -> None:
    assert house.ask("POST", f"/v1/commands?{query}", json=[]).status_code == 400


def test_the_same_key_with_the_same_content_is_replayed(house: House) -> None:
    house.send(open_account("again"))
    first = house.post(deposit("again", "1", "d1")).json()["results"][0]
    second = house.post(deposit("again", "1.0", "d1")).json()["results"][0]
    assert second == {**first, "status": "replayed"}


def test_the_same_key_with_other_content_is_refused_and_names_the_field(house: House) -> None:
    house.send(open_account("other"), deposit("other", "1", "d1"))
    answer = house.post(deposit("other", "2", "d1"))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "idempotency_key_reused"
    assert problem["field"] == "amount"


def test_the_header_serves_as_key_of_a_single_command(house: House) -> None:
    house.send(open_account("header"))
    command = {"type": "deposit", "account_id": "header", "asset": "USDT", "amount": "1"}
    first = house.post(command, headers={"Idempotency-Key": "k1"})
    assert first.json()["results"][0]["status"] == "recorded"
    assert house.post(command, headers={"Idempotency-Key": "k1"}).json()["results"][0]["status"] == "replayed"
    body = house.post({**command, "idempotency_key": "k1"}, headers={"Idempotency-Key": "k1"})
    assert body.json()["results"][0]["status"] == "replayed"
    assert house.post([command], headers={"Idempotency-Key": "k1"}).json()["results"][0]["status"] == "replayed"


def test_a_header_that_differs_from_the_body_or_serves_several_is_malformed(house: House) -> None:
    command = {"type": "deposit", "account_id": "header", "asset": "USDT", "amount": "1"}
    header = {"Idempotency-Key": "k9"}
    assert house.post({**command, "idempotency_key": "k8"}, headers=header).status_code == 400
    assert house.post([command, command], headers=header).status_code == 400


def test_an_expected_version_that_does_not_hold_is_412(house: House) -> None:
    house.send(open_account("versioned"))
    answer = house.post({**deposit("versioned", "1", "d1"), "expected_version": 7})
    assert (answer.status_code, answer.json()["code"]) == (412, "version_mismatch")
    assert house.post({**deposit("versioned", "1", "d1"), "expected_version": 1}).status_code == 200


def test_the_correlation_id_is_taken_from_the_header_stored_and_echoed(house: House) -> None:
    answer = house.post(open_account("correlated"), headers={"X-Correlation-Id": "request-7"})
    assert answer.headers["x-correlation-id"] == "request-7"
    events = house.get("/v1/accounts/correlated/events").json()["events"]
    assert [event["correlation_id"] for event in events] == ["request-7"]
    assert events[0]["actor"] == "admin:admin"


def test_a_correlation_id_is_made_where_none_is_stated(house: House) -> None:
    first, second = house.post([]), house.post([])
    assert first.headers["x-correlation-id"] != second.headers["x-correlation-id"]


def test_a_correlation_id_that_is_no_identifier_is_refused(house: House) -> None:
    answer = house.post([], headers={"X-Correlation-Id": "a b"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_version_and_position_of_a_trade_are_the_buyers(house: House) -> None:
    house.send(
        open_account("buyer"),
        open_account("seller"),
        deposit("buyer", "100000", "d1"),
        deposit("seller", "1", "d1", "BTC"),
    )
    side: dict[str, Any] = {"fee": "0", "fee_asset": "USDT", "wallet": "spot"}
    (result,) = house.send(
        {
            "type": "book_trade",
            "trade_id": "t1",
            "pair": "BTC/USDT",
            "quantity": "1",
            "price": "50000",
            "buyer": {**side, "account_id": "buyer"},
            "seller": {**side, "account_id": "seller"},
        }
    )
    assert (result["account_id"], result["version"]) == ("buyer", 3)
    assert {event["account_id"] for event in result["events"]} == {"buyer", "seller"}


def test_interest_of_all_who_owe_is_one_result(house: House) -> None:
    for name in ("debtor-1", "debtor-2"):
        house.send(
            open_account(name),
            deposit(name, "1000", "d1"),
            {
                "type": "transfer",
                "account_id": name,
                "from": "spot",
                "to": "cross",
                "asset": "USDT",
                "amount": "1000",
                "idempotency_key": "t1",
            },
            {
                "type": "borrow",
                "account_id": name,
                "wallet": "cross",
                "asset": "USDT",
                "amount": "100",
                "idempotency_key": "b1",
                "effective_at": "2026-01-01T00:30:00Z",
            },
        )
    job = {"type": "accrue_interest", "hour": "2026-01-01T03:00:00Z", "idempotency_key": "interest-3"}
    (result,) = house.post(job).json()["results"]
    assert result["status"] == "recorded"
    assert {event["account_id"] for event in result["events"]} == {"debtor-1", "debtor-2"}
    assert {event["topic"] for event in result["events"]} == {"interest.accrued"}
    assert house.post(job).json()["results"] == [{**result, "status": "replayed"}]
    nothing = house.post({**job, "idempotency_key": "interest-3-again"})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_do")


def test_a_job_is_no_part_of_an_atomic_batch(house: House) -> None:
    job = {"type": "accrue_interest", "hour": "2026-01-01T03:00:00Z", "idempotency_key": "interest-4"}
    opening = {"type": "open_account", "account_id": "beside-a-job"}
    results = house.post([opening, job], params={"atomic": "true"}).json()["results"]
    assert [result["problem"]["code"] for result in results] == ["batch_refused", "malformed"]
    assert house.get("/v1/accounts/beside-a-job").status_code == 404
