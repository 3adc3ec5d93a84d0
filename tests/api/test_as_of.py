"""As of a point of the past every question is answered as it was then, and entered late is told from known late."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.api.house import House, deposit, open_account, open_house, opened_market

BUCKET = "isolated:ETH/USDT"
QUESTIONS = (
    *("/v1/accounts", "/v1/accounts/alice", "/v1/accounts/bob"),
    *("/v1/accounts/alice/limits?wallet=cross&asset=USDT", "/v1/accounts/alice/limits?wallet=spot&asset=BTC"),
    *("/v1/accounts/alice/statement", "/v1/accounts/alice/statement?order=desc&limit=3"),
    *("/v1/accounts/alice/events", "/v1/accounts/alice/events?order=desc&limit=3", "/v1/events?order=desc&limit=9"),
    *("/v1/accounts/bob/cross", "/v1/accounts/bob/isolated", "/v1/accounts/alice/cross", "/v1/accounts/bob/levels"),
    *("/v1/withdrawals", "/v1/holds", "/v1/loans", "/v1/loans?account_id=alice", "/v1/market"),
    *("/v1/market/prices?pair=ETH/USDT", "/v1/market/settings?scope=USDT", "/v1/liquidations", "/v1/margin-calls"),
    *("/v1/reports/trial-balance", "/v1/reports/margin-levels", "/v1/reports/insurance"),
    *("/v1/reports/book?book=external&asset=USDT", "/v1/adjustments"),
)


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def chapters(house: House) -> Iterator[None]:
    """A story in parts, with entries that are dated much before they are recorded, and a liquidation."""
    alice, bob = {"account_id": "alice", "asset": "USDT"}, {"account_id": "bob", "pair": "ETH/USDT"}
    opened_market(house, ago(60))
    yield
    house.send({**open_account("alice"), "effective_at": ago(59)}, {**open_account("bob"), "effective_at": ago(59)})
    house.send({**deposit("alice", "9000", "d1"), "effective_at": ago(58)}, deposit("bob", "100", "d1"))
    yield
    house.send(
        {**alice, "type": "transfer", "from": "spot", "to": "cross", "amount": "4000", "idempotency_key": "t1"},
        {**alice, "type": "borrow", "wallet": "cross", "amount": "2000", "idempotency_key": "b1"},
        {**alice, "type": "place_hold", "hold_id": "h1", "wallet": "spot", "amount": "100"},
        {**alice, "type": "request_withdrawal", "withdrawal_id": "w1", "amount": "50"},
    )
    yield
    house.send({**deposit("alice", "77", "late"), "effective_at": ago(57)})
    fill = {"side": "sell", "quantity": "0.2", "price": "2000", "fee": "0", "fee_asset": "USDT", "auto_borrow": True}
    house.send(
        {**bob, "type": "set_margin_mode", "mode": "isolated", "idempotency_key": "m1"},
        {**bob, "type": "add_margin", "asset": "USDT", "amount": "100", "idempotency_key": "a1"},
        {**bob, "type": "book_fill", "trade_id": "short-1", **fill},
    )
    yield
    house.send({"type": "mark_prices", "prices": {"ETH/USDT": "2400"}, "source": "test"})
    house.send({"type": "examine", "account_id": "bob", "wallet": BUCKET})
    house.send({"type": "release_hold", "account_id": "alice", "hold_id": "h1"})
    yield
    house.send({"type": "cancel_withdrawal", "account_id": "alice", "withdrawal_id": "w1"})
    house.send({**alice, "type": "repay", "wallet": "cross", "amount": "all", "idempotency_key": "r1"})
    house.send({"type": "mark_prices", "prices": {"BTC/USDT": "51000", "ETH/USDT": "2100"}, "source": "test"})
    yield


def get(house: House, question: str, **more: Any) -> httpx.Response:
    """A question with its own parameters and more."""
    path, _, query = question.partition("?")
    return house.get(path, params=dict(parse_qsl(query)) | more)


def asked(house: House, question: str, **point: Any) -> Any:
    """Status and content as it was written, without the point that the answer repeats."""
    answer = get(house, question, **point)
    content = {name: value for name, value in answer.json().items() if name not in ("as_of", "backdated")}
    return answer.status_code, json.dumps(content)


def in_bytes(house: House, question: str, **point: Any) -> tuple[int, bytes]:
    answer = get(house, question, **point)
    return answer.status_code, answer.content


def recorded_at(house: House, position: int) -> str:
    (event,) = house.get(f"/v1/events?after={position - 1}&limit=1").json()["events"]
    return str(event["recorded_at"])


@pytest.fixture(scope="module")
def empty_house(module_database: str) -> Iterator[House]:
    with open_house(module_database) as house:
        yield house


Told = dict[tuple[str, int], Any]


@pytest.fixture(scope="module")
def told(empty_house: House) -> tuple[House, Told, Told]:
    """The house after the story; what it answered in its course when asked about now, and as of business times."""
    now: Told = {}
    dated: Told = {}
    for _ in chapters(empty_house):
        position = empty_house.log_end()
        for question in QUESTIONS:
            now[question, position] = asked(empty_house, question)
            dated[question, position] = [
                in_bytes(empty_house, question, position=position, effective_at=moment) for moment in MOMENTS
            ]
    return empty_house, now, dated


MOMENTS = [ago(minutes) for minutes in (61, 58.5, 57.5, 56, 0)]


def test_the_story_has_all_that_questions_are_about(told: tuple[House, Told, Told]) -> None:
    house, _, _ = told
    topics = {event["topic"] for event in house.get("/v1/events?limit=1000").json()["events"]}
    assert topics >= {"liquidation.completed", "loan.repaid", "hold.released", "withdrawal.cancelled", "prices.marked"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_was_answered_then_is_answered_as_of_then(told: tuple[House, Told, Told], question: str) -> None:
    house, now, _ = told
    then = [(position, answer) for (name, position), answer in now.items() if name == question]
    assert len(then) == 6
    for position, answer in then:
        assert asked(house, question, position=position) == answer
        assert asked(house, question, recorded_at=recorded_at(house, position)) == answer


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_was_known_of_a_business_time_is_answered_for_ever(told: tuple[House, Told, Told], question: str) -> None:
    house, _, dated = told
    for (name, position), answers in dated.items():
        if name == question:
            for moment, answer in zip(MOMENTS, answers, strict=True):
                assert in_bytes(house, question, position=position, effective_at=moment) == answer
                assert answer[0] in (200, 404), answer


@pytest.mark.parametrize("question", QUESTIONS)
def test_as_of_a_time_after_everything_is_as_of_now(told: tuple[House, Told, Told], question: str) -> None:
    house, _, _ = told
    # Those say nothing of hours as of a business time, or of which event was the wallet's last.
    if "loans" not in question and not question.endswith(("cross", "isolated")):
        assert asked(house, question, effective_at=ago(-60)) == asked(house, question)


def test_a_statement_by_recorded_time_never_changes_once_issued(told: tuple[House, Told, Told]) -> None:
    """A deposit that is dated before the statement's time and recorded after it is not in it, whoever asks and when."""
    house, _, _ = told
    house.send(
        {**open_account("erin"), "effective_at": ago(50)}, {**deposit("erin", "10", "d1"), "effective_at": ago(49)}
    )
    end = recorded_at(house, house.log_end())
    counts_at = ago(47)
    question, form = "/v1/accounts/erin/statement", {"format": "csv"}
    issued = in_bytes(house, question, recorded_at=end, **form)
    known_then = in_bytes(house, question, recorded_at=end, effective_at=counts_at)
    house.send({**deposit("erin", "5", "late"), "effective_at": ago(48)})
    assert in_bytes(house, question, recorded_at=end, **form) == issued
    assert in_bytes(house, question, recorded_at=end, effective_at=counts_at) == known_then
    true_now = get(house, question, effective_at=counts_at).json()["lines"]
    own = [line["amount"] for line in true_now if line["book"] == "account/erin/spot"]
    assert own == ["10", "5"]
    spot = house.get("/v1/accounts/erin", params={"effective_at": counts_at}).json()["spot"]
    before = house.get("/v1/accounts/erin", params={"effective_at": counts_at, "recorded_at": end}).json()
    assert (spot["USDT"]["free"], before["spot"]["USDT"]["free"]) == ("15", "10")
    assert before["as_of"].keys() == {"recorded_at", "effective_at"}


