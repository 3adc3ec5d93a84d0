"""The path of a level at its door, and events read on from a version."""

import pytest

from tests.api.house import House

PATH = "/v1/accounts/lucy/level-path"
BUCKET = "isolated:ETH/USDT"


def test_a_level_path_ends_as_the_account_stands(told: House) -> None:
    before = told.get("/v1/liquidations").json()["liquidations"][0]["started_position"] - 1
    path = told.get(PATH, params={"wallet": BUCKET, "to_position": before}).json()
    account = told.get("/v1/accounts/lucy", params={"position": before}).json()
    last, bucket = path["points"][-1], account["isolated"]["ETH/USDT"]
    assert (path["position"], last["position"]) == (before, before)
    assert (last["level"], last["band"], last["lines"]) == (bucket["margin_level"], bucket["band"], bucket["lines"])
    assert last["prices"]["ETH/USDT"] == account["prices"]["ETH/USDT"]["price"] == "2400"


def test_every_point_of_a_path_is_as_the_account_was_then(told: House) -> None:
    for point in told.get("/v1/accounts/alice/level-path?wallet=cross").json()["points"]:
        cross = told.get("/v1/accounts/alice", params={"position": point["position"]}).json()["cross"]
        assert (point["level"], point["equity"]) == (cross["margin_level"], cross["equity"])
        assert point["collateral_margin_level"] == cross["collateral_margin_level"]


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({}, 400, "wallet"),
        ({"wallet": "spot"}, 400, "wallet"),
        ({"wallet": "isolated:DOGE/USDT"}, 404, "pair DOGE/USDT is not listed"),
        ({"wallet": "cross", "to_position": 1}, 404, "was not opened by position 1"),
        ({"wallet": "cross", "to_position": 999_999}, 400, "the log ends at"),
        ({"wallet": "cross", "from_position": 20, "to_position": 15}, 400, "lies after position 15"),
        ({"wallet": "cross", "points": 5}, 400, "points"),
        ({"wallet": "cross", "points": 5000}, 400, "points"),
        ({"wallet": "cross", "to_position": 15, "to_recorded_at": "2026-01-01T00:00:00Z"}, 400, "exclude each other"),
        ({"wallet": "cross", "around_position": 20, "to_position": 30}, 400, "exclude each other"),
        ({"wallet": "cross", "span_seconds": 3600}, 400, "without around_position"),
        ({"wallet": "cross", "around_position": 20, "span_seconds": 5}, 400, "span_seconds"),
        ({"wallet": "cross", "around_position": 999_999}, 400, "the log ends at"),
        ({"wallet": "cross", "around_position": 1}, 404, "was not opened by position 1"),
        ({"wallet": "cross", "effective_at": "2026-01-01T00:00:00Z"}, 400, "not known here"),
    ],
)
def test_a_path_that_makes_no_sense_is_refused(told: House, asked: dict[str, str | int], status: int, why: str) -> None:
    answer = told.get("/v1/accounts/alice/level-path", params=asked)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert why in answer.json()["detail"]


def test_a_path_around_a_position_has_it_within_and_is_as_the_account_was_then(told: House) -> None:
    path = told.get(PATH, params={"wallet": BUCKET, "around_position": 25, "span_seconds": 3600}).json()
    assert path["from_position"] <= 25 <= path["to_position"]
    for point in path["points"]:
        bucket = told.get("/v1/accounts/lucy", params={"position": point["position"]}).json()["isolated"]
        assert point["level"] == bucket.get("ETH/USDT", {}).get("margin_level")


def test_a_customer_reads_the_own_path_alone(told: House) -> None:
    assert told.get(f"{PATH}?wallet=cross", who="lucy").status_code == 200
    assert told.get(f"{PATH}?wallet=cross", who="alice").status_code == 403
    assert told.get("/v1/accounts/nobody/level-path?wallet=cross", who="alice").status_code == 403


def test_the_documented_example_has_the_shape_of_an_answer(told: House) -> None:
    document = told.http.get("/openapi.json").json()
    operation = document["paths"]["/v1/accounts/{account_id}/level-path"]["get"]
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    answer = told.get("/v1/accounts/alice/level-path?wallet=cross").json()
    assert (set(example), set(example["counts"])) == (set(answer), set(answer["counts"]))
    assert set(example["points"][0]) == set(answer["points"][0])


def test_events_are_read_on_from_a_version(told: House) -> None:
    path = "/v1/accounts/alice/events"
    versions = [one["version"] for one in told.get(path).json()["events"]]
    assert versions == list(range(1, versions[-1] + 1))
    found = told.get(path, params={"after_version": 4, "limit": 2}).json()
    assert [one["version"] for one in found["events"]] == [5, 6]
    further = told.get(path, params={"after_version": 4, "limit": 2, "after": found["next"]}).json()
    assert [one["version"] for one in further["events"]] == [7, 8]
    assert told.get(path, params={"after_version": versions[-1]}).json()["events"] == []
    assert told.get(path, params={"after_version": 999}).json()["events"] == []
    assert told.get(path, params={"after_version": -1}).status_code == 400


def test_events_after_a_version_are_as_of_then(told: House) -> None:
    path = "/v1/accounts/alice/events"
    fifth = told.get(path, params={"after_version": 4, "limit": 1}).json()["events"][0]["position"]
    assert told.get(path, params={"after_version": 4, "position": fifth - 1}).json()["events"] == []
    last = told.get(path, params={"after_version": 3, "position": fifth, "order": "desc"}).json()["events"]
    assert [one["version"] for one in last] == [5, 4]
