"""The explanations of liquidations and margin calls at their doors: who reads what of them, and what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.postgres import connect
from tests.api.house import House, open_house
from tests.databases import unguard
from tests.projections.liquidated import Exchange, long_in_the_pool, named, opened_exchange, position_of, tamper

CALL = "/v1/accounts/{}/margin-calls/{}/explanation"


@pytest.fixture(scope="module")
def told(module_database: str) -> Iterator[tuple[House, dict[str, Any]]]:
    """A house after Alice was called and liquidated beyond what the fund holds; and where in the log it was."""
    with opened_exchange(module_database) as exchange:
        places = _story(exchange)
    with open_house(module_database) as house:
        yield house, places


def _story(exchange: Exchange) -> dict[str, Any]:
    exchange.send({"type": "fund_insurance", "asset": "USDT", "amount": "500", "idempotency_key": "f"}, at="10:30:00")
    long_in_the_pool(exchange, "alice")
    long_in_the_pool(exchange, "carol")
    exchange.mark("11:30:00", BTC="42000")
    called = position_of(exchange.examine("alice"), "margin.called")
    exchange.mark("12:40:00", BTC="30000")
    liquidated = exchange.examine("alice")
    return {"called": called, "id": named(liquidated), "started": position_of(liquidated, "liquidation.started")}


Told = tuple[House, dict[str, Any]]


def test_a_liquidation_is_explained_to_staff_with_what_the_fund_holds(told: Told) -> None:
    house, places = told
    found = house.get(f"/v1/liquidations/{places['id']}/explanation", who="auditor").json()
    assert (found["agrees"], found["kind"], found["status"]) == (True, "liquidation", "completed")
    assert found["insurance"]["before"] == {"USDT": "500"}
    assert found["insurance"]["uncovered"] == "1500.4"
    assert found["position"] == house.log_end()


def test_a_customer_reads_the_own_ones_without_what_the_fund_holds(told: Told) -> None:
    house, places = told
    found = house.get(f"/v1/liquidations/{places['id']}/explanation", who="alice").json()
    assert found["agrees"]
    assert set(found["insurance"]) == {"uncovered", "steps"}
    assert found["insurance"]["steps"][0]["assets"] == {"USDT": {"change": "-2000.4"}}
    assert house.get(CALL.format("alice", places["called"]), who="alice").status_code == 200


def test_a_customer_reads_no_others_and_learns_of_none(told: Told) -> None:
    house, places = told
    paths = [f"/v1/liquidations/{places['id']}/explanation", "/v1/liquidations/alice.999/explanation"]
    paths += [CALL.format("alice", places["called"]), CALL.format("nobody", 1)]
    answers = [house.get(path, who="carol") for path in paths]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert len({answer.text for answer in answers}) == 1


def test_a_margin_call_is_explained_where_the_list_says_that_it_stands(told: Told) -> None:
    house, _ = told
    (listed,) = house.get("/v1/margin-calls", params={"account_id": "alice"}).json()["margin_calls"]
    found = house.get(CALL.format(listed["account_id"], listed["position"])).json()
    assert (found["kind"], found["started"]["level"], found["agrees"]) == ("margin_call", listed["level"], True)
    assert (found["line"]["name"], "insurance" in found) == ("margin_call", False)


def test_an_explanation_is_asked_as_of_what_was_known_and_over_a_time(told: Told) -> None:
    house, places = told
    path = f"/v1/liquidations/{places['id']}/explanation"
    running = house.get(path, params={"position": places["started"]}).json()
    assert (running["status"], running["position"], running["agrees"]) == ("running", places["started"], True)
    assert running["outcome"]["owed"]["USDT"]["amount"] == "20000.4"
    one_step = house.get(path, params={"over_seconds": 7200, "limit": 1}).json()["path"]
    assert (len(one_step["steps"]), one_step["left_out"], one_step["over_seconds"]) == (1, one_step["count"] - 1, 7200)


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("/v1/liquidations/alice.99/explanation", 404, "it has no version 99"),
        ("/v1/liquidations/alice.4/explanation", 404, "version 4 is loan.borrowed"),
        ("/v1/liquidations/nobody.4/explanation", 404, "on account nobody"),
        ("/v1/liquidations/alice/explanation", 400, "liquidation_id"),
        (CALL.format("alice", 3), 404, "account alice got no margin call at position 3"),
        (CALL.format("alice", 999_999), 404, "got no margin call at position 999999"),
        ("/v1/liquidations/{id}/explanation?position=5", 404, "up to position 5"),
        ("/v1/liquidations/{id}/explanation?position=999999", 400, "the log ends at"),
        ("/v1/liquidations/{id}/explanation?over_seconds=0", 400, "over_seconds"),
        ("/v1/liquidations/{id}/explanation?over=1h", 400, "the parameter 'over' is not known here"),
        ("/v1/liquidations/{id}/explanation?position=9&recorded_at=2026-01-01T00:00:00Z", 400, "exclude each other"),
    ],
)
def test_what_cannot_be_explained_is_refused(told: Told, path: str, status: int, why: str) -> None:
    house, places = told
    answer = house.get(path.replace("{id}", places["id"]))
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert why in answer.json()["detail"]


def test_a_margin_call_is_no_liquidation_and_the_problem_says_where_it_is(told: Told) -> None:
    house, places = told
    version = house.get("/v1/accounts/alice/events", params={"topic": "margin.called"}).json()["events"][0]["version"]
    answer = house.get(f"/v1/liquidations/alice.{version}/explanation")
    assert answer.status_code == 404
    assert f"GET {CALL.format('alice', places['called'])} explains it" in answer.json()["detail"]


def test_the_documented_examples_have_the_shape_of_answers(told: Told) -> None:
    house, places = told
    document = house.http.get("/openapi.json").json()
    asked = {
        "/v1/liquidations/{liquidation_id}/explanation": f"/v1/liquidations/{places['id']}/explanation",
        "/v1/accounts/{account_id}/margin-calls/{call_position}/explanation": CALL.format("alice", places["called"]),
    }
    for route, path in asked.items():
        responses = document["paths"][route]["get"]["responses"]
        example, answer = responses["200"]["content"]["application/json"]["example"], house.get(path).json()
        assert set(example) == set(answer)
        for part in ("started", "line", "crossing", "before", "path", "after"):
            assert set(example[part]) <= set(answer[part]), part
        for rows in ("checks", "decisions"):
            assert set(example[rows][0]) == set(answer[rows][0])
        assert set(example.get("outcome", {})) == set(answer.get("outcome", {}))


def test_an_explanation_needs_no_projection(database: str) -> None:
    with opened_exchange(database) as exchange:
        places = _story(exchange)
    with open_house(database, projecting=False, wait_seconds=0.1) as house:
        found = house.get(f"/v1/liquidations/{places['id']}/explanation")
        assert house.get(f"/v1/liquidations/{places['id']}").status_code == 503
    assert (found.status_code, found.json()["agrees"]) == (200, True)


def test_what_was_changed_in_the_log_is_answered_as_not_agreeing(database: str) -> None:
    with opened_exchange(database) as exchange:
        places = _story(exchange)
    tamper(database, places["started"], '"debt":"20000.4', '"debt":"20000.5')
    with open_house(database, projecting=False) as house:
        found = house.get(f"/v1/liquidations/{places['id']}/explanation").json()
    assert not found["agrees"]
    assert "debt" in [check["name"] for check in found["checks"] if not check["agrees"]]


@pytest.mark.parametrize(
    ("topic", "was", "becomes", "why"),
    [
        ("liquidation.filled", "{", "[", "liquidation.filled (JSON is expected"),
        ("liquidation.filled", '"taken"', '"sold"', "liquidation.filled (taken: is needed"),
        ("funds.deposited", '"amount":"10000"', '"amount":"many"', "funds.deposited (amount: "),
        ("prices.marked", '"source"', '"origin"', "prices.marked (source: is needed"),
        ("asset.listed", '"scale":8', '"scale":"all"', "asset.listed (scale: "),
    ],
)
def test_an_event_that_cannot_be_read_is_named_in_a_refusal(
    database: str, topic: str, was: str, becomes: str, why: str
) -> None:
    with opened_exchange(database) as exchange:
        places = _story(exchange)
    with connect(database) as connection:
        query = "select min(notification_id) from events where topic = %s"
        (position,) = connection.execute(query, [topic]).fetchone() or ()
    tamper(database, position, was, becomes)
    with open_house(database, projecting=False) as house:
        answer = house.get(f"/v1/liquidations/{places['id']}/explanation")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["position"]) == (409, "event_unreadable", position)
    assert problem["detail"].startswith(f"event {position} cannot be read: its bytes are no {why}")
    assert "pydantic" not in answer.text


@pytest.mark.parametrize("whole_row", [True, False])
def test_a_vector_that_was_moved_to_another_stream_is_named_in_a_refusal(database: str, whole_row: bool) -> None:
    with opened_exchange(database) as exchange:
        places = _story(exchange)
    with connect(database) as connection:
        query = "select {} (notification_id) from events where topic = 'prices.marked' and notification_id < %s"
        of_that = query.format("min" if whole_row else "max")
        (position,) = connection.execute(of_that.encode(), [places["called"]]).fetchone() or ()
        if whole_row:
            unguard(connection)
            last = "select max(originator_version) + 1 from events where originator_id = 'alice'"
            moved = (
                f"update events set originator_id = 'alice', originator_version = ({last}) where notification_id = %s"
            )
            connection.execute(moved.encode(), [position])
    if not whole_row:
        tamper(database, position, '"account_id":"@prices"', '"account_id":"alice"')
    path = f"/v1/liquidations/{places['id']}/explanation" if whole_row else CALL.format("alice", places["called"])
    with open_house(database, projecting=False) as house:
        answer = house.get(path)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["position"]) == (409, "event_unreadable", position)
    stored, said = ("alice", "@prices") if whole_row else ("@prices", "alice")
    assert problem["detail"].endswith(f"it is stored as one of {stored}, its bytes say {said}")
