"""Holds: funds locked for an open order; checked when placed, used first by fills, released with what is left."""

import pytest

from ledger.errors import (
    AssetDisabled,
    AssetMismatch,
    HoldExists,
    HoldMismatch,
    InsufficientFunds,
    PriceStale,
    TradeBlocked,
    UnknownHold,
)
from tests.ledger.asking import Asked, fill, hold, release
from tests.ledger.given import NOON, Happened, after, balance, given, market_after, numbered, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    asset_limits,
    borrowed,
    deposited,
    frozen,
    held,
    hours,
    margin_added,
    mode_set,
    opened,
    pair_status,
    released,
    the_market,
    traded,
    transferred,
)

MARKET = the_market()
SPOT = (opened(), deposited("100", "USDT"))
POOL = (opened(), deposited("1000", "USDT"), transferred("1000", "USDT"))


def test_a_hold_locks_free_funds_of_its_wallet() -> None:
    account = given(*SPOT)
    assert when(MARKET, account, **hold("60", "USDT")) == numbered(account, held("60", "USDT"))
    assert balance(after(MARKET, account, **hold("60", "USDT")), "spot", "USDT") == {"free": "40", "locked": "60"}


def test_a_hold_beyond_what_is_free_is_refused() -> None:
    assert when(MARKET, given(*SPOT, held("60", "USDT")), **hold("40", "USDT", hold_id="H2"))
    with pytest.raises(InsufficientFunds, match="40 USDT"):
        when(MARKET, given(*SPOT, held("60", "USDT")), **hold("40.01", "USDT", hold_id="H2"))


def test_a_hold_is_placed_once() -> None:
    with pytest.raises(HoldExists, match="H1"):
        when(MARKET, given(*SPOT, held("60", "USDT")), **hold("1", "USDT"))


def test_a_hold_in_a_bucket_is_of_its_pairs_assets() -> None:
    account = given(*POOL, mode_set("isolated"), margin_added("500", "USDT", source="cross"))
    assert when(MARKET, account, **hold("500", "USDT", BTC_BUCKET))
    with pytest.raises(AssetMismatch, match="ETH"):
        when(MARKET, account, **hold("1", "ETH", BTC_BUCKET))


def test_a_hold_of_an_asset_that_is_not_traded_is_refused() -> None:
    market = market_after(the_market(), asset_limits("USDT", enabled=("transfer", "borrow")))
    with pytest.raises(AssetDisabled):
        when(market, given(*SPOT), **hold("1", "USDT"))


def owing_btc() -> tuple[Happened, ...]:
    """A pool that owes 0.1 BTC, worth 5,000, against 1,000 of its own and what the loan brought."""
    return (*POOL, borrowed("0.1", "BTC"), traded("sell", "0.1", "50000"))


def test_a_hold_in_a_margin_wallet_needs_fresh_prices() -> None:
    account = given(*owing_btc())
    assert when(MARKET, account, at=NOON + hours(1 / 60), **hold("10", "USDT", "cross"))
    with pytest.raises(PriceStale, match="BTC/USDT"):
        when(MARKET, account, at=NOON + hours(2 / 60), **hold("10", "USDT", "cross"))


def test_a_hold_in_spot_needs_no_price() -> None:
    account = given(opened(), deposited("1", "BTC"))
    assert when(MARKET, account, at=NOON + hours(9), **hold("1", "BTC"))


def test_a_hold_is_placed_above_the_liquidation_line_only() -> None:
    # 6,000 of assets: at 54,545 the level is 1.10000917, at 54,545.46 it is below 1.1.
    account = given(*owing_btc())
    assert when(the_market(BTC="54545"), account, **hold("10", "USDT", "cross"))
    with pytest.raises(TradeBlocked, match=r"1\.09999"):
        when(the_market(BTC="54545.46"), account, **hold("10", "USDT", "cross"))


def test_what_is_left_of_a_hold_is_released() -> None:
    account = given(*SPOT, held("60", "USDT"))
    assert when(MARKET, account, **release()) == numbered(account, released("60", "USDT"))
    used = after(MARKET, account, **fill("buy", "0.0004", "50000", wallet="spot", hold_id="H1"))
    assert when(MARKET, used, **release()) == numbered(used, released("40", "USDT"))


def test_a_hold_is_released_once() -> None:
    account = given(*SPOT, held("60", "USDT"), released("60", "USDT"))
    with pytest.raises(UnknownHold, match="H1"):
        when(MARKET, account, **release())


