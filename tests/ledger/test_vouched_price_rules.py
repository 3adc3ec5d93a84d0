"""An operator's word on a held price, the bound that holds it, and the decisions that never see it."""

from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.errors import (
    Malformed,
    NothingToDo,
    NotLiquidatable,
    PriceNotHeld,
    PriceStale,
    TooManyDecimals,
    UnknownPair,
)
from ledger.words import PRICES
from tests.ledger.asking import borrow, examine, liquidate
from tests.ledger.given import NOON, envelope, given, market_after, on_exchange, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    borrowed,
    deposited,
    margin_added,
    mode_set,
    opened,
    risk_limits,
    the_market,
    traded,
)
from tests.ledger.pricing import FIRST, ROW, bounded, confirm, held_of, mark, price_of, reject, second, told


def test_an_operator_confirms_the_held_price_near_the_one_vouched_for_from_its_own_time() -> None:
    market = bounded()
    mark(market, second(1), BTC="30000")
    mark(market, second(2), BTC="29000.5")
    (marked,) = confirm(market, "30100")
    assert marked == e.PricesMarked.model_validate(
        {
            **envelope(PRICES, 4, second(2)),
            "reason": "seen elsewhere",
            "prices": {"BTC/USDT": "29000.5"},
            "source": "a",
            "confirmed": marked.confirmed,
            "vouched_price": "30100",
        }
    )
    assert marked.confirmed["BTC/USDT"].version == 3
    assert (price_of(market), held_of(market), market.newest_prices_at) == (("29000.5", second(2)), {}, second(2))


def test_what_follows_is_measured_against_the_confirmed_price() -> None:
    market = bounded()
    mark(market, second(1), BTC="30000")
    confirm(market, "30000")
    mark(market, second(2), BTC="31000")
    assert price_of(market) == ("31000", second(2))


def test_what_lies_apart_from_the_price_vouched_for_is_not_confirmed() -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="20000")
    mark(market, second(2), "b", BTC="90000")
    with pytest.raises(
        PriceNotHeld, match=r"near 40000 was to be confirmed, held of it is 20000 .* by a; 90000 .* by b"
    ):
        confirm(market, "40000")
    confirm(market, "21000")
    assert (price_of(market), held_of(market)) == (("20000", second(1)), {"b": "90000"})


def test_a_held_price_is_confirmed_also_after_the_bound_was_lifted() -> None:
    market = bounded()
    mark(market, second(1), BTC="90000")
    market_after(market, risk_limits("BTC/USDT", ROW))
    with pytest.raises(PriceNotHeld):
        confirm(market, "60000")
    confirm(market, "85000")
    assert price_of(market) == ("90000", second(1))


def test_what_was_dropped_by_a_newer_mark_is_confirmed_no_more() -> None:
    market = bounded()
    mark(market, second(1), BTC="90000")
    mark(market, second(2), BTC="50000")
    with pytest.raises(PriceNotHeld, match="nothing of BTC/USDT is held"):
        confirm(market, "90000")


def test_an_operator_rejects_what_is_held_of_all_sources_or_of_one() -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="20000")
    mark(market, second(2), "b", BTC="90000")
    (rejected,) = reject(market, source="b")
    assert (rejected.TOPIC, rejected.version, [one.source for one in rejected.rejected]) == ("price.rejected", 4, ["b"])
    assert (rejected.reason, held_of(market)) == ("a slip", {"a": "20000"})
    mark(market, second(3), "c", BTC="1")
    reject(market)
    assert (price_of(market), market.held_prices, market.prices_version) == (FIRST, {}, 6)


def test_what_was_rejected_confirms_nothing_and_is_held_again_when_it_comes_again() -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="90000")
    reject(market)
    mark(market, second(2), "b", BTC="90000")
    assert (price_of(market), held_of(market)) == (FIRST, {"b": "90000"})


