"""An explanation agrees with every number that was decided, and names each that was changed since."""

from typing import NamedTuple

import pytest

from ledger import Ledger
from ledger.events import LiquidationStarted, MarginCalled
from ledger.log import read_log
from ledger.postgres import connect
from tests.projections.liquidated import (
    BUCKET,
    explained,
    fill,
    long_in_the_pool,
    named,
    opened_exchange,
    position_of,
    short_in_a_bucket,
    tamper,
    wrong,
)
from tests.simulation.machine import run
from tests.simulation.test_write_path import dated, submitted

STEPS = 1_500


class Changed(NamedTuple):
    """A text in one event of a story, written otherwise; `names` are among the numbers that do not agree then."""

    topic: str
    was: str
    becomes: str
    names: set[str]


HOUSE = [
    Changed("liquidation.started", '"level":"1.07997840"', '"level":"1.07997841"', {"level"}),
    Changed("liquidation.started", '"assets":"21600', '"assets":"21601', {"assets"}),
    Changed("liquidation.started", '"debt":"20000.4', '"debt":"20000.3', {"debt"}),
    Changed("liquidation.started", '"liquidation_level":"1.1"', '"liquidation_level":"1.2"', {"liquidation_level"}),
    Changed("liquidation.started", '"free":"0.6', '"free":"0.7', {"balances.BTC.free", "assets", "level"}),
    Changed("liquidation.started", '"price":"36000"', '"price":"35000"', {"prices.BTC/USDT", "assets", "level"}),
    Changed("liquidation.started", '"fee_rate":"0.02"', '"fee_rate":"0.03"', {"fee_rate", "fee_value", "fee.BTC"}),
    Changed("liquidation.started", '"liquidation_id":"alice.8"', '"liquidation_id":"alice.9"', {"liquidation_id"}),
    Changed("liquidation.filled", '"0.55556667"', '"0.55556668"', {"fill BTC for USDT: taken", "sold.BTC"}),
    Changed("liquidation.filled", '"20000.0', '"19999.0', {"fill BTC for USDT: credited", "repaid.USDT"}),
    Changed("liquidation.filled", '"asset_price":"36000"', '"asset_price":"37000"', {"fill BTC for USDT: asset_price"}),
    Changed("liquidation.completed", '"repaid_value":"20000.4', '"repaid_value":"20001.4', {"repaid_value"}),
    Changed("liquidation.completed", '"fee_value":"400.008', '"fee_value":"500.008', {"fee_value"}),
    Changed("liquidation.completed", '"BTC":"0.01111134"', '"BTC":"0.01111133"', {"fee.BTC"}),
    Changed("liquidation.completed", '"BTC":"0.03332199"', '"BTC":"0.04332199"', {"left.BTC"}),
]


@pytest.mark.parametrize("changed", HOUSE, ids=lambda one: f"{one.topic} {one.becomes}")
def test_a_number_that_was_changed_in_the_log_is_named(database: str, changed: Changed) -> None:
    with opened_exchange(database) as exchange:
        long_in_the_pool(exchange, "alice")
        exchange.mark("12:40:00", BTC="36000")
        examined = exchange.examine("alice")
    assert explained(database, named(examined))["agrees"]
    tamper(database, position_of(examined, changed.topic), changed.was, changed.becomes)
    found = explained(database, named(examined))
    assert (found["agrees"], found["disagreements"]) == (False, len(wrong(found)))
    assert changed.names | {f"{changed.topic} decided again"} <= set(wrong(found))
    assert not found["decisions"][0]["agrees"]


DEFICIT = [
    Changed("deficit.covered", '"value":"2000.4', '"value":"1000.4', {"deficit USDT: value", "covered_value"}),
    Changed("deficit.covered", '"principal":"2000.', '"principal":"1999.', {"deficit USDT: principal", "covered.USDT"}),
    Changed("liquidation.completed", '"covered_value":"2000.4', '"covered_value":"0.4', {"covered_value"}),
]


@pytest.mark.parametrize("changed", DEFICIT, ids=lambda one: f"{one.topic} {one.becomes}")
def test_a_deficit_that_was_changed_in_the_log_is_named(database: str, changed: Changed) -> None:
    with opened_exchange(database) as exchange:
        long_in_the_pool(exchange, "alice")
        exchange.mark("12:40:00", BTC="30000")
        examined = exchange.examine("alice")
    tamper(database, position_of(examined, changed.topic), changed.was, changed.becomes)
    assert changed.names <= set(wrong(explained(database, named(examined))))


TARGET = {"type": "set_risk_limits", "scope": "cross", "liquidation_target": "1.22", "idempotency_key": "target"}
IN_PART = [
    Changed("liquidation.started", '"target":"1.22"', '"target":"1.23"', {"target"}),
    Changed("liquidation.completed", '"owed":{"USDT":"5997.', '"owed":{"USDT":"5998.', {"owed.USDT"}),
    Changed("liquidation.completed", '"level":"1.22', '"level":"1.23', {"level in the end"}),
    Changed("liquidation.completed", '_level":"1.1"', '_level":"1.2"', {"liquidation_level in the end"}),
]


