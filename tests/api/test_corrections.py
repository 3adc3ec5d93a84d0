"""Corrections by HTTP: shown before they are asked for, told for what they are afterwards, and by whom."""

import csv
import io
from typing import Any

import pytest

from tests.api.house import House, deposit, open_account

ADJUSTMENT = {
    "asset": "USDT",
    "amount": "-2.5",
    "adjustment_id": "a1",
    "wallet": "spot",
    "reason_code": "fee_correction",
}


def act(house: House, path: str, who: str = "operator", key: str = "k", **body: Any) -> tuple[int, dict[str, Any]]:
    """What an action answers: its status and its JSON."""
    answer = house.ask("POST", f"/v1/accounts/{path}", who=who, json=body, headers={"Idempotency-Key": key})
    return answer.status_code, answer.json()


def test_a_reversal_is_shown_first_and_then_recorded_as_it_was_shown(house: House) -> None:
    house.send(open_account("shown"), deposit("shown", "100", "d1"), deposit("shown", "40", "d2"))
    end = house.log_end()
    status, shown = act(house, "shown/events/2/reverse/preview")
    assert (status, house.log_end()) == (200, end)
    assert shown["accounts"]["shown"]["balances"] == [
        {
            "wallet": "spot",
            "asset": "USDT",
            "before": {"free": "140", "locked": "0"},
            "after": {"free": "40", "locked": "0"},
        }
    ]
    status, _ = act(house, "shown/events/2/reverse")
    assert status == 200
    recorded = house.get("/v1/accounts/shown/events", params={"topic": "event.reversed"}).json()["events"][0]
    same = ("topic", "version", "actor", "reversed_version", "reversed_topic", "lines", "idempotency_key")
    assert {name: recorded[name] for name in same} == {name: shown["events"][0][name] for name in same}
    _, again = act(house, "shown/events/2/reverse/preview")
    assert (again["events"], again["recorded"][0]["topic"]) == ([], "event.reversed")


def test_a_preview_of_a_margin_wallet_tells_its_levels_and_positions(house: House) -> None:
    house.send(open_account("level"), deposit("level", "1000", "d1"))
    move = {"type": "transfer", "account_id": "level", "from": "spot", "to": "cross", "asset": "USDT", "amount": "1000"}
    fill = {"type": "book_fill", "account_id": "level", "trade_id": "t1", "pair": "BTC/USDT", "side": "buy"}
    terms = {"quantity": "0.03", "price": "50000", "fee": "0", "fee_asset": "USDT", "auto_borrow": True}
    house.send({**move, "idempotency_key": "m"}, {**fill, **terms})
    events = house.get("/v1/accounts/level/events", params={"topic": "trade.booked"}).json()["events"]
    status, shown = act(house, f"level/events/{events[0]['version']}/reverse/preview")
    told = shown["accounts"]["level"]
    assert (status, told["margin_levels"]["cross"]["before"]["band"]) == (200, "normal")
    assert told["positions"][0]["after"] == {"quantity": "0", "cost": "0", "realised_profit": "0"}


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [("9", 404, "unknown_event"), ("1", 409, "not_reversible"), ("x", 400, "malformed"), ("0", 400, "malformed")],
)
def test_a_preview_and_a_reversal_are_refused_alike(house: House, version: str, status: int, code: str) -> None:
    if house.get("/v1/accounts/alike").status_code != 200:
        house.send(open_account("alike"))
    for path in (f"alike/events/{version}/reverse", f"alike/events/{version}/reverse/preview"):
        answered, problem = act(house, path)
        assert (answered, problem["code"]) == (status, code)


@pytest.mark.parametrize("who", ["service", "auditor", "stranger"])
def test_only_operators_and_admins_see_what_a_correction_would_do(house: House, who: str) -> None:
    for path in ("stranger/events/1/reverse/preview", "stranger/adjustments/a1/approve/preview"):
        assert act(house, path, who)[0] == 403


def test_the_trail_and_the_statement_tell_both_ways_what_was_reversed(house: House) -> None:
    house.send(open_account("both"), deposit("both", "100", "d1"))
    before = house.log_end()
    act(house, "both/events/2/reverse")
    _, original, reversal = house.get("/v1/accounts/both/events").json()["events"]
    assert original["reversed_by"] == {"position": reversal["position"], "version": 3}
    assert reversal["reverses"] == {"position": original["position"], "version": 2}
    told = house.get("/v1/accounts/both/events", params={"position": before}).json()["events"]
    assert "reversed_by" not in told[1]
    lines = house.get("/v1/accounts/both/statement").json()["lines"]
    assert [(line["topic"], line["reverses"], line["reversed_by"], line["balance"]) for line in lines] == [
        ("funds.deposited", None, reversal["position"], "100"),
        ("event.reversed", original["position"], None, "0"),
    ]


