"""Figures and gauges of the console: what is cut, what is rounded, where a pointer stands."""

import re
from fractions import Fraction

import pytest

from api.console.pages.account_figures import (
    distance,
    level_cut,
    price_of,
    price_shown,
    share_in_percent,
    signed,
    worth,
)
from api.console.pages.account_gauge import WIDTH, gauge
from api.console.pages.account_levels import times_of
from api.console.report_cards import percent
from api.console.writing import path_part, query

CROSS = {
    "transfer_out": "2.00000000",
    "initial": "1.50000000",
    "margin_call": "1.30000000",
    "liquidation": "1.10000000",
}
PRICES = {"BTC/USDT": {"price": "60000"}, "ETH/USDT": {"price": "2000.50"}}


def pointer(svg: str) -> float:
    found = re.search(r'points="([0-9.]+),', svg)
    assert found is not None
    return float(found.group(1))


def test_a_level_is_cut_and_never_rounded_over_its_line() -> None:
    assert (level_cut("1.30009999"), level_cut("1.29999999"), level_cut("12")) == ("1.3000", "1.2999", "12")


def test_a_price_in_another_quote_is_the_quotient_of_both() -> None:
    assert price_of("BTC/USDT", PRICES) == 60000
    assert price_of("ETH/BTC", PRICES) == Fraction("2000.50") / 60000
    assert 'title="0.03334167"' in price_shown("ETH/BTC", PRICES)
    assert 'title="2000.50"' in price_shown("ETH/USDT", PRICES)
    assert price_of("SOL/USDT", PRICES) is None


def test_a_distance_is_of_the_price_now() -> None:
    assert "−25.00 %" in distance("45000", Fraction(60000))
    assert "+0.01 %" in distance("60006", Fraction(60000))
    assert "–" in distance("45000", None)
    assert "–" in share_in_percent(Fraction(1), Fraction(0))


def test_a_sum_is_cut_to_two_decimals_with_all_of_them_on_hover() -> None:
    shown = worth("1234.5699999")
    assert "1,234" in shown
    assert ">.56<" in shown
    assert 'title="1234.5699999 USDT"' in shown


def test_a_sum_that_is_cut_to_nothing_has_no_sign() -> None:
    shown = worth("-0.004")
    assert "−" not in shown
    assert 'title="-0.004 USDT"' in shown
    assert "−" in worth("-0.01")


def test_a_part_that_is_not_all_is_not_told_as_all_of_it() -> None:
    assert [percent(part) for part in ("0.99996000", "1.00000000", "0.00012345", "0.5")] == [
        *("99.99%", "100.00%", "0.01%", "50.00%")
    ]
    assert percent(None) is None


def test_times_are_compared_as_times_and_not_as_texts() -> None:
    """As texts half a second after midnight would be before it."""
    times = [{"effective_at": "2026-01-01T00:00:00Z"}, {"effective_at": "2026-01-01T00:00:00.5Z"}]
    assert times_of(times) == [one["effective_at"] for one in times]


def test_an_id_of_dots_is_no_way_up() -> None:
    assert (path_part(".."), path_part("a.b/c")) == ("%2E%2E", "a%2Eb%2Fc")


def test_more_that_is_owed_is_a_loss() -> None:
    assert ("gain" in signed("5"), "loss" in signed("-5")) == (True, True)
    assert ("loss" in signed("5", owed=True), "gain" in signed("-5", owed=True)) == (True, True)
    assert "none" in signed("0.00")


@pytest.mark.parametrize(
    ("level", "share"),
    [("1.00000000", 0), ("1.10000000", 0.2), ("1.20000000", 0.3), ("1.30000000", 0.4), ("2.00000000", 0.8)],
)
def test_a_pointer_stands_in_its_band_which_is_a_fifth_of_the_gauge(level: str, share: float) -> None:
    assert pointer(gauge(level, CROSS)) == pytest.approx(share * WIDTH, abs=0.1)


def test_a_level_beyond_an_end_stands_at_that_end() -> None:
    assert pointer(gauge("38.80000000", CROSS)) == WIDTH
    assert "› 38.8000" in gauge("38.80000000", CROSS)
    assert pointer(gauge("0.50000000", CROSS)) == 0
    assert "‹ 0.5000" in gauge("0.50000000", CROSS)


def test_lines_that_are_equal_or_not_there_have_no_band_between_them() -> None:
    equal = gauge("1.12000000", {**CROSS, "transfer_out": "1.50000000"})
    assert equal.count("<rect") == 4
    assert "transfer_blocked" not in equal
    assert gauge("1.12000000", {**CROSS, "initial": None}).count("<rect") == 4


def test_the_level_of_collateral_is_a_tick_where_it_differs() -> None:
    assert "collateral level 1.90000000" in gauge("2.00000000", CROSS, "1.90000000")
    assert "collateral" not in gauge("2.00000000", CROSS, "2.00000000")


def test_times_of_a_path_never_go_back() -> None:
    """An event dated before what was recorded before it stands where that stands."""
    first, earlier, later = ({"effective_at": f"2026-01-0{day}T00:00:00Z"} for day in (2, 1, 3))
    assert times_of([{"effective_at": None}, first, earlier, later]) == [
        None,
        first["effective_at"],
        first["effective_at"],
        later["effective_at"],
    ]


def test_a_query_leaves_out_what_is_not_stated() -> None:
    assert (
        query(version=3, wallet="isolated:BTC/USDT", position=None, after="")
        == "?version=3&wallet=isolated%3ABTC%2FUSDT"
    )
    assert query(version=None) == ""