# Fills that name a hold


def test_a_fill_uses_its_hold_first_then_free() -> None:
    account = given(*SPOT, held("60", "USDT"))
    later = after(MARKET, account, **fill("buy", "0.0016", "50000", wallet="spot", hold_id="H1"))
    assert balance(later, "spot", "USDT") == {"free": "20"}
    assert later.holds == {}


def test_a_hold_stays_until_it_is_used_up() -> None:
    account = given(*SPOT, held("60", "USDT"))
    later = after(MARKET, account, **fill("buy", "0.001", "50000", wallet="spot", hold_id="H1"))
    assert balance(later, "spot", "USDT") == {"free": "40", "locked": "10"}
    assert later.holds["H1"].amount == 10


def test_a_fill_beyond_hold_and_free_is_refused() -> None:
    account = given(*SPOT, held("60", "USDT"))
    assert when(MARKET, account, **fill("buy", "0.002", "50000", wallet="spot", hold_id="H1"))
    with pytest.raises(InsufficientFunds):
        when(MARKET, account, **fill("buy", "0.0021", "50000", wallet="spot", hold_id="H1"))


def test_a_fill_does_not_use_the_hold_of_another_order() -> None:
    account = given(*SPOT, held("60", "USDT", "H1"), held("20", "USDT", "H2"))
    with pytest.raises(InsufficientFunds):
        when(MARKET, account, **fill("buy", "0.002", "50000", wallet="spot", hold_id="H1"))


def test_a_fill_that_names_an_unknown_hold_is_refused() -> None:
    with pytest.raises(UnknownHold, match="H7"):
        when(MARKET, given(*SPOT), **fill("buy", "0.001", "50000", wallet="spot", hold_id="H7"))


def test_a_fill_that_names_a_hold_is_a_fact_whatever_band_freshness_freeze_and_status() -> None:
    account = given(*owing_btc(), held("100", "USDT", wallet="cross"), frozen())
    market = market_after(the_market(BTC="90000"), pair_status("BTC/USDT", "halted"))
    events = when(market, account, at=NOON + hours(9), **fill("buy", "0.001", "90000", hold_id="H1"))
    assert topics(events) == ["trade.booked"]


MISFITS: list[tuple[tuple[Happened, ...], Asked]] = [
    # The fill pays another asset than the one held.
    ((*SPOT, deposited("1", "BTC"), held("10", "USDT")), fill("sell", "0.0001", "50000", wallet="spot", hold_id="H1")),
    # The fill states another wallet than the hold's.
    ((*POOL, held("10", "USDT", wallet="cross")), fill("buy", "0.0001", "50000", wallet="spot", hold_id="H1")),
    # The hold is in the bucket of another pair.
    (
        (
            *POOL,
            mode_set("isolated"),
            margin_added("10", "USDT", source="cross"),
            held("10", "USDT", wallet=BTC_BUCKET),
        ),
        fill("buy", "0.001", "2000", pair="ETH/USDT", hold_id="H1"),
    ),
    # The hold is in the pool, the pair is isolated.
    ((*POOL, held("10", "USDT", wallet="cross"), mode_set("isolated")), fill("buy", "0.0001", "50000", hold_id="H1")),
]


@pytest.mark.parametrize(("past", "asked"), MISFITS)
def test_a_fill_does_not_use_a_hold_of_another_wallet_or_asset(past: tuple[Happened, ...], asked: Asked) -> None:
    with pytest.raises(HoldMismatch, match="H1"):
        when(MARKET, given(*past), **asked)


def test_a_fee_in_the_asset_that_is_paid_comes_out_of_the_hold_too() -> None:
    account = given(*SPOT, held("60", "USDT"))
    later = after(MARKET, account, **fill("buy", "0.001", "50000", wallet="spot", hold_id="H1", fee="5"))
    assert balance(later, "spot", "USDT") == {"free": "40", "locked": "5"}


def test_a_rebate_in_the_asset_that_is_paid_leaves_none_of_the_hold_unused() -> None:
    account = given(*SPOT, held("50", "USDT"))
    later = after(MARKET, account, **fill("buy", "0.001", "50000", wallet="spot", hold_id="H1", fee="-1"))
    assert balance(later, "spot", "USDT") == {"free": "51"}
    assert later.holds == {}