def test_points_that_say_twice_what_was_known_are_refused(told: tuple[House, Told, Told]) -> None:
    house, _, _ = told
    for point in (
        {"position": 3, "recorded_at": ago(1)},
        {"position": 3, "min_position": 2},
        {"position": 3, "stale": True},
    ):
        answer = house.get("/v1/accounts", params=point)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert "each says what was known" in answer.json()["detail"]


def test_limits_of_a_wallet_that_is_below_zero_at_a_business_time_are_zero(told: tuple[House, Told, Told]) -> None:
    """Fred's withdrawal is dated before the deposit that it is paid from."""
    house, _, _ = told
    house.send(
        {**open_account("fred"), "effective_at": ago(50)}, {**deposit("fred", "10", "d1"), "effective_at": ago(30)}
    )
    withdrawal = {"type": "request_withdrawal", "withdrawal_id": "w1", "asset": "USDT", "amount": "4"}
    house.send({**withdrawal, "account_id": "fred", "effective_at": ago(40)})
    asked_for = {"wallet": "spot", "asset": "USDT", "effective_at": ago(35)}
    limits = house.get("/v1/accounts/fred/limits", params=asked_for).json()
    assert (limits["backdated"], limits["max_transfer_out"]) == (True, "0")
    assert "below zero in USDT as of that business time" in limits["refused"]["max_transfer_out"]["detail"]
    assert (
        house.get("/v1/accounts/fred", params={"effective_at": asked_for["effective_at"]}).json()["backdated"] is True
    )