@pytest.mark.parametrize("changed", IN_PART, ids=lambda one: f"{one.topic} {one.becomes}")
def test_what_a_liquidation_to_a_target_leaves_is_worked_out_again(database: str, changed: Changed) -> None:
    """(1.22 x 20,000.4 - 21,600) / 0.2 = 14,002.44 are repaid."""
    with opened_exchange(database) as exchange:
        exchange.send(TARGET, at="10:00:00")
        long_in_the_pool(exchange, "alice")
        exchange.mark("12:40:00", BTC="36000")
        examined = exchange.examine("alice")
    found = explained(database, named(examined))
    assert (found["agrees"], found["started"]["target"]) == (True, "1.22")
    assert "at level 1.0799784 " in found["sentence"]
    assert ", to be brought back to level 1.22, which sold " in found["sentence"]
    tamper(database, position_of(examined, changed.topic), changed.was, changed.becomes)
    assert changed.names <= set(wrong(explained(database, named(examined))))


LINES = {"max_leverage": "10", "initial": "1.2", "margin_call": "1.15"}
TIERS = [{**LINES, "liquidation": "1.1", "base_limit": "0.05"}, {**LINES, "liquidation": "1.12"}]


def test_the_tier_that_a_bucket_is_left_in_is_worked_out_again(database: str) -> None:
    """6,000 against 0.1 BTC at 55,000 is 1.09; down to 0.05 BTC and the fee of 55 it is 3,195 / 2,750 = 1.1618."""
    with opened_exchange(database) as exchange:
        limits = {"type": "set_risk_limits", "scope": "BTC/USDT", "tiers": TIERS, "idempotency_key": "tiers"}
        exchange.send(limits, at="10:00:00")
        short_in_a_bucket(exchange, "bob")
        exchange.mark("11:30:00", BTC="55000")
        examined = exchange.examine("bob", BUCKET)
    found = explained(database, named(examined))
    assert (found["agrees"], found["after"]["tier"], found["outcome"]["owed"]["BTC"]["amount"]) == (True, 1, "0.05")
    assert "brought back" not in found["sentence"]
    tamper(database, position_of(examined, "liquidation.completed"), '"tier":1', '"tier":2')
    assert "tier in the end" in wrong(explained(database, named(examined)))


CALL = [
    Changed("margin.called", '"level":"1.25998740"', '"level":"1.35998740"', {"level"}),
    Changed("margin.called", '"threshold":"1.3"', '"threshold":"1.2"', {"threshold", "level is at or below its line"}),
    Changed("margin.called", '"price":"42000"', '"price":"41000"', {"prices.BTC/USDT", "assets", "level"}),
]


@pytest.mark.parametrize("changed", CALL, ids=lambda one: one.becomes)
def test_a_margin_call_that_was_changed_in_the_log_is_named(database: str, changed: Changed) -> None:
    with opened_exchange(database) as exchange:
        long_in_the_pool(exchange, "alice")
        exchange.mark("11:30:00", BTC="42000")
        examined = exchange.examine("alice")
    call = named(examined, "margin.called")
    assert wrong(explained(database, call)) == []
    tamper(database, position_of(examined, changed.topic), changed.was, changed.becomes)
    found = explained(database, call)
    assert changed.names | {"margin.called decided again"} <= set(wrong(found))


def test_an_external_fill_that_was_changed_in_the_log_is_named(database: str) -> None:
    with opened_exchange(database) as exchange:
        short_in_a_bucket(exchange, "bob")
        exchange.mark("11:30:00", BTC="58000")
        liquidate = {"type": "liquidate", "account_id": "bob", "wallet": BUCKET, "execution": "external"}
        (began,) = exchange.send({**liquidate, "idempotency_key": "l1"}, at="11:30:00")
        bought = fill("bob", "buy", "0.1", "57000", "t-2", liquidation_id=named(began), auto_repay=True)
        (filled,) = exchange.send(bought, at="11:31:00")
    assert explained(database, named(began))["agrees"]
    tamper(database, position_of(filled, "trade.booked"), '"quote_amount":"5700', '"quote_amount":"5600')
    found = explained(database, named(began))
    assert {"fill: quote_amount", "trade.booked decided again", "trade.booked quote_amount"} <= set(wrong(found))


def test_what_was_changed_before_a_liquidation_or_in_its_prices_is_named_too(database: str) -> None:
    with opened_exchange(database) as exchange:
        long_in_the_pool(exchange, "alice")
        vector = exchange.mark("12:40:00", BTC="36000")
        examined = exchange.examine("alice")
    tamper(database, vector, '"36000"', '"35999"')
    found = explained(database, named(examined))
    assert {"prices.BTC/USDT", "liquidation.started decided again"} <= set(wrong(found))
    tamper(database, vector, '"35999"', '"36000"')
    assert explained(database, named(examined))["agrees"]
    tamper(database, 12, '"10000"', '"10001"')  # What was moved into the pool.
    assert {"balances.USDT.free", "liquidation.started decided again"} <= set(
        wrong(explained(database, named(examined)))
    )


@pytest.mark.parametrize("seed", [21, 24])
def test_every_liquidation_and_call_of_a_random_life_agrees_with_itself(database: str, seed: int) -> None:
    """Holds, tiers, several debts, both executions and deficits come up among four to ten of them."""
    simulation = run(STEPS, seed)
    with Ledger(database) as ledger:
        submitted(ledger, dated(simulation))
    with connect(database) as connection:
        recorded = read_log(connection, 0, 2**31)
    causes = [one for one in recorded if isinstance(one.event, LiquidationStarted | MarginCalled)]
    found = {one.position: explained(database, f"{one.event.account_id}.{one.event.version}") for one in causes}
    assert {position: wrong(one) for position, one in found.items() if not one["agrees"]} == {}
    assert len(found) > 2
