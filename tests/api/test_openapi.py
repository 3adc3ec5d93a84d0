"""The OpenAPI document names every command, every question, and nothing that is not there."""

import json
import re
from typing import Any

import pytest

from ledger import COMMANDS
from tests.api.house import House


@pytest.fixture(scope="module")
def document(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.http.get("/openapi.json").json()
    return found


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]


def test_commands_are_one_of_all_types(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/commands"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "application/x-ndjson"}
    mapping = body["application/json"]["schema"]["oneOf"][0]["discriminator"]["mapping"]
    assert set(mapping) == set(COMMANDS)
    for name, reference in mapping.items():
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert schema["properties"]["type"]["const"] == name
        assert "type" in schema["required"]


def test_every_question_of_the_contract_is_there(document: dict[str, Any]) -> None:
    asked = {path for path, operations in document["paths"].items() if "get" in operations}
    account = "/v1/accounts/{account_id}"
    assert asked >= {
        *("/v1/accounts", account, f"{account}/limits", f"{account}/events", f"{account}/statement"),
        *("/v1/events", "/v1/withdrawals", "/v1/holds", "/v1/market", "/v1/liquidations/{liquidation_id}"),
        *("/v1/reports/trial-balance", "/v1/reports/margin-levels", "/health"),
    }


def test_operations_are_named_once_and_tell_of_problems(document: dict[str, Any]) -> None:
    operations = [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]
    ids = [operation["operationId"] for _, operation in operations]
    assert len(set(ids)) == len(ids)
    for path, operation in operations:
        assert operation["summary"]
        assert operation["tags"]
        assert path in ("/health", "/metrics") or "default" in operation["responses"]
        assert not any(name.startswith("x-") for name in operation)


def test_a_command_that_needs_a_key_says_so_and_one_with_an_id_of_its_own_says_what_serves(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    for name, kind in COMMANDS.items():
        schema = schemas[kind.__name__]
        needs_key = kind.OWN_ID is None and not kind.KEY_MAY_BE_LEFT_OUT
        assert ("idempotency_key" in schema["required"]) == needs_key, name
    assert schemas["Borrow"]["properties"]["idempotency_key"]["type"] == "string"
    assert "`deposit:DEPOSIT_ID`" in schemas["Deposit"]["properties"]["idempotency_key"]["description"]
    assert "May be left out" in schemas["MarkPrices"]["properties"]["idempotency_key"]["description"]


def test_routes_of_commands_list_the_problems_they_answer(document: dict[str, Any]) -> None:
    statuses = {"400", "401", "403", "404", "409", "412", "413", "422", "429", "503"}
    for path in ("/v1/commands", "/v1/accounts/{account_id}/isolated/{pair}/margin"):
        responses = document["paths"][path]["post"]["responses"]
        assert statuses <= set(responses)
        assert all(set(responses[status]["content"]) == {"application/problem+json"} for status in statuses)
    assert "422" not in document["paths"]["/v1/accounts/{account_id}"]["get"]["responses"]


def test_a_route_of_a_command_takes_what_its_path_does_not_say(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/accounts/{account_id}/isolated/{pair}/margin"]["post"]
    fields = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"asset", "amount", "from"} <= set(fields)
    assert not {"type", "account_id", "pair"} & set(fields)
