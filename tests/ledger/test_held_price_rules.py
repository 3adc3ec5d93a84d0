"""A price beyond its pair's bound is held: it counts for nothing until another source says the same."""

from decimal import Decimal

import pytest

from ledger import events as e
from ledger.errors import NothingToDo, PriceOutOfOrder
from ledger.market import Market
from ledger.words import PRICES
from tests.ledger.given import NOON, envelope, market_after
from tests.ledger.happenings import risk_limits, the_market
from tests.ledger.pricing import FIRST, ROW, bounded, held_of, mark, price_of, second, told


def test_a_price_beyond_the_bound_is_held_with_every_number_that_explains_it() -> None:
    market = bounded()
    assert mark(market, second(1), BTC="39999.99") == [
        e.PricesHeld.model_validate(
            {
                **envelope(PRICES, 2, second(1)),
                "prices": {
                    "BTC/USDT": {
                        "price": "39999.99",
                        "effective_at": second(1),
                        "version": 2,
                        "source": "a",
                        "last": {"price": "50000", "effective_at": NOON, "version": 1},
                        "price_jump_limit": "0.2",
                    }
                },
            }
        )
    ]
    assert (price_of(market), held_of(market)) == (FIRST, {"a": "39999.99"})
    assert (market.prices_version, market.newest_prices_at) == (2, NOON)


@pytest.mark.parametrize(
    ("price", "counts"), [("40000", True), ("39999.99", False), ("60000", True), ("60000.01", False), ("0.01", False)]
)
def test_the_bound_itself_is_allowed_both_ways(price: str, counts: bool) -> None:
    market = bounded()
    mark(market, second(1), BTC=price)
    assert (price_of(market)[0] == price) is counts
    assert (held_of(market) == {}) is counts


@pytest.mark.parametrize("market", [the_market(), bounded(None)])
def test_without_a_bound_nothing_is_held(market: Market) -> None:
    mark(market, second(1), BTC="0.01")
    assert price_of(market) == ("0.01", second(1))


def test_the_first_price_of_a_pair_is_taken_as_it_is() -> None:
    market = market_after(the_market(), risk_limits("ETH/BTC", ROW, jump="0.2"))
    told(market, type="mark_prices", prices={"ETH/BTC": "999999"}, source="a", effective_at=NOON.isoformat())
    assert price_of(market, "ETH/BTC")[0] == "999999"


def test_a_jump_is_held_also_where_the_last_price_is_very_old() -> None:
    market = bounded()
    mark(market, second(80_000), BTC="61000")
    assert (price_of(market), held_of(market)) == (FIRST, {"a": "61000"})


def test_of_one_vector_some_prices_are_marked_and_others_held() -> None:
    market = bounded()
    held, marked = mark(market, second(1), BTC="90000", ETH="9000", SOL="1")
    assert (held.TOPIC, held.version, list(held.prices)) == ("prices.held", 2, ["BTC/USDT"])
    assert (marked.TOPIC, marked.version, list(marked.prices)) == ("prices.marked", 3, ["ETH/USDT", "SOL/USDT"])
    assert (price_of(market), market.prices_version) == (FIRST, 3)


def test_another_source_that_agrees_makes_it_the_price() -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="30000")
    (marked,) = mark(market, second(3), "b", BTC="29000")
    assert (marked.prices, marked.source) == ({"BTC/USDT": Decimal("29000")}, "b")
    assert (marked.confirmed["BTC/USDT"].price, marked.confirmed["BTC/USDT"].source) == (Decimal("30000"), "a")
    assert (price_of(market), held_of(market)) == (("29000", second(3)), {})


@pytest.mark.parametrize(
    ("price", "agrees"), [("24000", True), ("23999.99", False), ("36000", True), ("36000.01", False)]
)
def test_sources_agree_within_the_pairs_bound_of_the_held_price(price: str, agrees: bool) -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="30000")
    mark(market, second(3), "b", BTC=price)
    assert (price_of(market)[0] == price) is agrees
    assert held_of(market) == ({} if agrees else {"a": "30000", "b": price})


@pytest.mark.parametrize(("seconds", "agrees"), [(1, True), (61, True), (61.5, False), (0.5, False)])
def test_sources_agree_about_one_time_the_later_one_within_the_allowed_age(seconds: float, agrees: bool) -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="30000")
    mark(market, second(seconds), "b", BTC="30000")
    assert (price_of(market) == ("30000", second(seconds))) is agrees


