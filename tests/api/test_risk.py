"""The risk engine: interest is charged by the hour, and wallets that came to a line are called or liquidated."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.risk import ACTOR, Examiner
from ledger import Ledger, parse_command
from ledger.postgres import connect
from ledger.storage import lock_log
from projections.rebuild import rebuild
from tests.api.borrowers import (
    FIVE_MINUTES,
    START,
    crowd,
    events_of,
    let_borrow,
    liquidations_of,
    mark,
    most_under_water_first,
    stamp,
    topics_of,
    wallet_command,
)
from tests.api.house import House, deposit, open_account, open_house, opened_market


@pytest.fixture
def house(database: str) -> Iterator[House]:
    """A house with a market; nobody examines in it."""
    with open_house(database) as house:
        opened_market(house, effective_at=stamp(START))
        yield house


@pytest.fixture
def borrowers(house: House) -> House:
    """Three accounts that owe USDT against BTC, from safest to riskiest."""
    let_borrow(house, [("safe", 10_000), ("called", 60_000), ("doomed", 90_000)])
    return house


def test_wallets_at_risk_are_called_or_liquidated_the_worst_first(borrowers: House) -> None:
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    mark(borrowers, "8500", START + FIVE_MINUTES)
    assert examiner.step() == 2
    assert "margin.called" not in topics_of(borrowers, "safe")
    (call,) = [event for event in events_of(borrowers, "called") if event["topic"] == "margin.called"]
    (started,) = [event for event in events_of(borrowers, "doomed") if event["topic"] == "liquidation.started"]
    assert started["position"] < call["position"]
    assert {call["actor"], started["actor"]} == {ACTOR}
    assert call["effective_at"] == stamp(START + FIVE_MINUTES)


def test_a_vector_is_acted_on_once(borrowers: House) -> None:
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    mark(borrowers, "8500", START + FIVE_MINUTES)
    examiner.step()
    end = borrowers.log_end()
    assert examiner.step() == 0
    assert Examiner(borrowers.ledger, borrowers.pool).step() == 0
    assert borrowers.log_end() == end


def test_those_equally_under_water_are_taken_in_order_of_their_ids(house: House) -> None:
    owed = crowd(30)
    let_borrow(house, owed)
    mark(house, "8500", START + FIVE_MINUTES)
    assert Examiner(house.ledger, house.pool).step() == 30
    assert [one.account_id for one in liquidations_of(house.url)] == most_under_water_first(owed)


def test_a_wallet_across_its_line_from_before_the_start_is_not_missed(borrowers: House) -> None:
    mark(borrowers, "8500", START + FIVE_MINUTES)
    borrowers.send(deposit("safe", "1", "d2"))
    assert Examiner(borrowers.ledger, borrowers.pool).step() == 2


def test_limits_that_move_a_line_have_wallets_examined_without_a_new_price(borrowers: House) -> None:
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    examiner.step()
    lines = {"max_leverage": "3", "liquidation": "1.6", "margin_call": "1.7", "initial": "1.8", "transfer_out": "2"}
    borrowers.send({"type": "set_risk_limits", "scope": "cross", "tiers": [lines], "idempotency_key": "stricter"})
    assert examiner.step() == 1
    assert [one.account_id for one in liquidations_of(borrowers.url)] == ["doomed"]


def test_a_liquidation_comes_before_a_call_at_a_lower_level(house: House) -> None:
    """The lines of a bucket at 3x lie above those of the pool: 1.149 is liquidated there, 1.108 is called here."""
    let_borrow(house, [("pool", 78_500)])
    house.send(open_account("bucket"), deposit("bucket", "1", "d1", "BTC"))
    lines = {"max_leverage": "3", "initial": "1.5", "margin_call": "1.22", "liquidation": "1.18"}
    house.send(
        {"type": "set_risk_limits", "scope": "BTC/USDT", "idempotency_key": "lines", "tiers": [lines]},
        wallet_command("bucket", "set_margin_mode", pair="BTC/USDT", mode="isolated"),
        wallet_command("bucket", "transfer", asset="BTC", amount="1", **{"from": "spot", "to": "isolated:BTC/USDT"}),
        wallet_command("bucket", "borrow", wallet="isolated:BTC/USDT", asset="USDT", amount="57000"),
    )
    mark(house, "8500", START + FIVE_MINUTES)
    assert Examiner(house.ledger, house.pool).step() == 2
    (call,) = [event for event in events_of(house, "pool") if event["topic"] == "margin.called"]
    (started,) = [event for event in events_of(house, "bucket") if event["topic"] == "liquidation.started"]
    assert Decimal(call["level"]) < Decimal(started["level"])
    assert started["position"] < call["position"]


def test_a_running_engine_sees_what_a_rebuild_repaired(borrowers: House) -> None:
    Examiner(borrowers.ledger, borrowers.pool).step()
    with connect(borrowers.url) as connection:
        connection.execute(
            "update projections.margin_wallets set balances = jsonb_set(balances, '{BTC,0}', '\"100\"')"
            " where account_id = 'doomed'"
        )
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    mark(borrowers, "8500", START + FIVE_MINUTES)
    assert examiner.step() == 1
    (report,) = rebuild(borrowers.url, ["margin_levels"])
    assert report.differences
    assert examiner.step() == 1
    assert [one.account_id for one in liquidations_of(borrowers.url)] == ["doomed"]


def test_a_crossing_that_is_gone_before_it_is_examined_is_left_alone(
    borrowers: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The price goes back while the writer is held up, so it comes before the examinations that were asked for."""
    mark(borrowers, "8500", START + FIVE_MINUTES)
    back = {"type": "mark_prices", "prices": {"BTC/USDT": "50000"}, "source": "test"}
    command = parse_command({**back, "effective_at": stamp(START + 2 * FIVE_MINUTES)})
    submit, asked = borrowers.ledger.submit_async, list[Sequence[Any]]()
    with connect(borrowers.url, autocommit=True) as connection:
        connection.execute("begin")
        lock_log(connection)
        marked = submit([command], actor="test")

        def submit_and_let_go(commands: Sequence[Any], **named: Any) -> Any:
            answer = submit(commands, **named)
            asked.append(commands)
            connection.execute("rollback")
            return answer

        monkeypatch.setattr(borrowers.ledger, "submit_async", submit_and_let_go)
        assert Examiner(borrowers.ledger, borrowers.pool).step() == 0
    assert marked.result()
    assert [[one.account_id for one in commands] for commands in asked] == [["doomed", "called"]]
    assert liquidations_of(borrowers.url) == []
    assert "margin.called" not in topics_of(borrowers, "called")


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


