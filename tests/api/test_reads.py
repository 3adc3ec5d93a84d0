"""Who looked: every read of customers' data by somebody else leaves one line, and none is answered without."""

import json
import uuid
from typing import Any

import pytest

from api.reads.door import NOT_LOGGED
from api.routes.actions import ACTIONS
from ledger.postgres import connect
from tests.api.house import House, open_account

STAFF = ["service", "operator", "auditor", "admin"]


class Places(dict[str, str]):
    """What stands in a path; whatever is not named here is a number."""

    def __missing__(self, name: str) -> str:
        return "1"


PATHS = Places(
    {
        "account_id": "alice",
        "liquidation_id": "lucy.5",
        "code": "malformed",
        "name": "nobody",
    }
)
PARAMETERS = {
    "wallet": "cross",
    "asset": "USDT",
    "book": "account/alice/spot",
    "pair": "BTC/USDT",
    "scope": "cross",
    "from_size": "1",
    "to_size": "1",
}
BODIES = {"/v1/risk/what-if": {"shocks": {"BTC/USDT": "-20%"}}}
COMMANDS = {"POST /v1/commands", *(f"{action.method} {action.path}" for action in ACTIONS)}
OPEN = {"/health", "/metrics", "/problems", "/problems/{code}"}


def lines(house: House, correlation_id: str) -> list[tuple[Any, ...]]:
    """What the log of reads has of one request."""
    with house.pool.connection() as connection:
        return connection.execute(
            "select actor, purpose, what, account_id, parameters, position, row_count, status from reads "
            "where correlation_id = %s order by number",
            [correlation_id],
        ).fetchall()


def asked(house: House, path: str, *, who: str, method: str = "GET", **options: Any) -> tuple[Any, list[Any]]:
    """The answer to a request, and the lines that it left."""
    correlation_id = uuid.uuid4().hex
    headers = {"X-Correlation-Id": correlation_id, **options.pop("headers", {})}
    answer = house.ask(method, path, who=who, headers=headers, **options)
    return answer, lines(house, correlation_id)


