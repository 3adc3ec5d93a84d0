"""Transfers between the wallets of one account, and sends between accounts."""

from decimal import Decimal

import pytest

from ledger import events as e
from ledger.errors import (
    AssetDisabled,
    AssetMismatch,
    InsufficientFunds,
    MarginModeMismatch,
    NotCollateral,
    PriceStale,
    Refusal,
    SameAccount,
    TransferBlocked,
    UnknownAccount,
    UnknownPair,
    WalletMismatch,
)
from tests.ledger.asking import send, transfer
from tests.ledger.given import NOON, balance, decided, given, market_after, numbered, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    ETH_BUCKET,
    asset_limits,
    borrowed,
    deposited,
    hours,
    margin_added,
    mode_set,
    opened,
    received,
    sent,
    the_market,
    transferred,
)

MARKET = the_market()
# 20,000 of assets against a debt of 5,150, as in the domain's worked numbers.
WORKED = (opened(), deposited("14850", "USDT"), transferred("14850", "USDT"), borrowed("5150", "USDT"))


def test_spot_funds_go_into_the_cross_pool() -> None:
    account = given(opened(), deposited("100", "USDT"))
    assert when(MARKET, account, **transfer("60", "USDT")) == numbered(account, transferred("60", "USDT"))


def test_a_transfer_beyond_the_free_spot_balance_is_refused() -> None:
    with pytest.raises(InsufficientFunds, match="has 100 USDT free in spot"):
        when(MARKET, given(opened(), deposited("100", "USDT")), **transfer("100.00000001", "USDT"))


def test_a_transfer_states_the_price_it_used() -> None:
    account = given(opened(), deposited("1", "BTC"))
    (event,) = when(MARKET, account, **transfer("1", "BTC"))
    mark = e.MarkPrice(price=Decimal(50000), effective_at=NOON, version=1)
    expected = e.Assessment(prices={"BTC/USDT": mark}, level_before=None, level_after=None)
    assert [event] == numbered(account, transferred("1", "BTC", assessment=expected))


def test_into_the_cross_pool_comes_only_an_asset_with_a_fresh_price() -> None:
    account = given(opened(), deposited("1", "BTC"), deposited("5", "USDT"))
    assert when(MARKET, account, at=NOON + hours(1 / 60), **transfer("1", "BTC"))
    with pytest.raises(PriceStale, match="BTC/USDT"):
        when(MARKET, account, at=NOON + hours(1.01 / 60), **transfer("1", "BTC"))
    assert when(MARKET, account, at=NOON + hours(9), **transfer("5", "USDT"))


def test_into_the_cross_pool_comes_only_an_asset_that_counts_as_collateral() -> None:
    market = market_after(the_market(), asset_limits("SOL", collateral_tiers=[{"ratio": "0"}]))
    with pytest.raises(NotCollateral, match="SOL"):
        when(market, given(opened(), deposited("5", "SOL")), **transfer("5", "SOL"))


def test_without_debt_all_of_free_leaves_the_cross_pool_even_at_stale_prices() -> None:
    account = given(opened(), deposited("1", "BTC"), transferred("1", "BTC"))
    events = when(MARKET, account, at=NOON + hours(5), **transfer("1", "BTC", "cross", "spot"))
    assert topics(events) == ["funds.transferred"]
    with pytest.raises(InsufficientFunds):
        when(MARKET, account, **transfer("1.00000001", "BTC", "cross", "spot"))


def test_with_debt_the_level_stays_at_the_transfer_out_line() -> None:
    account = given(*WORKED)
    (event,) = when(MARKET, account, **transfer("9700", "USDT", "cross", "spot"))
    assert isinstance(event, e.FundsTransferred)
    levels = ("3.88349514", "2.00000000")
    assert event.assessment == e.Assessment(
        prices={},
        level_before=levels[0],
        level_after=levels[1],
        margin_level_before=levels[0],
        margin_level_after=levels[1],
    )


def test_one_unit_below_the_transfer_out_line_is_refused() -> None:
    with pytest.raises(TransferBlocked, match="9700"):
        when(MARKET, given(*WORKED), **transfer("9700.00000001", "USDT", "cross", "spot"))


