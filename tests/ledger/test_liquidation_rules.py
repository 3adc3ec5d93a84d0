"""Close-out by the house: what is taken and paid, the fee, the deficit, and what is left."""

from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.market import Market
from tests.ledger.asking import add_margin, borrow, examine, fill, liquidate
from tests.ledger.given import NOON, after, balance, decided, given, market_after, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    ETH_BUCKET,
    accrued,
    borrowed,
    deposited,
    held,
    hours,
    line,
    margin_added,
    marked,
    mode_set,
    opened,
    risk_limits,
    the_market,
    tier,
    traded,
    transferred,
)

LONG = (
    opened(),
    deposited("10000", "USDT"),
    mode_set("isolated"),
    margin_added("10000", "USDT"),
    borrowed("40000", "USDT", BTC_BUCKET),
    traded("buy", "1", "50000", wallet=BTC_BUCKET),
)
SHORT = (
    opened(),
    deposited("1000", "USDT"),
    mode_set("isolated"),
    margin_added("1000", "USDT"),
    borrowed("0.1", "BTC", BTC_BUCKET),
    traded("sell", "0.1", "50000", wallet=BTC_BUCKET),
)
# Two debts (25,000 of SOL and 3,000 USDT) against 20,000 of BTC, 10,000 of ETH and 500 USDT: 30,500 / 28,000 = 1.089...
MANY = (
    opened(),
    deposited("0.4", "BTC"),
    deposited("5", "ETH"),
    deposited("500", "USDT"),
    transferred("0.4", "BTC"),
    transferred("5", "ETH"),
    transferred("500", "USDT"),
    borrowed("3000", "USDT"),
    borrowed("250", "SOL"),
    transferred("3000", "USDT", "cross", "spot"),
    transferred("250", "SOL", "cross", "spot"),
)


