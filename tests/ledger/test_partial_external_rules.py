"""A wallet that fills close out in part: who executes, until when, and what completing leaves to the house."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from ledger import events as e
from ledger.account import Account
from ledger.market import Market
from tests.ledger.asking import examine, fill, liquidate
from tests.ledger.given import NOON, after, market_after, topics, when
from tests.ledger.happenings import BTC_BUCKET, risk_limits, the_market
from tests.ledger.in_trouble import ROWS, aiming_at, bucket, end_of, fills, pool, tiered


def external(market: Market, account: Account, wallet: str = "cross") -> Account:
    return after(market, account, **liquidate(wallet, "external"))


def test_an_examination_starts_the_execution_that_the_exchange_has_set() -> None:
    market = market_after(the_market(), risk_limits("cross", *ROWS, liquidation_execution="external"))
    events = when(market, pool(), **examine())
    assert topics(events) == ["liquidation.started"]
    assert isinstance(events[0], e.LiquidationStarted)
    assert (events[0].execution, events[0].execute_by) == ("external", None)


def test_an_external_execution_states_until_when_it_is_in_time() -> None:
    market = market_after(the_market(), risk_limits("cross", *ROWS, execution_time_limit_seconds=90))
    for execution, by in (("external", NOON + timedelta(seconds=90)), ("house", None)):
        started = when(market, pool(), **liquidate("cross", execution))[0]
        assert isinstance(started, e.LiquidationStarted)
        assert started.execute_by == by


def sold(market: Market, account: Account, quantity: str) -> Account:
    """After a fill of the liquidation, at the mark price, that repays."""
    terms: Any = {"liquidation_id": "alice.6", "auto_repay": True}
    return after(market, account, **fill("sell", quantity, "2000", "ETH/USDT", **terms))


COMPLETE: Any = {"type": "complete_liquidation", "liquidation_id": "alice.6"}


def test_fills_that_bring_the_level_back_to_the_target_leave_nothing_to_the_house_but_the_fee() -> None:
    market = aiming_at("1.22")
    events = when(market, sold(market, external(market, pool()), "12"), **COMPLETE)
    assert topics(events) == ["liquidation.completed"]
    end = end_of(events)
    assert (end.fee, end.owed, end.level) == ({"ETH": Decimal("0.24")}, {"USDT": Decimal(16000)}, "1.22000000")


def test_where_fills_fall_short_of_the_target_the_house_goes_on_to_it() -> None:
    market = aiming_at("1.22")
    events = when(market, sold(market, external(market, pool()), "10"), **COMPLETE)
    assert fills(events) == [("ETH", Decimal(2), "USDT", Decimal(4000), None)]
    assert (end_of(events).owed, end_of(events).repaid_value) == ({"USDT": Decimal(16000)}, Decimal(24000))


def test_the_target_is_that_of_the_start() -> None:
    market = aiming_at("1.22")
    running = sold(market, external(market, pool()), "12")
    events = when(market_after(market, risk_limits("cross", *ROWS)), running, **COMPLETE)
    assert end_of(events).owed == {"USDT": Decimal(16000)}


def test_without_a_target_the_house_closes_out_what_the_fills_left() -> None:
    market = the_market()
    events = when(market, sold(market, external(market, pool()), "12"), **COMPLETE)
    assert end_of(events).owed is None


def test_fills_that_bring_a_bucket_to_a_lower_tier_above_its_line_leave_it_there() -> None:
    market = tiered()
    account = external(market, bucket("0.88"), BTC_BUCKET)
    (running,) = account.liquidations.values()
    terms: Any = {"liquidation_id": running.liquidation_id, "auto_repay": True}
    filled = after(market, account, **fill("sell", "0.2", "50000", **terms))
    events = when(market, filled, type="complete_liquidation", liquidation_id=running.liquidation_id)
    assert topics(events) == ["liquidation.completed"]
    assert (end_of(events).tier, end_of(events).owed, end_of(events).level) == (
        2,
        {"USDT": Decimal(30000)},
        "1.12666666",
    )
