"""Bad input of every kind gets a precise problem, and changes nothing."""

import json
from typing import Any

import pytest

from api.bodies import MOST_BYTES, MOST_COMMANDS
from tests.api.house import NDJSON, House, deposit, open_account

GOOD = deposit("target", "1", "d1")


@pytest.fixture(scope="module")
def target(house: House) -> House:
    house.send(open_account("target"), deposit("target", "100", "d0"))
    return house


UNREADABLE = {
    "nothing": (b"", "not JSON"),
    "no JSON": (b"deposit 5 USDT", "not JSON"),
    "half a body": (json.dumps(GOOD).encode()[:-1], "not JSON"),
    "two objects": (b"{} {}", "not JSON"),
    "a comment": (b"{} // all", "not JSON"),
    "a string": (b'"deposit"', "neither"),
    "a number": (b"17", "neither"),
    "null": (b"null", "neither"),
    "an array with a number": (b"[{}, 1]", "element 1"),
    "an array in an array": (b"[[{}]]", "element 0"),
    "an array with null": (b"[null]", "element 0"),
    "a name twice": (b'{"type": "deposit", "amount": "1", "amount": "2"}', "'amount' twice"),
    "a name twice deep inside": (b'[{"buyer": {"fee": "1", "fee": "2"}}]', "'fee' twice"),
    "NaN": (b'{"amount": NaN}', "NaN"),
    "Infinity": (b'[{"amount": Infinity}]', "Infinity"),
    "minus Infinity": (b'{"amount": -Infinity}', "-Infinity"),
    "endless digits": (b'{"amount": ' + b"9" * 5000 + b"}", "too many digits"),
    "half a surrogate pair": (b'{"account_id": "\\ud800"}', "surrogate"),
    "half a surrogate pair as a name": (b'{"\\udfff": 1}', "surrogate"),
    "invalid UTF-8": (b'{"account_id": "\xff"}', "UTF-8"),
    "UTF-16": ('{"type": "open_account"}'.encode("utf-16"), "UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "not JSON"),
    "deep arrays": (b"[" * 100_000, "nested"),
    "deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested"),
    "a control character": (b'{"account_id": "a\x01"}', "not JSON"),
    "too many commands": (json.dumps([{}] * (MOST_COMMANDS + 1)).encode(), "at most"),
    "too many bytes": (b" " * (MOST_BYTES + 1), "bytes"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused_whole(target: House, kind: str) -> None:
    body, said = UNREADABLE[kind]
    before = target.log_end()
    answer = target.post(body)
    assert answer.status_code == (413 if "too many" in kind else 400)
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert target.log_end() == before


@pytest.mark.parametrize("kind", [kind for kind in UNREADABLE if "too many" not in kind and kind != "nothing"])
def test_a_line_that_cannot_be_read_refuses_the_whole_body(target: House, kind: str) -> None:
    before = target.log_end()
    answer = target.post(json.dumps(GOOD).encode() + b"\n" + UNREADABLE[kind][0], headers=NDJSON)
    assert answer.status_code == 400
    assert "line 2" in answer.json()["detail"]
    assert target.log_end() == before


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "an unknown type": ({"type": "steal"}, 400, "malformed"),
    "no type": ({"type": None}, 400, "malformed"),
    "a type that is a list": ({"type": ["deposit"]}, 400, "malformed"),
    "a type that is a float beyond all": ({"type": 1e300}, 400, "malformed"),
    "a very long type": ({"type": "x" * 100_000}, 400, "malformed"),
    "an unknown field": ({"ammount": "1"}, 400, "malformed"),
    "a very long unknown field": ({"x" * 100_000: "1"}, 400, "malformed"),
    "a Python name of a field": ({"reference_": "x"}, 400, "malformed"),
    "a number as amount": ({"amount": 1}, 400, "malformed"),
    "a float as amount": ({"amount": 1.5}, 400, "malformed"),
    "a huge float": ({"amount": 1e308}, 400, "malformed"),
    "a huge integer": ({"amount": 10**4000}, 400, "malformed"),
    "a boolean as amount": ({"amount": True}, 400, "malformed"),
    "null as amount": ({"amount": None}, 400, "malformed"),
    "a list as amount": ({"amount": ["1"]}, 400, "malformed"),
    "an object as amount": ({"amount": {"value": "1"}}, 400, "malformed"),
    "an empty amount": ({"amount": ""}, 400, "malformed"),
    "zero": ({"amount": "0"}, 400, "malformed"),
    "zero with decimals": ({"amount": "0.000"}, 400, "malformed"),
    "less than zero": ({"amount": "-1"}, 400, "malformed"),
    "NaN as a string": ({"amount": "NaN"}, 400, "malformed"),
    "Infinity as a string": ({"amount": "Infinity"}, 400, "malformed"),
    "an exponent": ({"amount": "1e3"}, 400, "malformed"),
    "a plus sign": ({"amount": "+1"}, 400, "malformed"),
    "a leading zero": ({"amount": "01"}, 400, "malformed"),
    "a leading point": ({"amount": ".5"}, 400, "malformed"),
    "a trailing point": ({"amount": "5."}, 400, "malformed"),
    "a space": ({"amount": " 1"}, 400, "malformed"),
    "a line end": ({"amount": "1\n"}, 400, "malformed"),
    "a comma": ({"amount": "1,5"}, 400, "malformed"),
    "an underscore": ({"amount": "1_000"}, 400, "malformed"),
    "other digits": ({"amount": "١٢"}, 400, "malformed"),
    "full-width digits": ({"amount": "１２"}, 400, "malformed"),
    "a hexadecimal": ({"amount": "0x10"}, 400, "malformed"),
    "39 digits": ({"amount": "1" * 39}, 400, "malformed"),
    "a million digits": ({"amount": "1" * 1_000_000}, 400, "malformed"),
    "too many decimals": ({"amount": "1.123456789"}, 400, "too_many_decimals"),
    "an asset in lower case": ({"asset": "usdt"}, 400, "malformed"),
    "an asset of one letter": ({"asset": "U"}, 400, "malformed"),
    "an asset that is not listed": ({"asset": "DOGE"}, 404, "unknown_asset"),
    "a number as account": ({"account_id": 7}, 400, "malformed"),
    "an empty account": ({"account_id": ""}, 400, "malformed"),
    "an account of 65 characters": ({"account_id": "a" * 65}, 400, "malformed"),
    "an account with a slash": ({"account_id": "a/b"}, 400, "malformed"),
    "an account with a line end": ({"account_id": "target\n"}, 400, "malformed"),
    "an account with a null character": ({"account_id": "a\x00b"}, 400, "malformed"),
    "the exchange's own stream": ({"account_id": "@exchange"}, 400, "malformed"),
    "the stream of prices": ({"account_id": "@prices"}, 400, "malformed"),
    "an account that is not open": ({"account_id": "nobody"}, 404, "unknown_account"),
    "an account in other letters": ({"account_id": "Target"}, 404, "unknown_account"),
    "a key with a space": ({"idempotency_key": "a b"}, 400, "malformed"),
    "an empty key": ({"idempotency_key": ""}, 400, "malformed"),
    "a number as key": ({"idempotency_key": 5}, 400, "malformed"),
    "a key of 129 characters": ({"idempotency_key": "k" * 129}, 400, "malformed"),
    "a reason with a null character": ({"reason": "a\x00b"}, 400, "malformed"),
    "a reason that is no text": ({"reason": 5}, 400, "malformed"),
    "an endless reason": ({"reason": "r" * 501}, 400, "malformed"),
    "a version that is a string": ({"expected_version": "1"}, 400, "malformed"),
    "a version that is a float": ({"expected_version": 1.0}, 400, "malformed"),
    "a version below zero": ({"expected_version": -1}, 400, "malformed"),
    "a version beyond all": ({"expected_version": 10**30}, 400, "malformed"),
    "a time without offset": ({"effective_at": "2026-01-01T00:00:00"}, 400, "malformed"),
    "a time that is a number": ({"effective_at": 1767225600}, 400, "malformed"),
    "a time that is digits": ({"effective_at": "1767225600"}, 400, "malformed"),
    "a day": ({"effective_at": "2026-01-01"}, 400, "malformed"),
    "a day that is not": ({"effective_at": "2026-02-30T00:00:00Z"}, 400, "malformed"),
    "the year zero": ({"effective_at": "0000-01-01T00:00:00Z"}, 400, "malformed"),
    "a time before all time": ({"effective_at": "0001-01-01T00:00:00+14:00"}, 400, "malformed"),
    "a time after all time": ({"effective_at": "9999-12-31T23:59:59-14:00"}, 400, "malformed"),
    "a time to come": ({"effective_at": "2199-01-01T00:00:00Z"}, 409, "effective_in_future"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_command_that_is_wrong_gets_its_problem_and_changes_nothing(target: House, kind: str) -> None:
    change, status, code = WRONG[kind]
    before = target.log_end()
    answer = target.post({**GOOD, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert 10 < len(answer.json()["detail"]) < 5000
    assert target.log_end() == before
    (result,) = target.post([{**GOOD, **change}]).json()["results"]
    assert result["problem"]["code"] == code
    assert target.log_end() == before


def test_a_business_time_before_all_exchanges_is_malformed(target: House) -> None:
    borrow = {"type": "borrow", "account_id": "target", "wallet": "cross", "asset": "USDT", "amount": "1"}
    answer = target.post({**borrow, "idempotency_key": "old", "effective_at": "0001-01-01T00:00:00Z"})
    assert answer.status_code == 400


def test_a_key_is_needed_where_nothing_names_the_command(target: House) -> None:
    command = {"type": "deposit", "account_id": "target", "asset": "USDT", "amount": "1"}
    answer = target.post(command)
    assert answer.status_code == 400
    assert "idempotency_key" in answer.json()["detail"]


def test_a_body_in_chunks_beyond_the_limit_is_refused(target: House) -> None:
    chunks = (b" " * 1_000_000 for _ in range(MOST_BYTES // 1_000_000 + 2))
    answer = target.ask("POST", "/v1/commands", content=chunks)
    assert answer.status_code == 413


BAD_QUESTIONS = [
    "/v1/accounts?limit=0",
    "/v1/accounts?limit=1001",
    "/v1/accounts?limit=many",
    "/v1/accounts?status=asleep",
    "/v1/accounts?stauts=open",
    "/v1/accounts?limit=1&limit=2",
    "/v1/accounts?after=%00",
    "/v1/accounts/%00",
    "/v1/accounts/a%20b",
    "/v1/accounts/%FF",
    f"/v1/accounts/{'a' * 65}",
    "/v1/accounts/target?position=-1",
    "/v1/accounts/target?position=1.5",
    "/v1/accounts/target?position=1.0",
    "/v1/accounts/target?position=1_0",
    "/v1/accounts?limit=2.0",
    "/v1/liquidations/target.1/explanation?over_seconds=60.0",
    "/v1/events/1.0/proof",
    "/v1/accounts/target?position=99999999999999999999999",
    "/v1/accounts/target?position=999999999",
    "/v1/accounts/target?position=1&recorded_at=2026-01-01T00:00:00Z",
    "/v1/accounts/target?position=1&min_position=1",
    "/v1/accounts/target?stale=true&min_position=1",
    "/v1/accounts/target?stale=perhaps",
    "/v1/accounts/target?recorded_at=yesterday",
    "/v1/accounts/target?recorded_at=2026-01-01T00:00:00",
    "/v1/accounts/target?effective_at=0001-01-01T00:00:00%2B14:00",
    "/v1/accounts/target/limits",
    "/v1/accounts/target/limits?wallet=cross",
    "/v1/accounts/target/limits?wallet=pool&asset=USDT",
    "/v1/accounts/target/limits?wallet=cross&asset=usdt",
    "/v1/accounts/target/statement?format=xml",
    "/v1/accounts/target/statement?after=1",
    "/v1/accounts/target/statement?after=1:x",
    "/v1/events?topic=Loan",
    "/v1/events?actor=%00",
    "/v1/events?account_id=@nobody",
    "/v1/events?from=now",
    "/v1/holds?after=x",
    "/v1/loans?after=a,b",
    "/v1/withdrawals?status=lost",
    "/v1/adjustments?status=pending",
    "/v1/liquidations/target",
    "/v1/liquidations/target.x",
    "/v1/reports/margin-levels?band=safe",
    "/v1/reports/margin-levels?after=x",
    "/v1/market?at=1",
]


@pytest.mark.parametrize("path", BAD_QUESTIONS)
def test_a_question_that_is_wrong_is_malformed(target: House, path: str) -> None:
    answer = target.get(path)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/accounts/nobody", "unknown_account"),
        ("/v1/accounts/nobody/limits?wallet=cross&asset=USDT", "unknown_account"),
        ("/v1/accounts/nobody/events", "unknown_account"),
        ("/v1/accounts/nobody/statement", "unknown_account"),
        ("/v1/accounts/target?position=0", "unknown_account"),
        ("/v1/accounts/target/limits?wallet=cross&asset=DOGE", "unknown_asset"),
        ("/v1/accounts/target/limits?wallet=isolated:BTC/ETH&asset=BTC", "unknown_pair"),
        ("/v1/liquidations/target.1", "unknown_liquidation"),
        ("/v1/nothing", "unknown_route"),
        ("/problems/nothing", "unknown_route"),
        ("/v1/accounts/", "unknown_route"),
    ],
)
def test_what_does_not_exist_is_404(target: House, path: str, code: str) -> None:
    answer = target.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_a_method_that_a_path_does_not_take_is_405_and_says_which_it_takes(target: House) -> None:
    for method, path in [("DELETE", "/v1/accounts/target"), ("GET", "/v1/commands"), ("PUT", "/v1/market")]:
        answer = target.ask(method, path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"]
