"""Bad prices at the doors: what is refused, what is held, what is answered and shown, and that nobody is liquidated."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.risk import Examiner
from projections.verify import verify
from tests.api.command_line import CommandLine
from tests.api.house import House, deposit, open_account, open_house, opened_market
from tests.api.test_metrics import measured

START = datetime(2026, 1, 10, 12, 30, tzinfo=UTC)
BOUND = {"type": "set_risk_limits", "scope": "BTC/USDT", "price_jump_limit": "0.2", "idempotency_key": "bound"}
WORD = {"pair": "BTC/USDT", "reason": "seen on three venues"}


def stamp(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def vector(seconds: float, source: str = "a", key: str | None = None, **prices: str) -> dict[str, Any]:
    """A vector of prices by the base asset's name, so many seconds after the first one."""
    named = {f"{base}/USDT": price for base, price in prices.items()}
    keyed = {} if key is None else {"idempotency_key": key}
    return {"type": "mark_prices", "prices": named, "source": source, "effective_at": stamp(seconds), **keyed}


@pytest.fixture
def bounded(database: str) -> Iterator[House]:
    """A house in which BTC/USDT, marked at 50,000, may move by a fifth, and dora owes 90,000 USDT on 1 BTC."""
    with open_house(database) as house:
        opened_market(house, effective_at=stamp(0))
        house.send(BOUND, open_account("dora"), deposit("dora", "1", "d1", "BTC"))
        keyed = {"account_id": "dora", "effective_at": stamp(0)}
        house.send(
            {**keyed, "type": "transfer", "asset": "BTC", "amount": "1", "from": "spot", "to": "cross"}
            | {"idempotency_key": "t1"},
            {**keyed, "type": "borrow", "wallet": "cross", "asset": "USDT", "amount": "90000", "idempotency_key": "b1"},
        )
        yield house


def price_of(house: House) -> str:
    return str(house.get("/v1/market").json()["prices"]["BTC/USDT"]["price"])


def topics_of(house: House) -> set[str]:
    return {event["topic"] for event in house.get("/v1/accounts/dora/events").json()["events"]}


def test_the_answer_says_which_prices_are_held_and_a_repeated_request_is_answered_the_same(bounded: House) -> None:
    asked = vector(1, key="v1", ETH="2001", BTC="1000")
    (first,) = bounded.send(asked, who="service")
    held, marked = first["events"]
    assert (held["topic"], held["pairs"]) == ("prices.held", ["BTC/USDT"])
    assert (marked["topic"], "pairs" in marked) == ("prices.marked", False)
    assert (first["status"], first["version"], first["position"]) == ("recorded", 3, marked["position"])
    for _ in range(2):
        (again,) = bounded.send(asked, who="service")
        assert again == {**first, "status": "replayed"}


def test_all_of_a_vector_may_be_held_which_is_no_refusal(bounded: House) -> None:
    (result,) = bounded.send(vector(1, BTC="1000"), who="service")
    assert [event["topic"] for event in result["events"]] == ["prices.held"]
    assert price_of(bounded) == "50000"


BAD: list[tuple[dict[str, Any], int, str]] = [
    (vector(1, BTC="0"), 400, "malformed"),
    (vector(1, BTC="-50000"), 400, "malformed"),
    (vector(1, BTC="NaN"), 400, "malformed"),
    (vector(1, BTC="1e5"), 400, "malformed"),
    (vector(1, BTC="50000.001"), 400, "too_many_decimals"),
    (vector(1, BTC="50001", DOGE="1"), 404, "unknown_pair"),
    (vector(-1, BTC="50001", ETH="2000"), 409, "price_out_of_order"),
    (vector(-1, BTC="1"), 409, "price_out_of_order"),
    (vector(0, BTC="50000", ETH="2000"), 409, "nothing_to_do"),
    ({**vector(1, BTC="50001"), "effective_at": "2999-01-01T00:00:00Z"}, 409, "effective_in_future"),
]


def test_a_bad_vector_is_refused_whole_and_leaves_no_trace(bounded: House) -> None:
    before = bounded.log_end()
    for asked, status, code in BAD:
        answer = bounded.post(asked, who="service")
        assert (answer.status_code, answer.json()["code"]) == (status, code), asked
    assert (bounded.log_end(), price_of(bounded)) == (before, "50000")


