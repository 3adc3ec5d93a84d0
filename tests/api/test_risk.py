"""The loop that examines: after each price vector interest is charged, and wallets at risk are called or liquidated."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.risk import ACTOR, Examiner, watch_over
from tests.api.house import START_SECONDS, House, deposit, open_account, open_house, opened_market, wait_until

START = datetime(2026, 1, 10, 12, 30, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest.fixture
def borrowers(database: str) -> Iterator[House]:
    """Three accounts that owe USDT against BTC, from safest to riskiest; nobody examines them."""
    with open_house(database) as house:
        opened_market(house, effective_at=stamp(START))
        for name, amount in [("safe", "10000"), ("called", "60000"), ("doomed", "90000")]:
            house.send(open_account(name), deposit(name, "1", "d1", "BTC"))
            house.send(
                wallet_command(name, "transfer", asset="BTC", amount="1", **{"from": "spot", "to": "cross"}),
                wallet_command(name, "borrow", wallet="cross", asset="USDT", amount=amount),
            )
        yield house


def wallet_command(account_id: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "account_id": account_id, "idempotency_key": kind, "effective_at": stamp(START), **fields}


def mark(house: House, price: str, at: datetime) -> None:
    house.send({"type": "mark_prices", "prices": {"BTC/USDT": price}, "source": "test", "effective_at": stamp(at)})


def events_of(house: House, account_id: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = house.get(f"/v1/accounts/{account_id}/events").json()["events"]
    return events


def topics_of(house: House, account_id: str) -> list[str]:
    return [event["topic"] for event in events_of(house, account_id)]


def test_wallets_at_risk_are_called_or_liquidated_the_worst_first(borrowers: House) -> None:
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    mark(borrowers, "8500", START + timedelta(minutes=5))
    assert examiner.step() == 2
    assert "margin.called" not in topics_of(borrowers, "safe")
    (call,) = [event for event in events_of(borrowers, "called") if event["topic"] == "margin.called"]
    (started,) = [event for event in events_of(borrowers, "doomed") if event["topic"] == "liquidation.started"]
    assert started["position"] < call["position"]
    assert {call["actor"], started["actor"]} == {ACTOR}
    assert call["effective_at"] == stamp(START + timedelta(minutes=5))


def test_a_vector_is_acted_on_once(borrowers: House) -> None:
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    mark(borrowers, "8500", START + timedelta(minutes=5))
    examiner.step()
    end = borrowers.log_end()
    assert examiner.step() == 0
    assert Examiner(borrowers.ledger, borrowers.pool).step() == 0
    assert borrowers.log_end() == end


def test_interest_is_charged_for_every_hour_of_the_prices_also_for_hours_without_any(borrowers: House) -> None:
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    mark(borrowers, "50000", START + timedelta(minutes=29))
    examiner.step()
    assert charged_hours(borrowers, "safe") == 1
    mark(borrowers, "50000", START + timedelta(minutes=30))
    examiner.step()
    assert charged_hours(borrowers, "safe") == 2
    mark(borrowers, "50000", START + timedelta(hours=5))
    examiner.step()
    assert charged_hours(borrowers, "safe") == 6
    last = events_of(borrowers, "safe")[-1]
    assert (last["topic"], last["effective_at"]) == ("interest.accrued", stamp(START + timedelta(hours=5)))


def charged_hours(house: House, account_id: str) -> int:
    """How many hours of interest were charged in all, the borrow's own included."""
    accrued = [event for event in events_of(house, account_id) if event["topic"] == "interest.accrued"]
    return sum(line["hours"] for event in accrued for line in event["lines"])


def test_where_no_price_moves_nothing_is_charged(borrowers: House) -> None:
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    examiner.step()
    end = borrowers.log_end()
    borrowers.send(deposit("safe", "1", "d2"))
    examiner.step()
    assert borrowers.log_end() == end + 1


@contextmanager
def looping(house: House) -> Iterator[threading.Thread]:
    stop = threading.Event()
    loop = threading.Thread(target=watch_over, args=(house.ledger, house.url, stop), daemon=True)
    loop.start()
    try:
        yield loop
    finally:
        stop.set()
        loop.join(START_SECONDS)


def test_the_loop_examines_until_it_is_stopped(borrowers: House) -> None:
    with looping(borrowers) as loop:
        mark(borrowers, "8500", START + timedelta(minutes=5))
        wait_until(lambda: "liquidation.completed" in topics_of(borrowers, "doomed"))
        wait_until(lambda: "margin.called" in topics_of(borrowers, "called"))
    assert not loop.is_alive()
    assert "liquidation.completed" in topics_of(borrowers, "doomed")
    assert "margin.called" in topics_of(borrowers, "called")


def test_the_loop_lives_on_when_its_connections_are_cut(borrowers: House) -> None:
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ledger risk'"
    with looping(borrowers):
        for _ in range(3):
            with borrowers.pool.connection() as connection:
                connection.execute(cut)
            time.sleep(0.2)
        mark(borrowers, "8500", START + timedelta(minutes=5))
        wait_until(lambda: "liquidation.completed" in topics_of(borrowers, "doomed"))
    assert "liquidation.completed" in topics_of(borrowers, "doomed")
