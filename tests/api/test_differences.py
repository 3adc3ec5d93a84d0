"""The question of what changed between two points, at its door."""

import pytest

from tests.api.house import House


def test_a_difference_tells_events_and_causes(told: House) -> None:
    """Of 4,000 USDT in cross 2,000 are borrowed at once, and 0.02 of interest is charged for the hour."""
    events = told.get("/v1/accounts/alice/events").json()["events"]
    moved_in = next(event["position"] for event in events if event["topic"] == "funds.transferred")
    answer = told.get("/v1/accounts/alice/diff", params={"from_position": moved_in}).json()
    assert set(answer) == {
        *("account_id", "position", "wallet", "from", "to", "wallets", "positions", "counts", "events", "next"),
        *("settings", "unexplained"),
    }
    assert (answer["from"]["position"], answer["to"]["version"]) == (moved_in, 11)
    cross = answer["wallets"]["cross"]
    assert cross["assets"]["USDT"]["borrowed"] == {"from": "0", "to": "2000", "change": "2000"}
    assert cross["equity"]["change"] == cross["equity"]["by_cause"]["interest"] == "-0.02"
    assert (cross["margin_level"]["from"], cross["margin_level"]["from_none"]["levels"]) == (None, "3")
    assert answer["counts"]["topics"]["loan.borrowed"] == 1
    assert answer["unexplained"] == []


def test_a_difference_is_asked_by_positions_recorded_times_and_business_times(told: House) -> None:
    first, *_, last = told.get("/v1/accounts/alice/events").json()["events"]
    path = "/v1/accounts/alice/diff"
    by_position = told.get(path, params={"from_position": first["position"], "to_position": last["position"]}).json()
    mixed = told.get(path, params={"from_recorded_at": first["recorded_at"], "to_position": last["position"]}).json()
    dated = told.get(path, params={"to_effective_at": last["effective_at"]}).json()
    assert by_position["counts"]["events"] == last["version"] - 1
    assert (
        mixed["wallets"]
        == told.get(path, params={"from_position": mixed["from"]["position"], "to_position": last["position"]}).json()[
            "wallets"
        ]
    )
    assert (dated["to"]["as_of"], dated["unexplained"]) == ({"effective_at": last["effective_at"]}, [])


def test_a_difference_of_one_wallet_is_read_in_pages(told: House) -> None:
    asked = {"wallet": "spot", "limit": 3}
    page = told.get("/v1/accounts/alice/diff", params=asked).json()
    rest = told.get("/v1/accounts/alice/diff", params={**asked, "limit": 100, "after": page["next"]}).json()
    assert list(page["wallets"]) == ["spot"]
    assert "equity" not in page["wallets"]["spot"]
    assert len(page["events"]) == 3
    assert len(page["events"]) + len(rest["events"]) == page["counts"]["events"] == rest["counts"]["events"]


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({"from_position": 1}, 404, "not opened by position 1, the point `from` asked about"),
        ({"to_position": 1}, 404, "was not opened by position 1 of the log, where `to` lies"),
        ({"to_position": 999_999}, 400, "the log ends at"),
        ({"from_position": 999_999}, 400, "the end of the log"),
        ({"from_position": 20, "to_position": 15}, 400, "position 20, which lies after position 15, `to`"),
        ({"from_effective_at": "2026-01-01T00:00:00Z", "to_position": 15}, 400, "state both"),
        ({"from_position": 3, "from_recorded_at": "2026-01-01T00:00:00Z"}, 400, "together"),
        ({"to_position": 3, "to_recorded_at": "2026-01-01T00:00:00Z"}, 400, "exclude each other"),
        ({"position": 3}, 400, "the parameter 'position' is not known here"),
        ({"wallet": "margin"}, 400, "wallet"),
    ],
)
def test_a_difference_that_makes_no_sense_is_refused(
    told: House, asked: dict[str, str | int], status: int, why: str
) -> None:
    answer = told.get("/v1/accounts/alice/diff", params=asked)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert why in answer.json()["detail"]


def test_the_documented_example_has_the_shape_of_an_answer(told: House) -> None:
    document = told.http.get("/openapi.json").json()
    operation = document["paths"]["/v1/accounts/{account_id}/diff"]["get"]
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    answer = told.get("/v1/accounts/alice/diff").json()
    assert set(example) == set(answer)
    assert set(example["wallets"]["cross"]) == set(answer["wallets"]["cross"])
    assert set(example["wallets"]["cross"]["margin_level"]) == set(answer["wallets"]["cross"]["margin_level"])
    assert set(example["events"][0]) <= set(answer["events"][0])