def test_at_a_level_of_1_55_nothing_leaves() -> None:
    account = given(opened(), deposited("2850", "USDT"), transferred("2850", "USDT"), borrowed("5150", "USDT"))
    with pytest.raises(TransferBlocked, match=r"1\.55339805"):
        when(MARKET, account, **transfer("0.00000001", "USDT", "cross", "spot"))


def test_with_debt_a_transfer_out_needs_fresh_prices() -> None:
    account = given(*WORKED, deposited("1", "BTC"), transferred("1", "BTC"))
    assert when(MARKET, account, **transfer("1", "USDT", "cross", "spot"))
    with pytest.raises(PriceStale):
        when(MARKET, account, at=NOON + hours(1), **transfer("1", "USDT", "cross", "spot"))


@pytest.mark.parametrize(
    ("source", "target", "refusal"),
    [
        ("spot", "spot", Refusal),
        ("cross", "cross", Refusal),
        (BTC_BUCKET, ETH_BUCKET, WalletMismatch),
        ("spot", "isolated:DOGE/USDT", UnknownPair),
        ("spot", ETH_BUCKET, MarginModeMismatch),
    ],
)
def test_wallets_between_which_nothing_moves(source: str, target: str, refusal: type[Refusal]) -> None:
    account = given(opened(), deposited("9", "USDT"), mode_set("isolated"), margin_added("5", "USDT"))
    with pytest.raises(refusal):
        when(MARKET, account, **transfer("1", "USDT", source, target))


def test_a_transfer_into_a_bucket_is_margin_added() -> None:
    account = given(opened(), deposited("100", "USDT"), mode_set("isolated"))
    assert when(MARKET, account, **transfer("60", "USDT", "spot", BTC_BUCKET)) == numbered(
        account, margin_added("60", "USDT")
    )


def test_a_transfer_out_of_a_bucket_is_margin_removed() -> None:
    account = given(opened(), deposited("100", "USDT"), mode_set("isolated"), margin_added("60", "USDT"))
    assert topics(when(MARKET, account, **transfer("10", "USDT", BTC_BUCKET, "cross"))) == ["margin.removed"]


def test_a_transfer_of_an_asset_that_is_not_of_the_pair_is_refused() -> None:
    account = given(opened(), deposited("1", "ETH"), mode_set("isolated"))
    with pytest.raises(AssetMismatch, match="ETH"):
        when(MARKET, account, **transfer("1", "ETH", "spot", BTC_BUCKET))


def test_an_asset_that_is_not_enabled_for_transfer_is_not_moved() -> None:
    market = market_after(the_market(), asset_limits("USDT", enabled=("borrow", "trade")))
    account, bob = given(opened(), deposited("9", "USDT")), given(opened(), account_id="bob")
    for asked in (transfer("1", "USDT"), send("1", "USDT")):
        with pytest.raises(AssetDisabled, match="USDT"):
            when(market, account, bob, **asked)


def test_what_is_sent_is_received_in_one_decision() -> None:
    account, bob = given(opened(), deposited("100", "USDT")), given(opened(), account_id="bob")
    events, accounts = decided(MARKET, account, bob, **send("60", "USDT"))
    assert events == [*numbered(account, sent("60", "USDT", "bob")), *numbered(bob, received("60", "USDT", "alice"))]
    assert balance(accounts["alice"], "spot", "USDT") == {"free": "40"}
    assert balance(accounts["bob"], "spot", "USDT") == {"free": "60"}


def test_more_than_is_free_in_spot_is_not_sent() -> None:
    account, bob = given(*WORKED, deposited("1", "USDT")), given(opened(), account_id="bob")
    with pytest.raises(InsufficientFunds, match="has 1 USDT free"):
        when(MARKET, account, bob, **send("2", "USDT"))


def test_an_account_does_not_send_to_itself() -> None:
    with pytest.raises(SameAccount):
        when(MARKET, given(opened(), deposited("1", "USDT")), **send("1", "USDT", to="alice"))


def test_an_account_does_not_send_to_one_that_is_unknown() -> None:
    with pytest.raises(UnknownAccount, match="bob"):
        when(MARKET, given(opened(), deposited("1", "USDT")), **send("1", "USDT"))
