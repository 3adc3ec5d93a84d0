"""Borrowing into the pool or a bucket, and repaying it in the same asset, interest first."""

from typing import Any

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import (
    AssetDisabled,
    AssetMismatch,
    BorrowBlocked,
    BorrowLimitExceeded,
    InsufficientFunds,
    MarginModeMismatch,
    NothingToDo,
    PriceStale,
    Refusal,
    RepaymentExceedsDebt,
)
from ledger.market import Market
from tests.ledger.asking import borrow, repay
from tests.ledger.given import NOON, Happened, after, balance, given, market_after, numbered, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    asset_limits,
    borrowed,
    deposited,
    hours,
    leverage_set,
    line,
    margin_added,
    mode_set,
    opened,
    pair_listed,
    rate_set,
    repaid,
    risk_limits,
    the_market,
    tier,
    traded,
    transferred,
)

MARKET = the_market()
POOL = (opened(), deposited("10000", "USDT"), transferred("10000", "USDT"))
BUCKET = (opened(), deposited("10000", "USDT"), mode_set("isolated"), margin_added("10000", "USDT"))


def test_a_loan_comes_into_the_pool_and_states_the_levels() -> None:
    account = given(*POOL)
    levels: Any = {"prices": {}, "level_before": None, "level_after": "3.00000000", "margin_level_after": "3.00000000"}
    assert when(MARKET, account, **borrow("5000", "USDT")) == numbered(
        account, borrowed("5000", "USDT", assessment=levels)
    )
    assert balance(after(MARKET, account, **borrow("5000", "USDT")), "cross", "USDT") == {
        "free": "15000",
        "borrowed": "5000",
    }


LARGEST: list[tuple[tuple[Happened, ...], str, str, str]] = [
    (POOL, "cross", "20000", "20000.00000001"),
    ((*POOL, leverage_set("5", "cross")), "cross", "40000", "40000.00000001"),
    (BUCKET, BTC_BUCKET, "90090.09009009", "90090.0900901"),
    ((*BUCKET, leverage_set("7.25")), BTC_BUCKET, "62500", "62500.00000001"),
    ((*BUCKET, leverage_set("3")), BTC_BUCKET, "20000", "20000.00000001"),
]


@pytest.mark.parametrize(("past", "wallet", "largest", "too_much"), LARGEST)
def test_a_loan_reaches_the_initial_ratio_exactly(
    past: tuple[Happened, ...], wallet: str, largest: str, too_much: str
) -> None:
    assert when(MARKET, given(*past), **borrow(largest, "USDT", wallet))
    with pytest.raises(BorrowBlocked):
        when(MARKET, given(*past), **borrow(too_much, "USDT", wallet))


def test_a_pair_below_its_rows_leverage_has_the_exact_initial_ratio_of_its_own() -> None:
    # 4x takes the row of 5x, and 4/3 as its initial ratio: 30,000 on 10,000.
    market = market_after(the_market(), pair_listed("BTC/SOL", "2"), pair_listed("SOL/BTC", "4", 6))
    own = (opened(), deposited("1", "BTC"), mode_set("isolated", "SOL/BTC"), margin_added("1", "BTC", "SOL/BTC"))
    assert when(market, given(*own), **borrow("3", "BTC", "isolated:SOL/BTC"))
    with pytest.raises(BorrowBlocked):
        when(market, given(*own), **borrow("3.00000001", "BTC", "isolated:SOL/BTC"))


def test_at_leverage_one_nothing_is_borrowed() -> None:
    with pytest.raises(BorrowBlocked):
        when(MARKET, given(*BUCKET, leverage_set("1")), **borrow("0.00000001", "USDT", BTC_BUCKET))


def test_at_the_initial_ratio_nothing_more_is_borrowed() -> None:
    with pytest.raises(BorrowBlocked, match=r"1\.5"):
        when(MARKET, given(*POOL, borrowed("20000", "USDT")), **borrow("0.00000001", "USDT"))