def test_a_source_that_came_late_is_agreed_with_by_the_next_vector() -> None:
    market = bounded()
    mark(market, second(2), "a", BTC="30000")
    mark(market, second(1), "b", BTC="30100")
    assert held_of(market) == {"a": "30000", "b": "30100"}
    mark(market, second(3), "a", BTC="30050")
    assert (price_of(market), held_of(market)) == (("30050", second(3)), {})


def test_the_same_source_again_is_no_second_source() -> None:
    market = bounded()
    for count in range(1, 6):
        mark(market, second(count), "a", BTC=str(30_000 + count))
    assert (price_of(market), held_of(market)) == (FIRST, {"a": "30005"})


def test_a_source_in_other_spaces_or_case_is_no_second_source() -> None:
    market = bounded()
    for count, source in enumerate(("index a", " Index A", "INDEXA", "index  a "), start=1):
        mark(market, second(count), source, BTC="30000")
        assert price_of(market) == FIRST


def test_two_sources_that_disagree_for_ever_move_nothing() -> None:
    market = bounded()
    for count in range(1, 20, 2):
        mark(market, second(count), "a", BTC="20000")
        mark(market, second(count + 1), "b", BTC="90000")
    assert (price_of(market), held_of(market)) == (FIRST, {"a": "20000", "b": "90000"})


def test_a_third_source_decides_between_two_that_disagree() -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="20000")
    mark(market, second(2), "b", BTC="90000")
    mark(market, second(3), "c", BTC="20500")
    assert (price_of(market), held_of(market)) == (("20500", second(3)), {})


def test_of_several_that_agree_the_newest_is_named() -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="25000")
    mark(market, second(2), "b", BTC="36000")
    (marked,) = mark(market, second(3), "c", BTC="30000")
    assert marked.confirmed["BTC/USDT"].source == "b"


def test_a_later_vector_within_the_bound_of_the_last_mark_drops_what_is_held() -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="90000")
    (marked,) = mark(market, second(2), "a", BTC="50500")
    assert (marked.confirmed, price_of(market), held_of(market)) == (None, ("50500", second(2)), {})


def test_an_earlier_one_does_not() -> None:
    market = bounded()
    mark(market, second(5), "a", BTC="90000")
    mark(market, second(4), "b", BTC="50500")
    assert (price_of(market), held_of(market)) == (("50500", second(4)), {"a": "90000"})


def test_a_pair_that_is_not_marked_keeps_what_is_held() -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="90000")
    mark(market, second(2), "a", ETH="2000")
    assert held_of(market) == {"a": "90000"}


@pytest.mark.parametrize(("limit", "counts"), [("0.5", True), (None, True), ("0.1", False)])
def test_a_bound_that_changes_meanwhile_judges_the_next_vector(limit: str | None, counts: bool) -> None:
    market = bounded()
    mark(market, second(1), "a", BTC="65000")
    market_after(market, risk_limits("BTC/USDT", ROW, jump=limit))
    assert held_of(market) == {"a": "65000"}
    mark(market, second(2), "a", BTC="65000")
    assert (price_of(market) == ("65000", second(2))) is counts


def test_a_newer_price_of_the_source_is_held_in_place_of_the_older_and_never_the_other_way() -> None:
    market = bounded()
    mark(market, second(5), "a", BTC="90000")
    with pytest.raises(PriceOutOfOrder, match=r"BTC/USDT is held at 90000 of .*12:00:05.* by a"):
        mark(market, second(4), "a", BTC="91000")
    mark(market, second(6), "a", BTC="30000")
    assert held_of(market) == {"a": "30000"}


def test_a_price_older_than_the_mark_is_refused_and_not_held() -> None:
    market = bounded()
    with pytest.raises(PriceOutOfOrder, match="BTC/USDT is marked at 50000"):
        mark(market, second(-1), BTC="90000", ETH="2000")
    assert (held_of(market), market.prices_version) == ({}, 1)


def test_a_vector_that_comes_twice_is_nothing_to_do_marked_or_held() -> None:
    market = bounded()
    mark(market, second(1), BTC="90000", ETH="2001")
    with pytest.raises(NothingToDo, match="marked and held already"):
        mark(market, second(1), BTC="90000", ETH="2001")
    with pytest.raises(NothingToDo, match="are held already"):
        mark(market, second(1), BTC="90000.00")


def test_of_a_vector_that_is_partly_known_only_what_is_new_is_recorded() -> None:
    market = bounded()
    mark(market, second(1), BTC="90000")
    assert [event.TOPIC for event in mark(market, second(1), BTC="90000", ETH="2001")] == ["prices.marked"]
    assert [event.TOPIC for event in mark(market, second(1), BTC="95000", ETH="2001")] == ["prices.held"]
