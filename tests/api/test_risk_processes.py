"""Several risk engines, killed ones, storms, a database that goes away: nobody is missed, and nobody hit twice."""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from api.risk import Examiner, watch_over
from api.risk_standing import Led, read_engine
from ledger import Ledger
from ledger.events import MarginCalled
from ledger.log import read_log
from ledger.postgres import connect
from tests.api.borrowers import (
    FIVE_MINUTES,
    START,
    crowd,
    let_borrow,
    levels_of,
    liquidations_of,
    mark,
    most_under_water_first,
    stamp,
    topics_of,
)
from tests.api.command_line import LEDGER
from tests.api.house import START_SECONDS, House, deposit, open_account, open_house, opened_market, wait_until
from tests.api.test_outage import database_away

STORM = 600


@pytest.fixture
def house(database: str) -> Iterator[House]:
    """A house with a market; nobody examines in it."""
    with open_house(database) as house:
        opened_market(house, effective_at=stamp(START))
        yield house


@contextmanager
def looping(house: House) -> Iterator[threading.Thread]:
    """The engine in this process, over the house's own writer."""
    stop = threading.Event()
    loop = threading.Thread(target=watch_over, args=(house.ledger, house.url, stop), daemon=True)
    loop.start()
    try:
        yield loop
    finally:
        stop.set()
        loop.join(START_SECONDS)


