"""Interest: simple, on principal, by the clock hour, each hour once, rounded up."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import Malformed, NothingToDo, Refusal
from ledger.market import Market
from tests.ledger.asking import accrue, add_margin, borrow, examine, repay, transfer
from tests.ledger.given import NOON, after, and_then, balance, given, market_after, numbered, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    borrowed,
    deposited,
    hours,
    line,
    margin_added,
    marked,
    mode_set,
    opened,
    rate_set,
    repaid,
    the_market,
    transferred,
)

# An hour costs 0.001 of USDT, 0.0001 of BTC and 0.0002 of ETH.
MARKET = the_market(rates=True)
POOL = (opened(), deposited("10000", "USDT"), transferred("10000", "USDT"))


def minutes(count: int) -> Any:
    return hours(count / 60)


def owing(amount: str = "100", at: datetime = NOON) -> Account:
    """A pool that borrowed so much USDT at noon and paid for that hour."""
    cost = f"{float(amount) / 1000:g}"
    return given(*POOL, borrowed(amount, "USDT"), accrued(line(cost, "USDT", amount, "0.024")), at=at)


def test_the_hour_of_the_borrow_is_charged_at_once() -> None:
    account, at = given(*POOL), NOON + minutes(40)
    market = market_after(the_market(rates=True), marked(at))
    events = when(market, account, at=at, **borrow("100", "USDT"))
    assert topics(events) == ["loan.borrowed", "interest.accrued"]
    assert events[1:] == numbered(and_then(account, opened()), accrued(line("0.1", "USDT", "100", "0.024")), at=at)


def test_each_hour_that_begins_is_charged_and_not_before() -> None:
    with pytest.raises(NothingToDo):
        when(MARKET, owing(), at=NOON + minutes(59), **accrue(NOON))
    at = NOON + hours(1)
    assert when(MARKET, owing(), at=at, **accrue(at)) == numbered(
        owing(), accrued(line("0.1", "USDT", "100", "0.024", first_hour=at)), at=at
    )


def test_the_same_hour_is_never_charged_twice() -> None:
    at = NOON + hours(1)
    account = after(MARKET, owing(), at=at, **accrue(at))
    with pytest.raises(NothingToDo):
        when(MARKET, account, at=at + minutes(30), **accrue(at))


def test_interest_is_simple_and_every_uncharged_hour_is_charged_in_one_line() -> None:
    at = NOON + hours(10)
    assert when(MARKET, owing(), at=at, **accrue(at)) == numbered(
        owing(), accrued(line("1", "USDT", "100", "0.024", NOON + hours(1), 10)), at=at
    )


def test_an_hour_is_rounded_up_by_itself() -> None:
    # 1 x 0.0001 / 24 = 0.000004166..: three hours cost 0.00001251, not 0.0000125.
    market, at = market_after(the_market(), rate_set("USDT", "0.0001", NOON - hours(9))), NOON + hours(3)
    account = given(*POOL, borrowed("1", "USDT"))
    (event,) = when(market, account, at=at, **accrue(at))
    assert isinstance(event, e.InterestAccrued)
    assert [str(part.amount) for part in event.lines] == ["0.00001251"]


def test_the_rate_of_an_hour_is_the_latest_at_or_before_its_start() -> None:
    market = market_after(the_market(rates=True), rate_set("USDT", "0.048", NOON + hours(2)))
    market_after(market, rate_set("USDT", "0.24", NOON + hours(3) + minutes(30)))
    at = NOON + hours(4)
    assert when(market, owing(), at=at, **accrue(at)) == numbered(
        owing(),
        accrued(
            line("0.1", "USDT", "100", "0.024", NOON + hours(1), 1),
            line("0.4", "USDT", "100", "0.048", NOON + hours(2), 2),
            line("1", "USDT", "100", "0.24", NOON + hours(4), 1),
        ),
        at=at,
    )


def test_a_later_rate_never_touches_hours_already_charged() -> None:
    at = NOON + hours(2)
    account = after(MARKET, owing(), at=at, **accrue(at))
    market = market_after(the_market(rates=True), rate_set("USDT", "0.24", NOON))
    with pytest.raises(NothingToDo):
        when(market, account, at=at, **accrue(at))
    (event,) = when(market, account, at=at + hours(1), **accrue(at + hours(1)))
    assert isinstance(event, e.InterestAccrued)
    assert [part.amount for part in event.lines] == [1]


def test_before_the_first_rate_set_the_listings_counts() -> None:
    market, at = market_after(the_market(rates=True), rate_set("USDT", "0.24", NOON + hours(9))), NOON + hours(1)
    (event,) = when(market, owing(), at=at, **accrue(at))
    assert isinstance(event, e.InterestAccrued)
    assert str(event.lines[0].rate) == "0.024"


@pytest.mark.parametrize("asked", [repay("10", "USDT"), transfer("10", "USDT"), transfer("1", "USDT", "cross", "spot")])
def test_a_decision_on_a_wallet_that_owes_first_charges_every_hour_begun(asked: dict[str, Any]) -> None:
    account, at = and_then(owing(), deposited("10", "USDT")), NOON + hours(3) + minutes(10)
    events = when(MARKET, account, at=at, **asked)
    assert events[:1] == numbered(account, accrued(line("0.3", "USDT", "100", "0.024", NOON + hours(1), 3)), at=at)
    assert len(events) == 2


def test_a_decision_on_another_wallet_charges_nothing() -> None:
    account = and_then(owing(), deposited("10", "USDT"), mode_set("isolated"))
    assert topics(when(MARKET, account, at=NOON + hours(3), **add_margin("10", "USDT"))) == ["margin.added"]


def test_a_debt_is_charged_before_it_is_repaid_in_full() -> None:
    at = NOON + hours(2)
    events = when(MARKET, owing(), at=at, **repay("all", "USDT"))
    assert events[1:] == numbered(and_then(owing(), opened()), repaid("0.3", "100", "USDT"), at=at)


def test_one_event_has_a_line_for_each_asset() -> None:
    account = given(*POOL, borrowed("100", "USDT"), borrowed("1", "ETH"))
    at = NOON + hours(1)
    (event,) = when(MARKET, account, at=at, **accrue(at))
    assert isinstance(event, e.InterestAccrued)
    assert {part.asset: str(part.amount.normalize()) for part in event.lines} == {"ETH": "0.0002", "USDT": "0.1"}


def test_each_wallet_that_owes_has_an_event_of_its_own() -> None:
    past = (*POOL, deposited("100", "USDT"), mode_set("isolated"), margin_added("100", "USDT"))
    account = given(*past, borrowed("100", "USDT"), borrowed("50", "USDT", BTC_BUCKET))
    at = NOON + hours(1)
    events = when(MARKET, account, at=at, **accrue(at))
    assert {event.wallet for event in events if isinstance(event, e.InterestAccrued)} == {"cross", BTC_BUCKET}
    assert len(events) == 2


# Further borrows, and business times in the past


def interest_of(events: list[e.Event]) -> str:
    """The interest that these events charge, all lines together."""
    lines = [part for event in events if isinstance(event, e.InterestAccrued) for part in event.lines]
    return f"{sum((part.amount for part in lines), Decimal(0)).normalize():f}"


def test_a_further_borrow_in_the_same_hour_pays_on_what_it_adds() -> None:
    events = when(MARKET, owing(), at=NOON, **borrow("50", "USDT"))
    assert interest_of(events) == "0.05"


def test_a_further_borrow_pays_due_hours_on_the_old_and_its_own_on_what_it_adds() -> None:
    at = NOON + hours(2)
    events = when(market_after(the_market(rates=True), marked(at)), owing(), at=at, **borrow("50", "USDT"))
    assert interest_of(events) == "0.25"
    assert topics(events).count("interest.accrued") == 1


def test_a_back_dated_borrow_pays_the_hours_from_its_own_that_are_already_charged() -> None:
    account, now = after(MARKET, owing(), at=NOON + hours(3), **accrue(NOON + hours(3))), NOON + hours(3)
    market = market_after(the_market(rates=True), marked(now))
    dated = (NOON + hours(1)).isoformat()
    events = when(market, account, at=now, **borrow("50", "USDT", effective_at=dated))
    # 13:00, 14:00 and 15:00 are charged on the old loan: the new one pays them too.
    assert interest_of(events) == "0.15"
    later = and_then(account, *[lambda _, event=event: event for event in events])
    assert interest_of(when(market, later, at=now + hours(1), **accrue(now + hours(1)))) == "0.15"


def test_a_back_dated_repayment_refunds_nothing() -> None:
    account = after(MARKET, owing(), at=NOON + hours(3), **accrue(NOON + hours(3)))
    dated = (NOON + minutes(10)).isoformat()
    events = when(MARKET, account, at=NOON + hours(3), **repay("all", "USDT", effective_at=dated))
    assert events == numbered(account, repaid("0.4", "100", "USDT"), at=NOON + minutes(10))


def test_what_is_repaid_within_an_hour_is_not_charged_again() -> None:
    account = after(MARKET, owing(), at=NOON, **repay("all", "USDT"))
    with pytest.raises(NothingToDo):
        when(MARKET, account, at=NOON + hours(5), **accrue(NOON + hours(5)))


def test_principal_repaid_costs_nothing_from_the_next_hour() -> None:
    account = after(MARKET, owing(), at=NOON, **repay("50.1", "USDT"))
    at = NOON + hours(1)
    assert interest_of(when(MARKET, account, at=at, **accrue(at))) == "0.05"


def test_an_hour_that_has_not_begun_is_not_charged() -> None:
    with pytest.raises(Refusal):
        when(MARKET, owing(), at=NOON + minutes(30), **accrue(NOON + hours(1)))


def test_an_hour_is_named_by_its_start() -> None:
    with pytest.raises(Malformed, match="hour"):
        when(MARKET, owing(), **accrue(NOON + minutes(30)))


def test_examination_charges_interest_up_to_the_newest_price_vector() -> None:
    market: Market = market_after(the_market(rates=True), marked(NOON + hours(2)))
    events = when(market, owing(), at=NOON + hours(4), **examine())
    assert [event.effective_at for event in events] == [NOON + hours(2)]
    assert interest_of(events) == "0.2"
    assert balance(after(market, owing(), at=NOON + hours(4), **examine()), "cross", "USDT")["interest"] == "0.3"