def with_collateral(*tiers: dict[str, str]) -> Market:
    return market_after(the_market(), asset_limits("BTC", collateral_tiers=list(tiers)))


@pytest.mark.parametrize(
    ("tiers", "largest"),
    [
        # C = 50,000 x 0.5; (25,000 + x) / x = 1.5.
        ([{"ratio": "0.5"}], "50000"),
        # C = 30,000 + 10,000 x 0.5, and nothing for the rest.
        ([{"up_to": "30000", "ratio": "1"}, {"up_to": "40000", "ratio": "0.5"}], "70000"),
        # The value ends in the first bracket, exactly at its bound.
        ([{"up_to": "50000", "ratio": "0.8"}, {"ratio": "0.1"}], "80000"),
    ],
)
def test_collateral_counts_by_brackets_of_value(tiers: list[dict[str, str]], largest: str) -> None:
    market, account = with_collateral(*tiers), given(opened(), deposited("1", "BTC"), transferred("1", "BTC"))
    assert when(market, account, **borrow(largest, "USDT"))
    with pytest.raises(BorrowBlocked):
        when(market, account, **borrow(f"{largest}.00000001", "USDT"))


def test_in_a_bucket_collateral_counts_in_full() -> None:
    account = given(opened(), deposited("1", "BTC"), mode_set("isolated"), leverage_set("3"), margin_added("1", "BTC"))
    assert when(with_collateral({"ratio": "0.1"}), account, **borrow("100000", "USDT", BTC_BUCKET))


def test_a_bucket_lends_its_pairs_two_assets_only() -> None:
    assert when(MARKET, given(*BUCKET), **borrow("0.1", "BTC", BTC_BUCKET))
    with pytest.raises(AssetMismatch, match="ETH"):
        when(MARKET, given(*BUCKET), **borrow("1", "ETH", BTC_BUCKET))


def test_a_bucket_of_a_pair_in_cross_mode_lends_nothing() -> None:
    with pytest.raises((MarginModeMismatch, BorrowBlocked)):
        when(MARKET, given(*POOL), **borrow("1", "USDT", BTC_BUCKET))


def test_an_asset_that_is_not_enabled_is_not_lent() -> None:
    market = market_after(the_market(), asset_limits("USDT", enabled=("transfer", "trade")))
    with pytest.raises(AssetDisabled):
        when(market, given(*POOL), **borrow("1", "USDT"))


def test_the_borrow_limit_counts_principal_over_all_wallets_of_the_account() -> None:
    market = market_after(the_market(), asset_limits("USDT", borrow_limit="1000"))
    past = (*POOL, deposited("500", "USDT"), mode_set("isolated"), margin_added("500", "USDT"))
    account = given(
        *past, borrowed("600", "USDT", BTC_BUCKET), accrued(line("50", "USDT", "600", "1"), wallet=BTC_BUCKET)
    )
    assert when(market, account, **borrow("400", "USDT"))
    with pytest.raises(BorrowLimitExceeded, match="400"):
        when(market, account, **borrow("400.00000001", "USDT"))


TIERS = (
    tier("10", "1.111", "1.09", "1.05", quote_limit="10000", base_limit="1"),
    tier("5", "1.25", "1.19", "1.15", quote_limit="30000", base_limit="2"),
)


def test_a_loan_is_judged_at_the_tier_as_it_then_is() -> None:
    market = market_after(the_market(), risk_limits("BTC/USDT", *TIERS))
    small = given(opened(), deposited("2000", "USDT"), mode_set("isolated"), margin_added("2000", "USDT"))
    # 2,000 of its own bear 8,000 at 1.25 and 18,018 at 1.111; up to 10,000 the first tier judges.
    assert when(market, small, **borrow("10000", "USDT", BTC_BUCKET))
    with pytest.raises(BorrowBlocked):
        when(market, small, **borrow("10000.00000001", "USDT", BTC_BUCKET))