@contextmanager
def risk_process(url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`ledger risk` in a process of its own, with a writer of its own; killed at the end."""
    environment = {**os.environ, "LEDGER_DATABASE_URL": url}
    with subprocess.Popen([str(LEDGER), "risk"], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def engine_of(house: House) -> Led:
    with house.pool.connection() as connection:
        return read_engine(connection)


def is_led_by(house: House, process: "subprocess.Popen[bytes]") -> bool:
    return engine_of(house).leader == f"ledger risk {process.pid}"


def started_in(house: House) -> int:
    """How many liquidations were started, without reading the log."""
    with house.pool.connection() as connection:
        row = connection.execute("select count(*) from events where topic = 'liquidation.started'").fetchone()
    assert row is not None
    return int(row[0])


def calls_of(url: str) -> list[str]:
    with connect(url) as connection:
        return [
            one.event.account_id for one in read_log(connection, 0, 1_000_000) if isinstance(one.event, MarginCalled)
        ]


def test_the_loop_examines_until_it_is_stopped(house: House) -> None:
    let_borrow(house, [("called", 60_000), ("doomed", 90_000)])
    with looping(house) as loop:
        mark(house, "8500", START + FIVE_MINUTES)
        wait_until(lambda: "liquidation.completed" in topics_of(house, "doomed"))
        wait_until(lambda: "margin.called" in topics_of(house, "called"))
    assert not loop.is_alive()
    assert "liquidation.completed" in topics_of(house, "doomed")
    assert "margin.called" in topics_of(house, "called")


def test_the_loop_lives_on_when_its_connections_are_cut(house: House) -> None:
    let_borrow(house, [("doomed", 90_000)])
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'ledger risk%'"
    with looping(house):
        for _ in range(3):
            with house.pool.connection() as connection:
                connection.execute(cut)
            time.sleep(0.2)
        mark(house, "8500", START + FIVE_MINUTES)
        wait_until(lambda: "liquidation.completed" in topics_of(house, "doomed"))
    assert "liquidation.completed" in topics_of(house, "doomed")


def test_the_loop_goes_on_after_the_database_was_away(house: House) -> None:
    let_borrow(house, [("doomed", 90_000)])
    with looping(house):
        wait_until(lambda: engine_of(house).leader_pid is not None)
        with database_away(house.url):
            time.sleep(2.5)
        wait_until(lambda: house.http.get("/health").status_code == 200)
        mark(house, "8500", START + FIVE_MINUTES)
        wait_until(lambda: "liquidation.completed" in topics_of(house, "doomed"))
    assert topics_of(house, "doomed").count("liquidation.started") == 1


def test_engines_that_all_act_at_once_liquidate_and_call_each_wallet_once(house: House) -> None:
    """Nobody leads here: what keeps them from acting twice is that each examination is decided anew."""
    owed = [*crowd(80), *((f"called{number}", 60_000) for number in range(40))]
    let_borrow(house, owed)
    mark(house, "8500", START + FIVE_MINUTES)
    with ExitStack() as stack, ThreadPoolExecutor(3) as threads:
        ledgers = [stack.enter_context(Ledger(house.url)) for _ in range(3)]
        acted = sum(threads.map(lambda ledger: Examiner(ledger, house.pool).step(), ledgers))
    assert acted == 120
    assert Counter(one.account_id for one in liquidations_of(house.url)) == {name: 1 for name, _ in crowd(80)}
    assert Counter(calls_of(house.url)) == {f"called{number}": 1 for number in range(40)}


def test_one_leads_and_another_takes_over_when_it_is_killed(house: House) -> None:
    let_borrow(house, [("early", 90_000), ("late", 70_000)])
    with risk_process(house.url) as first:
        wait_until(lambda: is_led_by(house, first))
        with risk_process(house.url) as second:
            mark(house, "8500", START + FIVE_MINUTES)
            wait_until(lambda: started_in(house) == 1)
            assert is_led_by(house, first)
            first.send_signal(signal.SIGKILL)
            wait_until(lambda: is_led_by(house, second))
            mark(house, "6500", START + 2 * FIVE_MINUTES)
            wait_until(lambda: started_in(house) == 2)
    assert [one.account_id for one in liquidations_of(house.url)] == ["early", "late"]


@pytest.mark.long
def test_a_storm_in_which_engines_are_killed_again_and_again_ends_with_each_wallet_liquidated_once(
    house: House,
) -> None:
    owed = crowd(STORM)
    let_borrow(house, owed)
    mark(house, "8500", START + FIVE_MINUTES)
    left_in_the_middle = 0
    while (before := started_in(house)) < STORM:
        with risk_process(house.url) as process:
            wait_until(lambda before=before: started_in(house) > before)  # type: ignore[misc]
            if left_in_the_middle >= 3:
                wait_until(lambda: started_in(house) == STORM)
            process.kill()
        left_in_the_middle += before < started_in(house) < STORM
    assert left_in_the_middle
    assert [one.account_id for one in liquidations_of(house.url)] == most_under_water_first(owed)
    assert house.get("/v1/liquidations?status=running").json()["liquidations"] == []


def test_customers_are_answered_in_a_storm_and_each_liquidation_has_its_own_numbers(house: House) -> None:
    owed = crowd(STORM)
    let_borrow(house, owed)
    house.send(open_account("customer"))
    with looping(house):
        wait_until(lambda: engine_of(house).leader_pid is not None)
        mark(house, "8500", START + FIVE_MINUTES)
        before_the_end = 0
        while started_in(house) < STORM:
            house.send(deposit("customer", "1", f"d{before_the_end}"))
            before_the_end += 1
    started = liquidations_of(house.url)
    assert before_the_end > 5
    assert [one.account_id for one in started] == most_under_water_first(owed)
    assert levels_of(started) == sorted(levels_of(started))
    owes = dict(owed)
    for one in started:
        assert {pair: str(marked.price) for pair, marked in one.prices.items()} == {
            "BTC/USDT": "8500",
            "ETH/USDT": "2000",
        }
        # What is owed has interest of the hour of the borrow on it.
        assert one.balances["USDT"].borrowed == owes[one.account_id]
        assert one.assets == owes[one.account_id] + 8500


def test_status_health_and_metrics_tell_how_the_engine_stands(house: House) -> None:
    assert house.http.get("/health").json()["risk"]["led"] is False
    assert "ledger_risk_led 0.0" in house.http.get("/metrics").text
    let_borrow(house, [("safe", 10_000), ("called", 60_000)])
    mark(house, "8500", START + FIVE_MINUTES)
    with looping(house):
        wait_until(lambda: "margin.called" in topics_of(house, "called"))
        wait_until(lambda: house.http.get("/health").json()["risk"]["position"] == house.log_end())
        # Who owes is counted as seldom as it is costly.
        wait_until(lambda: house.http.get("/health").json()["risk"]["watched"] == 2)
        shown = house.http.get("/health").json()["risk"]
        measured = house.http.get("/metrics").text
    assert (shown["led"], shown["watched"], shown["waiting"], shown["uncharged"]) == (True, 2, 0, 0)
    assert shown["step_seconds"] >= 0
    assert "ledger_risk_led 1.0" in measured
    assert f"ledger_risk_position {float(house.log_end())}" in measured