def plainly(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def amounts(written: dict[str, Decimal]) -> dict[str, str]:
    """Amounts by asset, written plainly, zeros left out."""
    return {asset: plainly(amount) for asset, amount in written.items() if amount}


def fills(events: list[e.Event]) -> list[tuple[str, str, str, str, str]]:
    """Asset and how much was taken, debt and the interest and principal paid."""
    return [
        (event.asset, plainly(event.taken), event.debt_asset, plainly(event.interest), plainly(event.principal))
        for event in events
        if isinstance(event, e.LiquidationFilled)
    ]


def completion(events: list[e.Event]) -> e.LiquidationCompleted:
    (event,) = [event for event in events if isinstance(event, e.LiquidationCompleted)]
    assert events[-1] is event
    return event


def test_a_liquidation_starts_with_all_that_explains_it() -> None:
    market, account = the_market(BTC="41500"), given(*LONG)
    started = when(market, account, **liquidate(BTC_BUCKET))[0]
    assert isinstance(started, e.LiquidationStarted)
    assert (started.liquidation_id, started.version) == ("alice.7", 7)
    assert (started.wallet, started.level, started.tier) == (BTC_BUCKET, "1.03750000", 1)
    assert (started.liquidation_level, started.fee_rate) == (Decimal("1.05"), Decimal("0.02"))
    assert (started.assets, started.debt) == (Decimal(41500), Decimal(40000))
    assert set(started.prices) == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
    assert started.balances["BTC"].free == 1
    assert started.balances["USDT"].borrowed == 40000


def test_the_house_takes_what_the_debt_is_worth_rounded_up_and_its_fee() -> None:
    events = when(the_market(BTC="41500"), given(*LONG), **liquidate(BTC_BUCKET))
    assert topics(events) == ["liquidation.started", "liquidation.filled", "liquidation.completed"]
    # 40,000 / 41,500 = 0.963855421...; 2 % of 40,000 is 800: 0.019277108...
    assert fills(events) == [("BTC", "0.96385543", "USDT", "0", "40000")]
    end = completion(events)
    assert (amounts(end.sold), amounts(end.repaid)) == ({"BTC": "0.96385543"}, {"USDT": "40000"})
    assert (amounts(end.fee), end.repaid_value) == ({"BTC": "0.01927711"}, Decimal(40000))
    assert (amounts(end.covered), amounts(end.left)) == ({}, {"BTC": "0.01686746"})


def test_what_is_left_stays_in_the_wallet() -> None:
    later = after(the_market(BTC="41500"), given(*LONG), **liquidate(BTC_BUCKET))
    assert balance(later, BTC_BUCKET, "BTC") == {"free": "0.01686746"}
    assert balance(later, BTC_BUCKET, "USDT") == {}


def test_what_cannot_be_paid_is_covered_by_the_fund_at_the_mark_price_rounded_up() -> None:
    # 6,000 USDT buy back 0.08571428 BTC at 70,000; 0.01428572 are missing, worth 1,000.0004.
    events = when(the_market(BTC="70000"), given(*SHORT), **liquidate(BTC_BUCKET))
    assert topics(events) == ["liquidation.started", "liquidation.filled", "deficit.covered", "liquidation.completed"]
    assert fills(events) == [("USDT", "6000", "BTC", "0", "0.08571428")]
    (deficit,) = [event for event in events if isinstance(event, e.DeficitCovered)]
    assert (deficit.asset, deficit.principal, deficit.interest) == ("BTC", Decimal("0.01428572"), Decimal(0))
    assert (deficit.price, deficit.value) == (Decimal(70000), Decimal("1000.0004"))
    end = completion(events)
    assert (amounts(end.covered), amounts(end.fee), amounts(end.left)) == ({"BTC": "0.01428572"}, {}, {})


def test_the_value_of_a_deficit_is_rounded_up() -> None:
    account = given(*SHORT, accrued(line("0.00000001", "BTC", "0.1", "0.0024"), wallet=BTC_BUCKET))
    events = when(the_market(BTC="70000.01"), account, **liquidate(BTC_BUCKET))
    # 0.10000001 - 0.08571427 (6,000 / 70,000.01 rounded down) = 0.01428574 at 70,000.01.
    (deficit,) = [event for event in events if isinstance(event, e.DeficitCovered)]
    assert deficit.interest + deficit.principal == Decimal("0.01428574")
    assert deficit.value == Decimal("1000.00194286")


def test_the_fee_is_at_most_what_is_left() -> None:
    # At 40,400: 0.99009901 BTC pay the debt, 0.00990099 are left for a fee of 800.
    events = when(the_market(BTC="40400"), given(*LONG), **liquidate(BTC_BUCKET))
    assert fills(events) == [("BTC", "0.99009901", "USDT", "0", "40000")]
    assert amounts(completion(events).fee) == {"BTC": "0.00990099"}
    assert amounts(completion(events).left) == {}


def test_the_fee_is_of_what_was_repaid_and_not_of_what_was_covered() -> None:
    account = given(*SHORT)
    events = when(the_market(BTC="70000"), account, **liquidate(BTC_BUCKET))
    assert completion(events).repaid_value == Decimal("5999.9996")


def test_the_fee_is_set_by_risk_limits() -> None:
    row = tier("10", "1.111", "1.09", "1.05")
    market = market_after(the_market(BTC="41500"), risk_limits("BTC/USDT", row, fee="0.01"))
    events = when(market, given(*LONG), **liquidate(BTC_BUCKET))
    # 400 / 41,500 = 0.009638554...
    assert amounts(completion(events).fee) == {"BTC": "0.00963856"}


def test_interest_is_paid_first() -> None:
    account = given(*LONG, accrued(line("10", "USDT", "40000", "0.006"), wallet=BTC_BUCKET))
    events = when(the_market(BTC="41500"), account, **liquidate(BTC_BUCKET))
    assert fills(events) == [("BTC", "0.96409639", "USDT", "10", "40000")]


def test_interest_that_is_due_is_charged_before() -> None:
    market = market_after(the_market(rates=True, BTC="41500"), marked(NOON + hours(1), BTC="41500"))
    account = after(the_market(rates=True), given(*LONG[:4]), **borrow("40000", "USDT", BTC_BUCKET))
    account = after(the_market(rates=True), account, **fill("buy", "1", "50000"))
    events = when(market, account, at=NOON + hours(1), **examine(BTC_BUCKET))
    assert topics(events)[:2] == ["interest.accrued", "liquidation.started"]
    # Two hours of 40.
    assert [event.debt for event in events if isinstance(event, e.LiquidationStarted)] == [40080]


def test_each_debt_is_repaid_from_its_own_asset_then_asset_by_asset_in_order_of_value() -> None:
    events = when(the_market(), given(*MANY), **liquidate())
    assert fills(events) == [
        ("USDT", "500", "USDT", "0", "500"),
        ("BTC", "0.4", "SOL", "0", "200"),
        ("ETH", "2.5", "SOL", "0", "50"),
        ("ETH", "1.25", "USDT", "0", "2500"),
    ]
    # 2 % of 28,000 is 560: bitcoin is gone, 0.28 ether.
    end = completion(events)
    assert (end.repaid_value, end.fee_value) == (Decimal(28000), Decimal(560))
    assert (amounts(end.fee), amounts(end.left)) == ({"ETH": "0.28"}, {"ETH": "0.97"})
    assert amounts(end.repaid) == {"SOL": "250", "USDT": "3000"}


def test_of_the_same_value_the_symbol_decides() -> None:
    past = (opened(), deposited("25", "ETH"), deposited("1", "BTC"), transferred("25", "ETH"), transferred("1", "BTC"))
    account = given(*past, borrowed("920", "SOL"), transferred("920", "SOL", "cross", "spot"))
    events = when(the_market(), account, **liquidate())
    assert [(asset, taken) for asset, taken, *_ in fills(events)] == [("BTC", "1"), ("ETH", "21")]


def test_the_holds_of_the_wallet_are_released_and_no_others() -> None:
    account = given(*LONG, held("0.3", "BTC", "H1", BTC_BUCKET), deposited("5", "USDT"), held("5", "USDT", "H2"))
    started = when(the_market(BTC="41500"), account, **liquidate(BTC_BUCKET))[0]
    assert isinstance(started, e.LiquidationStarted)
    assert [(hold.hold_id, hold.amount) for hold in started.released_holds] == [("H1", Decimal("0.3"))]
    later = after(the_market(BTC="41500"), account, **liquidate(BTC_BUCKET))
    assert set(later.holds) == {"H2"}
    assert balance(later, BTC_BUCKET, "BTC") == {"free": "0.01686746"}


RICH = (
    deposited("777", "USDT"),
    transferred("77", "USDT"),
    borrowed("7", "USDT"),
    mode_set("isolated", "ETH/USDT"),
    margin_added("70", "USDT", "ETH/USDT"),
)


@pytest.mark.parametrize("price", ["41500", "30000", "1"])
def test_an_isolated_liquidation_touches_its_bucket_and_nothing_else(price: str) -> None:
    account = given(*LONG, *RICH)
    later = after(the_market(BTC=price), account, **liquidate(BTC_BUCKET))
    assert later.wallets.spot == account.wallets.spot
    assert later.wallets.cross == account.wallets.cross
    assert later.wallets.isolated["ETH/USDT"] == account.wallets.isolated["ETH/USDT"]
    assert not later.wallets.wallet(BTC_BUCKET).debts


def test_a_cross_liquidation_never_touches_spot_or_a_bucket() -> None:
    account = given(
        *MANY, deposited("70", "USDT"), mode_set("isolated", "ETH/USDT"), margin_added("70", "USDT", "ETH/USDT")
    )
    later = after(the_market(BTC="20000"), account, **liquidate())
    assert later.wallets.spot == account.wallets.spot
    assert later.wallets.wallet(ETH_BUCKET) == account.wallets.wallet(ETH_BUCKET)
    assert not later.wallets.cross.debts


# Execution by a matching engine


def external(market: Market, account: Account) -> Account:
    """The account while its bucket is closed out by fills of a matching engine."""
    return after(market, account, **liquidate(BTC_BUCKET, "external"))


def test_with_external_execution_only_the_start_is_recorded() -> None:
    events = when(the_market(BTC="41500"), given(*LONG), **liquidate(BTC_BUCKET, "external"))
    assert topics(events) == ["liquidation.started"]


@pytest.mark.parametrize(
    "asked",
    [add_margin("1", "USDT"), borrow("1", "USDT", BTC_BUCKET), fill("sell", "0.1", "41500"), examine(BTC_BUCKET)],
)
def test_while_it_runs_the_wallet_refuses_all_else(asked: dict[str, Any]) -> None:
    market = the_market(BTC="41500")
    account = external(market, given(*LONG, deposited("1", "USDT")))
    with pytest.raises(Exception, match=r"alice\.7|liquidat") as refused:
        when(market, account, **asked)
    assert getattr(refused.value, "code", None) == "liquidation_running"


def test_it_takes_its_fills_and_is_completed_by_a_command() -> None:
    market = the_market(BTC="41500")
    account = external(market, given(*LONG))
    sold = after(market, account, **fill("sell", "1", "41400", liquidation_id="alice.7", auto_repay=True))
    events, accounts = decided(market, sold, type="complete_liquidation", liquidation_id="alice.7")
    assert topics(events)[-1] == "liquidation.completed"
    later = accounts["alice"]
    assert not later.wallets.wallet(BTC_BUCKET).debts
    # 1,400 were left after the debt, and 2 % of it are 800.
    assert balance(later, BTC_BUCKET, "USDT") == {"free": "600"}


@pytest.mark.parametrize("liquidation_id", ["alice.9", "bob.7"])
def test_a_fill_of_an_unknown_liquidation_is_refused(liquidation_id: str) -> None:
    market = the_market(BTC="41500")
    account = external(market, given(*LONG))
    with pytest.raises(Exception, match=liquidation_id) as refused:
        when(market, account, **fill("sell", "1", "41400", liquidation_id=liquidation_id))
    assert getattr(refused.value, "code", None) == "unknown_liquidation"


def test_after_a_liquidation_the_bucket_may_be_used_again() -> None:
    market = the_market(BTC="41500")
    later = after(market, given(*LONG, deposited("100", "USDT")), **liquidate(BTC_BUCKET))
    assert topics(when(market, later, **add_margin("100", "USDT"))) == ["margin.added"]