def test_hours_missed_while_no_engine_ran_are_charged_at_the_rates_of_their_time(borrowers: House) -> None:
    rate = {"type": "set_interest_rate", "asset": "USDT", "daily_rate": "0.00048", "idempotency_key": "rate"}
    borrowers.send({**rate, "effective_at": stamp(START + timedelta(hours=2))})
    mark(borrowers, "50000", START + timedelta(hours=5))
    Examiner(borrowers.ledger, borrowers.pool).step()
    lines = [line for event in events_of(borrowers, "safe")[-1:] for line in event["lines"]]
    assert [(line["first_hour"], line["hours"], line["rate"]) for line in lines] == [
        ("2026-01-10T13:00:00Z", 2, "0.00024"),
        ("2026-01-10T15:00:00Z", 3, "0.00048"),
    ]


def test_an_hour_that_another_engine_charged_is_not_charged_again(borrowers: House) -> None:
    late = Examiner(borrowers.ledger, borrowers.pool)
    late.step()
    mark(borrowers, "50000", START + timedelta(hours=5))
    with Ledger(borrowers.url) as ledger:
        Examiner(ledger, borrowers.pool).step()
    end = borrowers.log_end()
    late.step()
    assert borrowers.log_end() == end
    assert charged_hours(borrowers, "safe") == 6


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


def test_a_wallet_that_cannot_be_examined_keeps_no_other_from_it(
    borrowers: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    submit = borrowers.ledger.submit

    def failing(commands: Any, **named: Any) -> Any:
        if any(getattr(one, "account_id", None) == "doomed" for one in commands):
            raise RuntimeError("a fault in deciding")
        return submit(commands, **named)

    mark(borrowers, "8500", START + FIVE_MINUTES)
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    with monkeypatch.context() as patched:
        patched.setattr(borrowers.ledger, "submit", failing)
        assert examiner.step() == 1
    assert "margin.called" in topics_of(borrowers, "called")
    assert "examine of doomed failed" in caplog.text
    monkeypatch.setattr("api.risk.FAULT_PAUSE_SECONDS", 0)
    assert Examiner(borrowers.ledger, borrowers.pool).step() == 1
    assert [one.account_id for one in liquidations_of(borrowers.url)] == ["doomed"]


def test_an_account_whose_interest_could_not_be_charged_is_charged_within_the_hour(
    borrowers: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = borrowers.ledger.submit

    def failing(commands: Any, **named: Any) -> Any:
        if any(getattr(one, "account_id", None) == "safe" for one in commands):
            raise RuntimeError("a fault in deciding")
        return submit(commands, **named)

    monkeypatch.setattr("api.charging.PUT_OFF_SECONDS", 0.05)
    mark(borrowers, "50000", START + timedelta(minutes=30))
    examiner = Examiner(borrowers.ledger, borrowers.pool)
    with monkeypatch.context() as patched:
        patched.setattr(borrowers.ledger, "submit", failing)
        examiner.step()
        examiner.advance()
    assert examiner.stand is not None
    assert (charged_hours(borrowers, "safe"), charged_hours(borrowers, "called")) == (1, 2)
    assert examiner.stand.uncharged == 1
    time.sleep(0.1)
    while examiner.advance():
        pass
    assert charged_hours(borrowers, "safe") == 2
    assert examiner.stand.uncharged == 0