def test_what_is_not_held_is_not_rejected() -> None:
    market = bounded()
    with pytest.raises(PriceNotHeld, match="nothing of BTC/USDT is held"):
        reject(market)
    mark(market, second(1), "a", BTC="90000")
    with pytest.raises(PriceNotHeld, match="of b was to be rejected, held of it is 90000"):
        reject(market, source="b")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"type": "confirm_price", "price": "1", "reason": None}, Malformed),
        ({"type": "confirm_price", "price": "0"}, Malformed),
        ({"type": "confirm_price"}, Malformed),
        ({"type": "confirm_price", "price": "1", "effective_at": NOON.isoformat()}, Malformed),
        ({"type": "confirm_price", "price": "1.001"}, TooManyDecimals),
        ({"type": "confirm_price", "price": "1", "pair": "DOGE/USDT"}, UnknownPair),
        ({"type": "reject_price", "reason": None}, Malformed),
        ({"type": "reject_price", "pair": "DOGE/USDT"}, UnknownPair),
    ],
)
def test_words_about_held_prices_that_are_not_taken(fields: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        on_exchange(bounded(), **{"pair": "BTC/USDT", "reason": "seen", **fields})


def test_the_bound_is_set_stays_and_is_lifted() -> None:
    market = the_market()
    (was_set,) = told(market, type="set_risk_limits", scope="BTC/USDT", price_jump_limit="0.2")
    assert was_set.price_jump_limit == Decimal("0.2")
    (other,) = told(market, type="set_risk_limits", scope="BTC/USDT", dust="3")
    assert other.price_jump_limit == Decimal("0.2")
    (lifted,) = told(market, type="set_risk_limits", scope="BTC/USDT", price_jump_limit=None)
    assert (lifted.price_jump_limit, market.limits_of("BTC/USDT").price_jump_limit) == (None, None)


@pytest.mark.parametrize(
    ("scope", "limit"),
    [("cross", "0.2"), ("BTC/USDT", "0"), ("BTC/USDT", "-0.1"), ("BTC/USDT", "1"), ("BTC/USDT", 0.2)],
)
def test_a_bound_is_of_a_pair_and_lies_between_0_and_1(scope: str, limit: Any) -> None:
    with pytest.raises(Malformed):
        on_exchange(the_market(), type="set_risk_limits", scope=scope, price_jump_limit=limit)


# 0.1 BTC owed against 6,000 USDT: liquidated at 57,142.85.
SHORT = given(
    opened(),
    deposited("1000", "USDT"),
    mode_set("isolated"),
    margin_added("1000", "USDT"),
    borrowed("0.1", "BTC", BTC_BUCKET),
    traded("sell", "0.1", "50000", wallet=BTC_BUCKET),
)


def test_a_wallet_is_liquidated_at_a_held_price_only_once_it_is_confirmed() -> None:
    market = bounded()
    mark(market, second(1), BTC="90000")
    with pytest.raises(NothingToDo):
        when(market, SHORT, at=second(1), **examine(BTC_BUCKET))
    with pytest.raises(NotLiquidatable):
        when(market, SHORT, at=second(1), **liquidate(BTC_BUCKET))
    confirm(market, "90000")
    started, *_ = when(market, SHORT, at=second(1), **examine(BTC_BUCKET))
    assert isinstance(started, e.LiquidationStarted)
    assert (started.effective_at, started.prices["BTC/USDT"].price) == (second(1), Decimal(90000))


def test_while_a_price_is_held_decisions_use_the_last_mark_as_long_as_it_is_fresh() -> None:
    market = bounded()
    mark(market, second(1), BTC="90000", ETH="2000")
    assert when(market, SHORT, at=second(60), **borrow("0.001", "BTC", BTC_BUCKET))
    mark(market, second(61), BTC="90000", ETH="2000")
    with pytest.raises(PriceStale, match=r"BTC/USDT is of .*12:00:00.* up to 60 seconds"):
        when(market, SHORT, at=second(61), **examine(BTC_BUCKET))


def test_of_a_pair_the_strictest_age_of_whoever_is_valued_by_it_is_the_allowed_one() -> None:
    market = market_after(bounded(age_seconds=30), risk_limits("ETH/USDT", ROW, age_seconds=90))
    assert [market.max_age_of(pair) for pair in ("BTC/USDT", "ETH/USDT", "ETH/BTC")] == [30, 60, 60]
    market_after(market, risk_limits("ETH/BTC", ROW, age_seconds=90))
    assert market.max_age_of("ETH/BTC") == 90
