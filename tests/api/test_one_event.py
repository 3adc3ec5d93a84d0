"""One event with all about it: what was recorded, what it posts, what stands beside it, and its hash."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.api.house import House


def every_event(house: House) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = house.get("/v1/events", params={"limit": 1000}).json()["events"]
    return events


def test_an_event_is_told_as_the_trail_tells_it_with_the_json_that_is_stored(told: House) -> None:
    for event in every_event(told):
        answer = told.get(f"/v1/events/{event['position']}").json()
        assert answer["event"] == event
        stated = {name: value for name, value in event.items() if name not in ("position", "topic", "recorded_at")}
        assert json.loads(answer["recorded"]).items() >= {"version": event["version"]}.items()
        assert set(json.loads(answer["recorded"])) == set(stated)


def test_the_postings_of_every_event_sum_to_zero_and_are_the_lines_of_the_statement(told: House) -> None:
    posted = []
    for event in every_event(told):
        lines = told.get(f"/v1/events/{event['position']}").json()["postings"]
        for asset in {line["asset"] for line in lines}:
            assert sum(Decimal(line["amount"]) for line in lines if line["asset"] == asset) == 0
        posted += [
            (event["position"], line["book"], line["asset"], line["amount"])
            for line in lines
            if line["account_id"] == "alice"
        ]
    statement = told.get("/v1/accounts/alice/statement", params={"limit": 1000}).json()["lines"]
    assert posted == [(line["position"], line["book"], line["asset"], line["amount"]) for line in statement]
    assert posted


def test_an_event_leads_to_those_before_and_after_it(told: House) -> None:
    events = every_event(told)
    of_alice = [event["position"] for event in events if event["account_id"] == "alice"]
    answers = {place: told.get(f"/v1/events/{place}").json() for place in of_alice}
    beside = [answers[place]["of_the_account"] for place in of_alice]
    assert [one["previous"] for one in beside] == [None, *of_alice[:-1]]
    assert [one["next"] for one in beside] == [*of_alice[1:], None]
    assert answers[of_alice[0]]["of_the_log"] == {"previous": of_alice[0] - 1, "next": of_alice[0] + 1}
    assert told.get("/v1/events/1").json()["of_the_log"]["previous"] is None
    assert told.get(f"/v1/events/{told.log_end()}").json()["of_the_log"]["next"] is None


def test_as_of_a_position_nothing_later_stands_beside_an_event(told: House) -> None:
    asked = {"position": 2}
    assert told.get("/v1/events/2", params=asked).json()["of_the_log"]["next"] is None
    assert told.get("/v1/events/3", params=asked).status_code == 404


def test_an_event_leads_to_the_vector_of_each_price_it_was_decided_on(told: House) -> None:
    started = next(event for event in every_event(told) if event["topic"] == "liquidation.started")
    prices = told.get(f"/v1/events/{started['position']}").json()["prices"]
    assert set(prices) == set(started["prices"])
    for pair, vector in prices.items():
        marked = told.get(f"/v1/events/{vector['position']}").json()["event"]
        assert (marked["topic"], marked["version"]) == ("prices.marked", started["prices"][pair]["version"])
        assert marked["prices"][pair] == started["prices"][pair]["price"]


def test_a_reversed_event_says_so_from_then_on(told: House) -> None:
    command = {"account_id": "lucy", "asset": "USDT", "amount": "7", "type": "deposit", "deposit_id": "wrong"}
    (booked,) = told.send(command)
    (reversal,) = told.send(
        {"type": "reverse_event", "account_id": "lucy", "version": booked["version"], "idempotency_key": "undo"}
    )
    path = f"/v1/events/{booked['position']}"
    assert told.get(path).json()["event"]["reversed_by"]["position"] == reversal["position"]
    assert "reversed_by" not in told.get(path, params={"position": booked["position"]}).json()["event"]
    reversing = told.get(f"/v1/events/{reversal['position']}").json()["event"]
    assert reversing["reverses"]["position"] == booked["position"]


def test_the_hash_is_the_one_that_the_seal_will_have(told: House) -> None:
    from ledger.merkle import leaf_hash
    from ledger.sealing import read_leaves
    from ledger.signing import base64_of

    with told.pool.connection() as connection:
        leaves = read_leaves(connection, 0, told.log_end())
    for position in (1, told.log_end()):
        assert told.get(f"/v1/events/{position}").json()["leaf_hash"] == base64_of(leaf_hash(leaves[position - 1]))


@pytest.mark.parametrize(("place", "status"), [("0", 400), ("999999", 404), ("9" * 30, 400)])
def test_a_position_without_an_event_is_refused(told: House, place: str, status: int) -> None:
    assert told.get(f"/v1/events/{place}").status_code == status


def test_the_stream_of_all_events_is_not_taken_for_a_position(told: House) -> None:
    assert told.get("/v1/events/1.0").json()["code"] == "unknown_route"
    with told.http.stream("GET", "/v1/events/stream", headers={"Authorization": f"Bearer {told.key('admin')}"}) as one:
        assert one.headers["content-type"].startswith("text/event-stream")


def test_a_customer_reads_no_event_by_its_position(told: House) -> None:
    answers = [told.get(f"/v1/events/{place}", who="alice") for place in (1, 999_999)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()