def test_an_adjustment_is_proposed_by_one_and_approved_by_another(house: House) -> None:
    house.send(open_account("adjusted"), deposit("adjusted", "100", "d1"))
    assert act(house, "adjusted/adjustments", key="p", **ADJUSTMENT, reason="ticket 4711")[0] == 200
    (pending,) = house.get("/v1/adjustments", params={"status": "proposed", "account_id": "adjusted"}).json()[
        "adjustments"
    ]
    assert (pending["amount"], pending["proposed_by"], pending["reason"]) == (
        "-2.5",
        "operator:operator",
        "ticket 4711",
    )
    status, shown = act(house, "adjusted/adjustments/a1/approve/preview", "admin")
    assert (status, shown["accounts"]["adjusted"]["balances"][0]["after"]["free"]) == (200, "97.5")
    assert act(house, "adjusted/adjustments/a1/approve")[1]["code"] == "same_actor"
    assert act(house, "adjusted/adjustments/a1/approve", "admin")[0] == 200
    assert act(house, "adjusted/adjustments/a1/reject", "admin", key="r")[1]["code"] == "adjustment_not_pending"
    (posted,) = house.get("/v1/adjustments", params={"account_id": "adjusted"}).json()["adjustments"]
    assert (posted["status"], posted["decided_by"]) == ("posted", "admin:admin")
    assert house.get("/v1/accounts/adjusted").json()["spot"]["USDT"]["free"] == "97.5"


def test_adjustments_are_read_from_the_last_one_back_as_they_are_from_the_first_on(house: House) -> None:
    house.send(open_account("turned"), deposit("turned", "100", "d1"))
    for number in range(1, 6):
        adjustment = {**ADJUSTMENT, "adjustment_id": f"t{number}"}
        assert act(house, "turned/adjustments", key=f"p{number}", **adjustment)[0] == 200

    def pages(onwards: str, **order: str) -> list[list[str]]:
        found: list[list[str]] = []
        asked = {"account_id": "turned", "limit": "2", **order}
        while len(found) < 9:
            answer = house.get("/v1/adjustments", params=asked).json()
            found.append([one["adjustment_id"] for one in answer["adjustments"]])
            if answer["next"] is None:
                break
            asked = {**asked, onwards: str(answer["next"])}
        return found

    assert pages("after") == [["t1", "t2"], ["t3", "t4"], ["t5"]]
    assert pages("before", order="desc") == [["t5", "t4"], ["t3", "t2"], ["t1"]]


def test_a_statement_names_an_adjustment_and_its_reason_as_csv_too(house: House) -> None:
    house.send(open_account("named"), deposit("named", "100", "d1"))
    act(house, "named/adjustments", key="p", **ADJUSTMENT)
    act(house, "named/adjustments/a1/approve", "admin")
    lines = house.get("/v1/accounts/named/statement").json()["lines"]
    assert [(line["topic"], line["adjustment_id"], line["reason_code"]) for line in lines] == [
        ("funds.deposited", None, None),
        ("adjustment.posted", "a1", "fee_correction"),
    ]
    written = house.get("/v1/accounts/named/statement", params={"format": "csv"}).text
    rows = list(csv.DictReader(io.StringIO(written)))
    assert [(row["topic"], row["adjustment_id"], row["reason_code"], row["reversed_by"]) for row in rows] == [
        ("funds.deposited", "", "", ""),
        ("adjustment.posted", "a1", "fee_correction", ""),
    ]


def test_an_adjustment_that_is_reversed_is_told_both_ways(house: House) -> None:
    house.send(open_account("undone"), deposit("undone", "100", "d1"))
    act(house, "undone/adjustments", key="p", **ADJUSTMENT)
    act(house, "undone/adjustments/a1/approve", "admin")
    assert act(house, "undone/events/4/reverse", key="r")[0] == 200
    assert house.get("/v1/accounts/undone").json()["spot"]["USDT"]["free"] == "100"
    assert house.get("/v1/accounts/undone/events").json()["events"][3]["reversed_by"]["version"] == 5