def test_a_loan_never_passes_the_last_tier() -> None:
    market = market_after(the_market(), risk_limits("BTC/USDT", *TIERS))
    assert when(market, given(*BUCKET), **borrow("30000", "USDT", BTC_BUCKET))
    with pytest.raises(BorrowLimitExceeded, match="30000"):
        when(market, given(*BUCKET), **borrow("30000.00000001", "USDT", BTC_BUCKET))


def test_where_both_assets_are_owed_the_higher_tier_holds() -> None:
    market = market_after(the_market(), risk_limits("BTC/USDT", *TIERS))
    rich = (opened(), deposited("100000", "USDT"), mode_set("isolated"), margin_added("100000", "USDT"))
    account = given(*rich, borrowed("1", "USDT", BTC_BUCKET))
    (event,) = when(market, account, **borrow("1.00000001", "BTC", BTC_BUCKET))
    assert isinstance(event, e.LoanBorrowed)
    assert event.assessment is not None
    assert event.assessment.tier == 2


def test_a_loan_needs_fresh_prices() -> None:
    account = given(*POOL, deposited("1", "BTC"), transferred("1", "BTC"))
    with pytest.raises(PriceStale):
        when(MARKET, account, at=NOON + hours(1), **borrow("1", "USDT"))


# Repaying


def owing_14() -> tuple[Account, Market]:
    """A debt of 14 USDT with 0.01866667 of interest: one hour at 0.032 a day."""
    market = market_after(the_market(), rate_set("USDT", "0.032", NOON - hours(24)))
    return after(market, given(*POOL), **borrow("14", "USDT")), market


def test_a_repayment_pays_interest_first() -> None:
    account, market = owing_14()
    assert when(market, account, **repay("14", "USDT")) == numbered(
        account, repaid("0.01866667", "13.98133333", "USDT")
    )


def test_a_repayment_smaller_than_the_interest_pays_no_principal() -> None:
    account, market = owing_14()
    assert when(market, account, **repay("0.01", "USDT")) == numbered(account, repaid("0.01", "0", "USDT"))


def test_all_is_repaid() -> None:
    account, market = owing_14()
    assert when(market, account, **repay("all", "USDT")) == numbered(account, repaid("0.01866667", "14", "USDT"))


def test_more_than_is_owed_is_not_repaid_and_the_message_states_what_is_owed() -> None:
    account, market = owing_14()
    assert when(market, account, **repay("14.01866667", "USDT"))
    with pytest.raises(RepaymentExceedsDebt, match=r"14\.01866667"):
        when(market, account, **repay("14.01866668", "USDT"))


def test_a_debt_is_repaid_in_its_own_asset_and_wallet() -> None:
    account = given(*POOL, borrowed("0.01", "BTC"), deposited("1", "USDT"))
    with pytest.raises((RepaymentExceedsDebt, NothingToDo)):
        when(MARKET, account, **repay("1", "USDT"))
    with pytest.raises(Refusal):
        when(MARKET, account, **repay("0.01", "BTC", BTC_BUCKET))


def test_more_than_is_free_is_not_repaid() -> None:
    account = given(*POOL, borrowed("0.01", "BTC"), traded("sell", "0.004", "50000"))
    assert when(MARKET, account, **repay("0.006", "BTC"))
    with pytest.raises(InsufficientFunds, match=r"0\.006"):
        when(MARKET, account, **repay("0.00600001", "BTC"))
    with pytest.raises(InsufficientFunds):
        when(MARKET, account, **repay("all", "BTC"))


def test_a_repayment_needs_no_price() -> None:
    account = given(*POOL, borrowed("0.01", "BTC"))
    assert topics(when(MARKET, account, at=NOON + hours(9), **repay("0.01", "BTC"))) == ["loan.repaid"]


def test_where_nothing_is_owed_all_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo):
        when(MARKET, given(*POOL), **repay("all", "USDT"))