def questions(house: House) -> list[tuple[str, str, dict[str, str]]]:
    """Every operation that is no command: its method, its path, and the parameters it cannot do without."""
    found = []
    for path, operations in house.http.get("/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            if f"{method.upper()} {path}" not in COMMANDS:
                needed = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
                required = {name: PARAMETERS[name] for name in needed if name in PARAMETERS}
                found.append((method.upper(), path, required))
    return found


def asked_question(house: House, method: str, path: str, parameters: dict[str, str], who: str) -> tuple[int, list[Any]]:
    """The status of a question, and the lines that it left; a stream is read no further than that it is open."""
    correlation_id = uuid.uuid4().hex
    headers = {"Authorization": f"Bearer {house.key(who)}", "X-Correlation-Id": correlation_id}
    body = json.dumps(BODIES.get(path, {})) if method == "POST" else None
    place = path.format_map(PATHS)
    with house.http.stream(method, place, headers=headers, params=parameters, content=body) as answer:
        return answer.status_code, lines(house, correlation_id)


@pytest.mark.parametrize("who", STAFF)
def test_every_read_of_staff_leaves_one_line_or_says_why_not(told: House, who: str) -> None:
    for method, path, parameters in questions(told):
        status, left = asked_question(told, method, path, parameters, who)
        what = f"{method} {path}"
        if path in OPEN or what in NOT_LOGGED:
            assert left == [], what
        else:
            assert [(one[0], one[2], one[7]) for one in left] == [(f"{who}:{who}", what, status)], what
            assert status < 500, what
            named = "{account_id}" in path or "book" in parameters
            assert (left[0][3] == "alice") is named or "liquidation_id" in path, what


def test_what_is_not_logged_is_a_route_and_has_a_reason(told: House) -> None:
    documented = {
        f"{method.upper()} {path}"
        for path, operations in told.http.get("/openapi.json").json()["paths"].items()
        for method in operations
    }
    assert set(NOT_LOGGED) <= documented
    assert all(NOT_LOGGED.values())


def test_no_read_of_a_customers_own_leaves_a_line(told: House) -> None:
    for method, path, parameters in questions(told):
        status, left = asked_question(told, method, path, parameters, "alice")
        is_tried = status == 403 and f"{method} {path}" not in NOT_LOGGED
        assert [one[0] for one in left] == ["customer:alice-phone"] * is_tried, (method, path, status)
        if "{account_id}" in path and method == "GET":
            assert status != 403, path


def test_a_customer_who_asks_of_another_is_refused_and_logged(told: House) -> None:
    answer, left = asked(told, "/v1/accounts/lucy", who="alice")
    assert answer.status_code == 403
    assert [(one[0], one[3], one[7]) for one in left] == [("customer:alice-phone", "lucy", 403)]


def test_a_line_says_who_why_what_and_what_was_answered(told: House) -> None:
    answer, left = asked(
        told,
        "/v1/accounts/alice/statement?wallet=spot&limit=3&position=20",
        who="auditor",
        headers={"X-Purpose": "ticket 4711"},
    )
    assert left == [
        (
            "auditor:auditor",
            "ticket 4711",
            "GET /v1/accounts/{account_id}/statement",
            "alice",
            {"wallet": "spot", "limit": "3", "position": "20"},
            answer.json()["position"],
            len(answer.json()["lines"]),
            200,
        )
    ]


def test_a_refused_read_is_logged_too(told: House) -> None:
    for path, who, status in [
        ("/v1/accounts/nobody", "auditor", 404),
        ("/v1/reads", "operator", 403),
        ("/v1/accounts/alice?position=99999999", "auditor", 400),
    ]:
        answer, left = asked(told, path, who=who)
        assert answer.status_code == status
        assert [one[7] for one in left] == [status]


def test_a_read_that_fails_by_a_fault_of_ours_is_logged_too(told: House) -> None:
    with connect(told.url, autocommit=True) as connection:
        connection.execute("alter table projections.margin_calls rename to away")
        answer, left = asked(told, "/v1/margin-calls?account_id=alice", who="auditor")
        connection.execute("alter table projections.away rename to margin_calls")
    assert answer.status_code == 500
    assert [(one[3], one[7]) for one in left] == [("alice", 500)]


def test_without_a_key_nobody_is_known_and_nothing_is_logged(told: House) -> None:
    before = total(told)
    assert told.http.get("/v1/accounts/alice").status_code == 401
    assert total(told) == before


def test_a_command_is_no_read(told: House) -> None:
    before = total(told)
    told.send(open_account(f"commanded-{uuid.uuid4().hex[:8]}"))
    assert told.ask("POST", "/v1/accounts/alice/freeze", json={"idempotency_key": "again"}).status_code == 200
    assert told.ask("POST", "/v1/accounts/nobody/freeze", json={"idempotency_key": "again"}).status_code == 404
    assert total(told) == before


def total(house: House) -> int:
    with house.pool.connection() as connection:
        row = connection.execute("select count(*) from reads").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("headers", "parameter", "kept"),
    [
        ({"X-Purpose": "ticket 1"}, None, "ticket 1"),
        ({}, " ticket 1 ", "ticket 1"),
        ({}, "a complaint", "a complaint"),
        ({"X-Purpose": "Prüfung".encode()}, None, "Prüfung"),
        ({"X-Purpose": "Prüfung".encode("latin-1")}, None, "Prüfung"),
        ({"X-Purpose": ""}, None, None),
        ({}, "  ", None),
        ({}, None, None),
        ({"X-Purpose": "x" * 200}, None, "x" * 200),
    ],
)
def test_a_purpose_is_kept_as_it_was_stated(
    told: House, headers: dict[str, Any], parameter: str | None, kept: str | None
) -> None:
    parameters = {} if parameter is None else {"purpose": parameter}
    answer, left = asked(told, "/v1/accounts/alice", who="auditor", headers=headers, params=parameters)
    assert answer.status_code == 200
    assert [(one[1], one[4]) for one in left] == [(kept, {})]


@pytest.mark.parametrize(
    ("headers", "parameter"),
    [({"X-Purpose": "x" * 201}, None), ({}, "two\nlines"), ({}, "\0"), ({"X-Purpose": "here"}, "there")],
)
def test_a_purpose_that_cannot_be_kept_is_malformed(
    told: House, headers: dict[str, Any], parameter: str | None
) -> None:
    parameters = {} if parameter is None else {"purpose": parameter}
    answer, left = asked(told, "/v1/accounts/alice", who="auditor", headers=headers, params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert left == []


def test_what_is_asked_with_cannot_spoil_a_line(told: House) -> None:
    answer, left = asked(told, "/v1/accounts", who="auditor", params={"status": "\0\\u0000'" + "x" * 500})
    assert answer.status_code == 400
    assert left[0][4]["status"].startswith("\ufffd\\u0000'xxx")
    assert len(left[0][4]["status"]) == 200


def test_a_stream_is_logged_when_it_opens_and_when_it_goes_on(told: House) -> None:
    end = told.log_end()
    cases: list[tuple[dict[str, str], int]] = [({}, end), ({"Last-Event-ID": "3"}, 3)]
    for headers, position in cases:
        correlation_id = uuid.uuid4().hex
        stated = {
            "Authorization": f"Bearer {told.key('auditor')}",
            "X-Correlation-Id": correlation_id,
            **headers,
        }
        with told.http.stream("GET", "/v1/accounts/alice/events/stream", headers=stated) as answer:
            assert answer.status_code == 200
            next(answer.iter_raw())
            (line,) = lines(told, correlation_id)
        assert line[2:] == (
            "GET /v1/accounts/{account_id}/events/stream",
            "alice",
            headers,
            position,
            None,
            200,
        )
