"""Margin modes per pair, and leverages of the cross pool and of buckets."""

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import LeverageNotAllowed, Malformed, NothingToDo, PositionOpen, Refusal, UnknownPair
from ledger.words import MarginMode
from tests.ledger.asking import set_leverage, set_mode
from tests.ledger.given import Happened, given, numbered, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    ETH_BUCKET,
    borrowed,
    deposited,
    held,
    leverage_set,
    margin_added,
    margin_removed,
    mode_set,
    opened,
    the_market,
    traded,
    transferred,
)

MARKET = the_market()
POOLED = (opened(), deposited("10000", "USDT"), transferred("10000", "USDT"))
BUCKET = (opened(), deposited("10000", "USDT"), mode_set("isolated"), margin_added("10000", "USDT"))


def test_every_pair_starts_in_cross_mode() -> None:
    assert given(opened()).mode("BTC/USDT") is MarginMode.CROSS


def test_one_pair_is_isolated_while_another_is_cross() -> None:
    account = given(opened(), mode_set("isolated", "BTC/USDT"))
    assert (account.mode("BTC/USDT"), account.mode("ETH/USDT")) == (MarginMode.ISOLATED, MarginMode.CROSS)


def test_a_pair_with_nothing_open_switches() -> None:
    account = given(*POOLED)
    assert when(MARKET, account, **set_mode("isolated")) == numbered(account, mode_set("isolated"))


def test_a_pair_whose_bucket_is_emptied_switches_back() -> None:
    account = given(*BUCKET, margin_removed("10000", "USDT"))
    assert when(MARKET, account, **set_mode("cross")) == numbered(account, mode_set("cross"))


def test_a_mode_that_is_already_set_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo):
        when(MARKET, given(*POOLED), **set_mode("cross"))


def test_a_pair_that_is_not_listed_has_no_mode() -> None:
    with pytest.raises(UnknownPair):
        when(MARKET, given(*POOLED), **set_mode("isolated", "DOGE/USDT"))


STILL_OPEN: list[tuple[tuple[Happened, ...], str]] = [
    (BUCKET, "cross"),
    ((*BUCKET, borrowed("10", "USDT", BTC_BUCKET)), "cross"),
    ((*BUCKET, held("10000", "USDT", wallet=BTC_BUCKET)), "cross"),
    ((*POOLED, traded("buy", "0.1", "50000")), "isolated"),
    ((*POOLED, borrowed("0.1", "BTC"), traded("sell", "0.1", "50000")), "isolated"),
    ((*POOLED, held("10", "USDT", wallet="cross")), "isolated"),
]


@pytest.mark.parametrize(("past", "mode"), STILL_OPEN)
def test_a_pair_with_something_open_does_not_switch(past: tuple[Happened, ...], mode: str) -> None:
    with pytest.raises(PositionOpen, match="BTC/USDT"):
        when(MARKET, given(*past), **set_mode(mode))


def test_a_hold_in_the_pool_is_of_another_pair_while_this_one_is_isolated() -> None:
    account = given(*POOLED, mode_set("isolated"), held("10", "USDT", wallet="cross"))
    assert when(MARKET, account, **set_mode("cross")) == numbered(account, mode_set("cross"))


def position_worth(quantity: str) -> Account:
    """An account with a position of that much BTC in the cross pool."""
    return given(*POOLED, traded("buy", quantity, "50000"))


def test_a_position_of_dust_is_not_open() -> None:
    assert when(MARKET, position_worth("0.00002"), **set_mode("isolated"))


def test_a_position_worth_more_than_dust_is_open() -> None:
    with pytest.raises(PositionOpen):
        when(MARKET, position_worth("0.00002001"), **set_mode("isolated"))


def test_a_position_on_another_pair_does_not_matter() -> None:
    account = given(*POOLED, traded("buy", "1", "2000", pair="ETH/USDT"))
    assert when(MARKET, account, **set_mode("isolated", "BTC/USDT"))


# Leverage


@pytest.mark.parametrize(
    ("wallet", "leverage"), [("cross", "5"), (BTC_BUCKET, "7.25"), (BTC_BUCKET, "1"), (ETH_BUCKET, "4")]
)
def test_a_leverage_is_set_while_nothing_is_owed(wallet: str, leverage: str) -> None:
    account = given(opened())
    assert when(MARKET, account, **set_leverage(leverage, wallet)) == numbered(account, leverage_set(leverage, wallet))


@pytest.mark.parametrize(
    ("wallet", "leverage", "refusal"),
    [
        ("cross", "4", LeverageNotAllowed),
        ("cross", "10", LeverageNotAllowed),
        (BTC_BUCKET, "10.01", LeverageNotAllowed),
        (ETH_BUCKET, "5.5", LeverageNotAllowed),
        (BTC_BUCKET, "2.345", Malformed),
        (BTC_BUCKET, "0.99", Malformed),
        ("cross", "3", NothingToDo),
        (BTC_BUCKET, "10", NothingToDo),
        (ETH_BUCKET, "5", NothingToDo),
        ("isolated:DOGE/USDT", "2", UnknownPair),
    ],
)
def test_a_leverage_that_is_not_set(wallet: str, leverage: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        when(MARKET, given(opened()), **set_leverage(leverage, wallet))


def owing(principal: str) -> Account:
    """A bucket of 10,000 USDT of its own that owes that much; its level is (10,000 + principal) / principal."""
    return given(*BUCKET, borrowed(principal, "USDT", BTC_BUCKET))


def test_a_leverage_is_set_while_the_level_is_above_its_initial_ratio() -> None:
    # 3x: 1.5. A level of 1.50000002 is above it.
    (event,) = when(MARKET, owing("19999.999"), **set_leverage("3", BTC_BUCKET))
    assert isinstance(event, e.LeverageSet)
    assert event.leverage == 3


def test_a_leverage_is_not_set_while_the_level_is_at_its_initial_ratio() -> None:
    with pytest.raises(Refusal, match=r"1\.5"):
        when(MARKET, owing("20000"), **set_leverage("3", BTC_BUCKET))


def test_a_leverage_of_one_is_not_set_while_something_is_owed() -> None:
    with pytest.raises(Refusal):
        when(MARKET, owing("0.00000001"), **set_leverage("1", BTC_BUCKET))


def test_the_cross_pool_owing_at_five_goes_back_to_three_above_its_initial_ratio_only() -> None:
    past = (*POOLED, leverage_set("5", "cross"))
    assert when(MARKET, given(*past, borrowed("19999.99", "USDT")), **set_leverage("3"))
    with pytest.raises(Refusal):
        when(MARKET, given(*past, borrowed("20000", "USDT")), **set_leverage("3"))
