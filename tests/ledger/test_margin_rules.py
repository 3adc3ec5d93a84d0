"""Margin into and out of an isolated bucket: by an explicit command only, and only while the pair is isolated."""

from decimal import Decimal

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import (
    AssetMismatch,
    InsufficientFunds,
    MarginModeMismatch,
    PriceStale,
    TransferBlocked,
    UnknownPair,
)
from ledger.margin import margin_of
from ledger.money import divide_down, divide_up
from tests.ledger.asking import add_margin, remove_margin
from tests.ledger.given import NOON, after, balance, given, numbered, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    borrowed,
    deposited,
    hours,
    margin_added,
    margin_removed,
    mode_set,
    opened,
    the_market,
    transferred,
)

MARKET = the_market()
ISOLATED = (opened(), deposited("40.00", "USDT"), mode_set("isolated"))


def test_margin_comes_from_free_spot() -> None:
    account = given(*ISOLATED)
    assert when(MARKET, account, **add_margin("40.00", "USDT")) == numbered(account, margin_added("40.00", "USDT"))


def test_margin_beyond_the_free_spot_balance_is_refused() -> None:
    with pytest.raises(InsufficientFunds, match=r"has 40.00 USDT free in spot.*60.00 USDT was asked"):
        when(MARKET, given(*ISOLATED), **add_margin("60.00", "USDT"))


def test_margin_is_added_only_while_the_pair_is_isolated() -> None:
    with pytest.raises(MarginModeMismatch, match="BTC/USDT"):
        when(MARKET, given(opened(), deposited("40", "USDT")), **add_margin("10", "USDT"))


def test_margin_is_one_of_the_pairs_two_assets() -> None:
    account = given(*ISOLATED, deposited("1", "ETH"), deposited("1", "BTC"))
    assert when(MARKET, account, **add_margin("1", "BTC"))
    with pytest.raises(AssetMismatch, match="ETH"):
        when(MARKET, account, **add_margin("1", "ETH"))


def test_margin_of_a_pair_that_is_not_listed_is_refused() -> None:
    with pytest.raises(UnknownPair):
        when(MARKET, given(*ISOLATED), **add_margin("1", "USDT", "DOGE/USDT"))


def test_margin_needs_a_fresh_price_of_the_asset_that_comes() -> None:
    account, later = given(*ISOLATED, deposited("1", "BTC")), NOON + hours(1)
    with pytest.raises(PriceStale, match="BTC/USDT"):
        when(MARKET, account, at=later, **add_margin("1", "BTC"))
    assert when(MARKET, account, at=later, **add_margin("10", "USDT"))


def test_margin_comes_from_the_cross_pool_too() -> None:
    account = given(*ISOLATED, transferred("40.00", "USDT"))
    assert when(MARKET, account, **add_margin("40.00", "USDT", source="cross")) == numbered(
        account, margin_added("40.00", "USDT", source="cross")
    )


def test_margin_leaves_an_owing_cross_pool_at_its_transfer_out_line_only() -> None:
    account = given(*ISOLATED, transferred("40.00", "USDT"), borrowed("10", "USDT"))
    assert when(MARKET, account, **add_margin("30", "USDT", source="cross"))
    with pytest.raises(TransferBlocked):
        when(MARKET, account, **add_margin("30.00000001", "USDT", source="cross"))


def bucket(own: str, principal: str) -> Account:
    """A bucket with so much USDT of its own, and so much borrowed."""
    return given(
        opened(),
        deposited(own, "USDT"),
        mode_set("isolated"),
        margin_added(own, "USDT"),
        borrowed(principal, "USDT", BTC_BUCKET),
    )


def test_without_debt_all_margin_is_removed() -> None:
    account = given(*ISOLATED, margin_added("40.00", "USDT"))
    assert when(MARKET, account, at=NOON + hours(3), **remove_margin("40.00", "USDT")) == numbered(
        account, margin_removed("40.00", "USDT"), at=NOON + hours(3)
    )


def test_margin_is_removed_down_to_the_transfer_out_line() -> None:
    # 20,000 against 5,150: 9,700 may leave.
    (event,) = when(MARKET, bucket("14850", "5150"), **remove_margin("9700", "USDT"))
    assert isinstance(event, e.MarginRemoved)
    assert event.assessment is not None
    assert (event.assessment.level_before, event.assessment.level_after) == ("3.88349514", "2.00000000")


def test_margin_is_not_removed_one_unit_below_the_transfer_out_line() -> None:
    with pytest.raises(TransferBlocked, match="9700"):
        when(MARKET, bucket("14850", "5150"), **remove_margin("9700.00000001", "USDT"))


def test_margin_beyond_what_the_bucket_has_free_is_not_removed() -> None:
    with pytest.raises(InsufficientFunds):
        when(MARKET, given(*ISOLATED, margin_added("10", "USDT")), **remove_margin("10.01", "USDT"))


def test_margin_goes_to_the_cross_pool_too() -> None:
    account = after(MARKET, given(*ISOLATED, margin_added("40", "USDT")), **remove_margin("15", "USDT", target="cross"))
    assert balance(account, "cross", "USDT") == {"free": "15"}
    assert balance(account, BTC_BUCKET, "USDT") == {"free": "25"}


def test_nothing_but_the_bucket_and_its_source_is_touched() -> None:
    account = given(*ISOLATED, deposited("1", "BTC"), transferred("1", "BTC"))
    later = after(MARKET, account, **add_margin("40", "USDT"))
    assert later.wallets.cross == account.wallets.cross
    assert balance(later, "spot", "USDT") == {}
    assert balance(later, BTC_BUCKET, "USDT") == {"free": "40"}


def test_quotients_round_to_whole_steps_towards_their_side_whatever_the_signs() -> None:
    for top in range(-25, 26):
        for bottom in (-7, -5, -1, 1, 3, 10):
            down = divide_down(Decimal(top), Decimal(bottom), 1)
            up = divide_up(Decimal(top), Decimal(bottom), 1)
            assert down == Decimal(top * 10 // bottom).scaleb(-1)
            assert up == Decimal(-(-top * 10 // bottom)).scaleb(-1)
            assert (down.as_tuple().exponent, up.as_tuple().exponent) == (-1, -1)
            assert not (down.is_zero() and down.is_signed())
            assert not (up.is_zero() and up.is_signed())


def test_a_margin_works_its_sums_out_once_and_a_changed_one_anew() -> None:
    bucket = given(*ISOLATED, margin_added("40.00", "USDT")).wallets.wallet(BTC_BUCKET)
    margin = margin_of(bucket, MARKET.last_prices(["BTC", "USDT"]).of, MARKET, Decimal(10))
    assert margin.valuation is margin.valuation
    assert margin.lines is margin.lines
    more = margin.changed("USDT", free=Decimal(10))
    assert more.valuation.assets == margin.valuation.assets + 10
