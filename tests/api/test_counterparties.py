"""Customers of one trade are not told of each other, also where it is reversed; staff is told of both."""

from typing import Any, NamedTuple

import pytest

from tests.api.event_stream import Reader, until
from tests.api.house import House, deposit, open_account
from tests.ledger.sealed import KEY, seal_again

WHY = "the seller is looked into"
BUCKET = "isolated:ETH/USDT"
SIDES = [("ben", "sue"), ("sue", "ben")]


class Told(NamedTuple):
    """A house where sue sold to ben out of a bucket, which was reversed on ben; then the bucket was liquidated."""

    house: House
    liquidation_id: str


def side(account_id: str, wallet: str) -> dict[str, Any]:
    return {"account_id": account_id, "wallet": wallet, "fee": "0", "fee_asset": "USDT"}


def reverse(account_id: str, version: int) -> dict[str, Any]:
    asked = {"type": "reverse_event", "account_id": account_id, "version": version}
    return {**asked, "idempotency_key": "r", "reason": WHY}


def reversal_of(house: House, account_id: str, who: str) -> dict[str, Any]:
    answer = house.get(f"/v1/accounts/{account_id}/events", who=who, params={"topic": "event.reversed"})
    (event,) = answer.json()["events"]
    return dict(event)


@pytest.fixture(scope="module")
def told(house: House) -> Told:
    house.send(open_account("ben"), deposit("ben", "1000", "d1"), open_account("sue"), deposit("sue", "100", "d1"))
    bucket = {"account_id": "sue", "pair": "ETH/USDT"}
    terms = {"pair": "ETH/USDT", "price": "2000"}
    seller = {"seller": {**side("sue", BUCKET), "auto_borrow": True}}
    house.send(
        {**bucket, "type": "set_margin_mode", "mode": "isolated", "idempotency_key": "m"},
        {**bucket, "type": "add_margin", "asset": "USDT", "amount": "100", "idempotency_key": "a"},
        {**terms, "type": "book_trade", "trade_id": "T1", "quantity": "0.01", "buyer": side("ben", "spot"), **seller},
        reverse("ben", 3),
    )
    fill = {"type": "book_fill", "trade_id": "T2", "side": "sell", "quantity": "0.19", "auto_borrow": True, **terms}
    house.send({**bucket, **fill, "fee": "0", "fee_asset": "USDT"})
    house.send({"type": "mark_prices", "prices": {"ETH/USDT": "2450"}, "source": "test"})
    house.send({"type": "examine", "account_id": "sue", "wallet": BUCKET})
    answer = house.get("/v1/accounts/sue/events", params={"topic": "liquidation.started"})
    return Told(house, answer.json()["events"][0]["liquidation_id"])


@pytest.mark.parametrize(("own", "other"), SIDES)
def test_the_trail_tells_staff_alone_whose_the_other_side_of_a_reversed_trade_was(
    told: Told, own: str, other: str
) -> None:
    of_staff, of_own = reversal_of(told.house, own, "auditor"), reversal_of(told.house, own, own)
    assert of_staff.pop("other_account_id") == other
    assert of_own == of_staff
    assert of_own.get("reason") == (WHY if own == "ben" else None)
    assert other not in told.house.get(f"/v1/accounts/{own}/events", who=own).text


@pytest.mark.parametrize(("own", "other"), SIDES)
def test_a_stream_tells_it_as_the_trail_does(told: Told, own: str, other: str) -> None:
    path, server = f"/v1/accounts/{own}/events/stream?after=0", str(told.house.http.base_url).rstrip("/")
    found = {}
    for who in (own, "auditor"):
        event = reversal_of(told.house, own, who)
        with Reader(path, told.house.key(who)).connected(server) as events:
            found[who] = until(events, event["position"])
        # The trail adds where the reversed event stands, which no event says itself.
        assert {**found[who][-1].content, "reverses": event["reverses"]} == event
    assert other in str(found["auditor"])
    assert other not in str(found[own])


def test_an_explanation_tells_it_as_the_trail_does(told: Told) -> None:
    path = f"/v1/liquidations/{told.liquidation_id}/explanation"
    assert '"other_account_id":"ben"' in told.house.get(path, who="auditor").text
    of_own = told.house.get(path, who="sue")
    assert "event.reversed" in [event["topic"] for event in of_own.json()["last_events"]]
    assert "ben" not in of_own.text


def test_the_bytes_of_it_are_proved_to_staff_alone(told: Told) -> None:
    seal_again(told.house.url, KEY)
    position = reversal_of(told.house, "sue", "sue")["position"]
    path = f"/v1/accounts/sue/events/{position}/proof"
    refused = told.house.get(path, who="sue")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "ben" not in refused.text
    assert told.house.get(path, who="auditor").status_code == 200
    own = told.house.get("/v1/accounts/sue/events", who="sue").json()["events"][0]["position"]
    assert told.house.get(f"/v1/accounts/sue/events/{own}/proof", who="sue").status_code == 200


def test_both_sides_of_a_reversed_sending_know_each_other(house: House) -> None:
    house.send(open_account("tom"), deposit("tom", "5", "d1"), open_account("una"))
    sending = {"type": "send", "account_id": "tom", "to_account_id": "una", "asset": "USDT", "amount": "5"}
    house.send({**sending, "idempotency_key": "s"}, reverse("tom", 3))
    assert reversal_of(house, "tom", "tom")["other_account_id"] == "una"
    assert reversal_of(house, "una", "una")["other_account_id"] == "tom"