@pytest.mark.parametrize(
    ("question", "rows", "place"),
    [
        ("/v1/events", "events", lambda row: row["position"]),
        ("/v1/accounts/alice/events", "events", lambda row: row["position"]),
        ("/v1/events?topic=funds.deposited", "events", lambda row: row["position"]),
        ("/v1/events?actor=admin:admin&topic=funds.deposited", "events", lambda row: row["position"]),
        ("/v1/accounts/alice/statement", "lines", lambda row: (row["position"], row["line"])),
        ("/v1/accounts/alice/statement?wallet=spot&asset=USDT", "lines", lambda row: (row["position"], row["line"])),
        ("/v1/reports/book?book=external&asset=USDT", "lines", lambda row: (row["position"], row["line"])),
    ],
)
def test_pages_are_read_from_the_first_on_and_from_the_last_back(
    told: tuple[House, Told, Told], question: str, rows: str, place: Any
) -> None:
    house, _, _ = told
    whole = get(house, question, limit=1000).json()[rows]
    assert len(whole) > 2
    for order, step in (("asc", "after"), ("desc", "before")):
        found: list[Any] = []
        where: dict[str, Any] = {}
        while where is not None:
            answer = get(house, question, limit=2, order=order, **where).json()
            found += answer[rows]
            if answer["next"] is None:
                break
            where = {step: answer["next"]}
        expected = whole if order == "asc" else whole[::-1]
        assert list(map(place, found)) == list(map(place, expected))


def test_events_between_two_positions_are_asked_for_with_both(told: tuple[House, Told, Told]) -> None:
    house, _, _ = told
    for order, expected in (("asc", [4, 5]), ("desc", [6, 5])):
        answer = house.get("/v1/events", params={"after": 3, "before": 7, "limit": 2, "order": order}).json()
        assert [event["position"] for event in answer["events"]] == expected
    assert house.get("/v1/events?order=up").status_code == 400