def test_what_is_held_already_is_nothing_to_do_and_what_is_older_is_out_of_order(bounded: House) -> None:
    bounded.send(vector(5, BTC="1000"))
    assert bounded.post(vector(5, BTC="1000")).json()["code"] == "nothing_to_do"
    assert bounded.post(vector(4, BTC="1001")).json()["code"] == "price_out_of_order"


def test_nobody_is_liquidated_at_a_held_price_until_another_source_confirms_it(bounded: House) -> None:
    examiner = Examiner(bounded.ledger, bounded.pool)
    for seconds in range(1, 4):
        bounded.send(vector(seconds, BTC="8500", ETH="2000"))
        assert examiner.step() == 0
    bounded.send(vector(4, "b", BTC="8600"))
    assert examiner.step() == 1
    assert "liquidation.completed" in topics_of(bounded)
    (started,) = bounded.get("/v1/accounts/dora/events", params={"topic": "liquidation.started"}).json()["events"]
    assert started["prices"]["BTC/USDT"]["price"] == "8600"
    assert verify(bounded.url).differences == []


def test_an_operators_word_makes_a_held_price_the_price_with_who_and_why(bounded: House) -> None:
    bounded.send(vector(1, BTC="30000"))
    word = {"type": "confirm_price", **WORD, "price": "30500", "idempotency_key": "w1"}
    assert bounded.post(word, who="service").status_code == 403
    (result,) = bounded.send(word, who="operator")
    assert bounded.send(word, who="operator") == [{**result, "status": "replayed"}]
    (event,) = bounded.get("/v1/events", params={"topic": "prices.marked", "actor": "operator:operator"}).json()[
        "events"
    ]
    assert (event["reason"], event["vouched_price"], event["effective_at"]) == (WORD["reason"], "30500", stamp(1))
    assert (event["prices"], event["confirmed"]["BTC/USDT"]["source"]) == ({"BTC/USDT": "30000"}, "a")
    assert price_of(bounded) == "30000"
    assert bounded.post({**word, "idempotency_key": "w2"}, who="operator").json()["code"] == "price_not_held"


def test_a_price_that_an_operator_rejects_is_held_no_more(bounded: House) -> None:
    bounded.send(vector(1, "a", BTC="30000"), vector(2, "b", BTC="90000"))
    held = bounded.get("/v1/market").json()["held_prices"]["BTC/USDT"]
    assert [(one["source"], one["price"], one["last_price"], one["price_jump_limit"]) for one in held] == [
        ("a", "30000", "50000", "0.2"),
        ("b", "90000", "50000", "0.2"),
    ]
    end = bounded.log_end()
    bounded.send({"type": "reject_price", **WORD, "idempotency_key": "r1"}, who="operator")
    assert bounded.get("/v1/market").json()["held_prices"] == {}
    before = bounded.get("/v1/market", params={"position": end}).json()
    assert before["held_prices"]["BTC/USDT"] == held
    assert verify(bounded.url).differences == []


def test_held_and_stale_prices_are_reported(bounded: House, command_line: CommandLine) -> None:
    bounded.send({**BOUND, "price_max_age_seconds": 60, "idempotency_key": "age"})
    bounded.send(vector(90, BTC="1000", ETH="2001"))
    market = bounded.get("/v1/market").json()["prices"]
    assert (market["BTC/USDT"]["stale"], market["ETH/USDT"]["stale"]) == (True, False)
    health = bounded.http.get("/health").json()
    assert (health["status"], health["prices"]["newest_prices_at"]) == ("ok", stamp(90))
    assert health["prices"]["held"] == [{"pair": "BTC/USDT", "source": "a", "effective_at": stamp(90)}]
    stale = {one["pair"]: one for one in health["prices"]["stale"]}
    assert (stale["BTC/USDT"]["behind_seconds"], stale["BTC/USDT"]["max_age_seconds"]) == (90, 60)
    assert stale["BTC/USDT"]["age_seconds"] > 90
    found = measured(bounded)
    assert (found["ledger_price_held", "BTC/USDT"], found["ledger_price_held", "ETH/USDT"]) == (1, 0)
    assert (found["ledger_price_stale", "BTC/USDT"], found["ledger_price_behind_seconds", "BTC/USDT"]) == (1, 90)
    command_line.use(bounded.url)
    told = command_line("status")
    assert "price of BTC/USDT: 90 s behind it, may be 60 s" in " ".join((told.out + told.err).split())
    assert "BTC/USDT: 1000 of 2026-01-10 12:31:30 UTC by a is held" in " ".join((told.out + told.err).split())
