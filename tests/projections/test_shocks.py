"""Shocks and sweeps are read strictly: what cannot be is refused with what can be done."""

from decimal import Decimal
from typing import Any

import pytest

from ledger.errors import Malformed, PriceStale, TooManyDecimals, UnknownAsset, UnknownPair
from projections.questions.shocks import MOST_STEPS, read_shocks, read_sweep
from tests.ledger.happenings import the_market


def test_a_change_is_rounded_away_from_the_price_and_all_is_every_other_pair() -> None:
    market = the_market(BTC="100.01")
    shocked = read_shocks(market, {"BTC": "-0.01%", "all": "+0.001%"})
    assert {pair: str(shock.shocked) for pair, shock in shocked.items()} == {
        "BTC/USDT": "99.99",
        "ETH/USDT": "2000.02",
        "SOL/USDT": "100.01",
    }
    assert read_shocks(market, {"BTC/USDT": "+0%"})["BTC/USDT"].shocked == Decimal("100.01")


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a pair that is not listed": ({"XRP/USDT": "-5%"}, UnknownPair, "XRP/USDT is not listed"),
    "an asset that is not listed": ({"XRP": "-5%"}, UnknownAsset, "XRP is not listed"),
    "a pair that values nothing": ({"ETH/BTC": "-5%"}, Malformed, "no wallet is valued by ETH/BTC"),
    "the valuation asset": ({"USDT": "-5%"}, Malformed, "its price is 1"),
    "one pair twice": ({"BTC": "-5%", "BTC/USDT": "-5%"}, Malformed, "shocked twice"),
    "a price never marked": ({"NEW": "-5%"}, PriceStale, "never marked"),
    "nothing left": ({"BTC": "-100%"}, Malformed, "no price above zero"),
    "less than a step": ({"SOL": "-99.999%"}, Malformed, "at its 2 decimals"),
    "a price of zero": ({"BTC": "0"}, Malformed, "greater than zero"),
    "a price below zero": ({"BTC": "-5"}, Malformed, "greater than zero"),
    "too many decimals": ({"BTC": "48000.001"}, TooManyDecimals, "keeps 2"),
    "a change without sign": ({"BTC": "20%"}, Malformed, "with its sign"),
    "words": ({"BTC": "half"}, Malformed, "a shock is a change"),
    "a number": ({"BTC": 48000}, Malformed, "never a JSON number"),
    "an exponent": ({"BTC": "-1e1%"}, Malformed, "no change"),
    "two points": ({"BTC": "-1.1.1%"}, Malformed, "no percentage"),
    "a price of all": ({"all": "100"}, Malformed, "takes a change only"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_shock_that_cannot_be_is_refused_with_what_can_be_done(kind: str) -> None:
    stated, refusal, said = REFUSED[kind]
    market = the_market()
    market.assets["NEW"], market.pairs["NEW/USDT"] = market.assets["SOL"], market.pairs["SOL/USDT"]
    with pytest.raises(refusal, match=said):
        read_shocks(market, stated)


@pytest.mark.parametrize(
    ("first", "last", "step", "said"),
    [
        ("+5%", "-5%", "1%", "lower end first"),
        ("-5%", "+5%", "0%", "above zero"),
        ("-5%", "+5%", "-1%", "above zero"),
        ("-5%", "+5%", "1", "no percentage"),
        ("5%", "+5%", "1%", "with its sign"),
        ("-50%", "+50.5%", "0.5%", f"at most {MOST_STEPS}"),
        (None, "+5%", "1%", "no change"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(first: Any, last: Any, step: str, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read_sweep("BTC/USDT", first, last, step)


def test_a_sweep_ends_with_its_last_step_at_or_below_the_end() -> None:
    assert read_sweep("all", "-2.5%", "+3%", "2.5%").changes == ("-2.5%", "+0%", "+2.5%")
    assert len(read_sweep("all", "-50%", "+50%", "0.5%").changes) == MOST_STEPS
