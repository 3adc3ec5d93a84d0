"""Prices: the one with the latest business time counts, never an older one after it, none that is too old."""

from datetime import timedelta
from typing import Any

import pytest

from ledger import events as e
from ledger.errors import EffectiveInFuture, Malformed, PriceOutOfOrder, PriceStale, TooManyDecimals, UnknownPair
from ledger.market import Market
from ledger.words import PRICES
from tests.ledger.asking import transfer
from tests.ledger.given import NOON, Happened, envelope, given, market_after, on_exchange, when
from tests.ledger.happenings import deposited, marked, opened, risk_limits, the_market, tier

COIN = given(opened(), deposited("1", "BTC"))


def mark(market: Market, at: Any = NOON, **prices: str) -> e.Event:
    """The event of marking prices by the base asset's name, at a business time."""
    named = {f"{base}/USDT": price for base, price in prices.items()}
    return on_exchange(market, at=at, type="mark_prices", prices=named, source="index", effective_at=at.isoformat())


def only(at: Any, **prices: str) -> Happened:
    """A vector of these prices only."""
    named = {f"{base}/USDT": price for base, price in prices.items()}
    return lambda envelope: e.PricesMarked.model_validate(
        {**envelope, "effective_at": at, "prices": named, "source": "index"}
    )


def test_a_vector_is_marked_on_the_stream_of_prices() -> None:
    event = mark(the_market(), BTC="51000.5", ETH="2100")
    expected = {"prices": {"BTC/USDT": "51000.5", "ETH/USDT": "2100"}, "source": "index"}
    assert event == e.PricesMarked.model_validate({**envelope(PRICES, 2), **expected})


def test_a_price_of_the_same_time_replaces_and_an_older_one_is_refused() -> None:
    assert mark(the_market(), NOON, BTC="1")
    with pytest.raises(PriceOutOfOrder, match="BTC/USDT"):
        mark(the_market(), NOON - timedelta(seconds=1), BTC="1")


def test_an_older_vector_is_refused_for_the_pairs_it_would_replace_only() -> None:
    market = market_after(the_market(), only(NOON + timedelta(hours=1), BTC="51000"))
    assert mark(market, NOON + timedelta(minutes=30), ETH="2100")
    with pytest.raises(PriceOutOfOrder, match="BTC/USDT") as refused:
        mark(market, NOON + timedelta(minutes=30), ETH="2100", BTC="50500")
    assert "ETH/USDT" not in str(refused.value)


def test_the_price_of_a_pair_is_the_one_with_the_latest_time() -> None:
    market = market_after(the_market(), only(NOON + timedelta(hours=1), BTC="51000"))
    market_after(market, only(NOON + timedelta(minutes=1), ETH="2100"))
    assert {pair: str(mark.price) for pair, mark in market.prices.items() if pair != "SOL/USDT"} == {
        "BTC/USDT": "51000",
        "ETH/USDT": "2100",
    }
    assert market.newest_prices_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (60, True), (60.000001, False), (-3600, True)])
def test_a_price_is_fresh_up_to_its_allowed_age_and_a_newer_one_counts_as_fresh(seconds: float, fresh: bool) -> None:
    asked = transfer("1", "BTC")
    at = NOON + timedelta(seconds=seconds)
    if fresh:
        assert when(the_market(), COIN, at=at, **asked)
    else:
        with pytest.raises(PriceStale, match=r"BTC/USDT.*60 seconds"):
            when(the_market(), COIN, at=at, **asked)


def test_the_age_is_counted_from_business_time_to_business_time() -> None:
    dated = {**transfer("1", "BTC"), "effective_at": NOON.isoformat()}
    assert when(the_market(), COIN, at=NOON + timedelta(hours=9), **dated)


def test_the_allowed_age_is_set_by_risk_limits() -> None:
    rows = (tier("3", "1.5", "1.3", "1.1"), tier("5", "1.25", "1.16", "1.1"))
    market = market_after(the_market(), risk_limits("cross", *rows, age_seconds=3600))
    assert when(market, COIN, at=NOON + timedelta(minutes=59), **transfer("1", "BTC"))
    with pytest.raises(PriceStale):
        when(market, COIN, at=NOON + timedelta(minutes=61), **transfer("1", "BTC"))


@pytest.mark.parametrize(
    ("prices", "refusal"),
    [
        ({"DOGE/USDT": "1"}, UnknownPair),
        ({"BTC/USDT": "50000.001"}, TooManyDecimals),
        ({"BTC/USDT": "0"}, Malformed),
        ({"BTC/USDT": "-1"}, Malformed),
        ({"BTC/USDT": 50000}, Malformed),
        ({"BTC/USDT": 50000.5}, Malformed),
        ({"BTC/USDT": "NaN"}, Malformed),
        ({"BTC/USDT": "Infinity"}, Malformed),
        ({"BTC/USDT": "5e4"}, Malformed),
        ({"BTC-USDT": "50000"}, Malformed),
        ({}, Malformed),
    ],
)
def test_a_vector_that_is_not_taken(prices: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        on_exchange(the_market(), type="mark_prices", prices=prices, source="index")


@pytest.mark.parametrize(("seconds", "taken"), [(5, True), (5.000001, False)])
def test_no_business_time_lies_more_than_5_seconds_ahead(seconds: float, taken: bool) -> None:
    dated = (NOON + timedelta(seconds=seconds)).isoformat()
    asked: dict[str, Any] = {
        "type": "mark_prices",
        "prices": {"BTC/USDT": "1"},
        "source": "index",
        "effective_at": dated,
    }
    if taken:
        assert on_exchange(the_market(), **asked).effective_at == NOON + timedelta(seconds=5)
    else:
        with pytest.raises(EffectiveInFuture):
            on_exchange(the_market(), **asked)


def test_a_later_vector_holds_for_the_next_decision() -> None:
    market = market_after(the_market(), marked(NOON + timedelta(hours=1)))
    assert when(market, COIN, at=NOON + timedelta(hours=1), **transfer("1", "BTC"))
