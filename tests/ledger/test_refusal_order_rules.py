"""The order of refusals: well formed, exists, key, version, state, modes and assets, prices, enough."""

from typing import Any

import pytest

from ledger.errors import (
    AccountClosed,
    AccountFrozen,
    AssetDisabled,
    AssetMismatch,
    BorrowBlocked,
    BorrowLimitExceeded,
    EffectiveInFuture,
    HoldMismatch,
    InsufficientFunds,
    LeverageNotAllowed,
    Malformed,
    MarginModeMismatch,
    NotCollateral,
    PairNotTrading,
    PriceStale,
    Refusal,
    TooManyDecimals,
    TradeBlocked,
    TransferBlocked,
    UnknownAccount,
    UnknownAsset,
    UnknownHold,
    UnknownPair,
    UnknownWithdrawal,
    VersionMismatch,
    WithdrawalNotPending,
)
from ledger.market import Market
from tests.ledger.asking import (
    add_margin,
    borrow,
    cancel,
    fill,
    hold,
    release,
    remove_margin,
    request_withdrawal,
    send,
    transfer,
)
from tests.ledger.given import NOON, Happened, and_then, given, market_after, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    asset_limits,
    borrowed,
    closed,
    deposited,
    frozen,
    hours,
    margin_added,
    mode_set,
    opened,
    pair_status,
    the_market,
    transferred,
    withdrawal_requested,
    withdrawal_settled,
)

LATE = NOON + hours(5)
OWING = (
    opened(),
    deposited("1", "BTC"),
    transferred("1", "BTC"),
    borrowed("100000", "USDT"),
    transferred("90000", "USDT", "cross", "spot"),
    mode_set("isolated"),
    margin_added("1", "USDT"),
)


def strict() -> Market:
    """USDT and ether may be used for nothing, and BTC/USDT is halted."""
    market = market_after(the_market(), asset_limits("USDT", enabled=()), asset_limits("ETH", enabled=()))
    return market_after(market, pair_status("BTC/USDT", "halted"))


# Each step repairs what the one before was refused for; everything that comes later is still wrong.
STEPS: list[tuple[dict[str, Any], Market, tuple[Happened, ...], Any, type[Refusal]]] = [
    # Borrowing
    (borrow("-1", "usdt", expected_version=1), strict(), (), LATE, Malformed),
    (borrow("999999", "USDT", expected_version=1), strict(), (), LATE, UnknownAccount),
    (borrow("999999", "DOGE", expected_version=1), strict(), (*OWING, frozen()), LATE, UnknownAsset),
    (borrow("999999", "USDT", "isolated:DOGE/USDT"), strict(), (*OWING, frozen()), LATE, UnknownPair),
    (borrow("999999", "USDT", expected_version=1), strict(), (*OWING, frozen()), LATE, VersionMismatch),
    (borrow("999999", "USDT"), strict(), (*OWING, frozen()), LATE, AccountFrozen),
    (borrow("999999", "USDT"), strict(), OWING, LATE, AssetDisabled),
    (borrow("999999", "ETH", BTC_BUCKET), the_market(), OWING, LATE, AssetMismatch),
    (borrow("999999", "USDT"), the_market(), OWING, LATE, PriceStale),
    (borrow("999999", "USDT"), the_market(), OWING, NOON, BorrowBlocked),
    # Transfers
    (transfer("0.000000001", "USDT", "cross", BTC_BUCKET), strict(), (*OWING, frozen()), LATE, TooManyDecimals),
    (transfer("999999", "USDT", "cross", BTC_BUCKET), strict(), (*OWING, frozen()), LATE, AccountFrozen),
    (transfer("999999", "USDT", "cross", BTC_BUCKET), strict(), OWING, LATE, AssetDisabled),
    (transfer("999999", "USDT", "cross", BTC_BUCKET), the_market(), OWING, LATE, PriceStale),
    (transfer("999999", "USDT", "cross", BTC_BUCKET), the_market(), OWING, NOON, InsufficientFunds),
    (transfer("9999", "USDT", "cross", BTC_BUCKET), the_market(), OWING, NOON, TransferBlocked),
    # Margin
    (add_margin("999999", "BTC", "ETH/USDT"), the_market(), (*OWING, frozen()), LATE, AccountFrozen),
    (add_margin("999999", "BTC"), the_market(), OWING, LATE, PriceStale),
    (add_margin("999999", "BTC"), the_market(), OWING, NOON, InsufficientFunds),
    (remove_margin("999999", "ETH"), the_market(), OWING, LATE, AssetMismatch),
    # Sending and withdrawing
    (send("999999", "USDT", "nobody"), strict(), (*OWING, frozen()), LATE, UnknownAccount),
    (request_withdrawal("999999", "DOGE"), strict(), (*OWING, frozen()), LATE, UnknownAsset),
    (request_withdrawal("999999", "USDT"), strict(), (*OWING, frozen()), LATE, AccountFrozen),
    (request_withdrawal("999999", "USDT"), strict(), OWING, LATE, InsufficientFunds),
    (cancel("W9"), strict(), (*OWING, frozen()), LATE, UnknownWithdrawal),
    # Fills and holds
    (fill("sell", "99", "1.001", fee="0.000000001"), strict(), (*OWING, frozen()), LATE, TooManyDecimals),
    (fill("sell", "99", "1", hold_id="H9"), strict(), (*OWING, frozen()), LATE, UnknownHold),
    (fill("sell", "99", "1"), strict(), (*OWING, frozen()), LATE, AccountFrozen),
    (fill("sell", "99", "1", expected_mode="cross"), the_market(), OWING, LATE, MarginModeMismatch),
    (
        fill("sell", "99", "1"),
        market_after(the_market(), pair_status("BTC/USDT", "halted")),
        OWING,
        LATE,
        PairNotTrading,
    ),
    (fill("sell", "99", "1"), the_market(), OWING, LATE, PriceStale),
    (fill("sell", "99", "1"), the_market(), OWING, NOON, InsufficientFunds),
    (hold("99", "BTC", "cross"), strict(), (*OWING, frozen()), LATE, AccountFrozen),
    (hold("99", "USDT", "cross"), strict(), OWING, LATE, AssetDisabled),
    (hold("99", "BTC", "cross"), the_market(), OWING, LATE, PriceStale),
    (hold("99", "BTC", "cross"), the_market(BTC="200000"), OWING, NOON, InsufficientFunds),
    (release("H9"), strict(), (*OWING, frozen()), LATE, UnknownHold),
]


@pytest.mark.parametrize(("asked", "market", "past", "at", "refusal"), STEPS)
def test_of_several_things_that_stand_in_the_way_the_first_is_told(
    asked: dict[str, Any], market: Market, past: tuple[Happened, ...], at: Any, refusal: type[Refusal]
) -> None:
    with pytest.raises(Refusal) as refused:
        when(market, given(*past), at=at, **asked)
    assert type(refused.value) is refusal, refused.value.detail


def test_a_trade_below_the_liquidation_line_is_refused_after_its_price_was_found_fresh() -> None:
    market = the_market(BTC="99000")
    account = given(*OWING[:4])
    assert when(market, account, **hold("1", "BTC", "cross"))
    with pytest.raises(TradeBlocked):
        when(the_market(BTC="10000"), account, **hold("1", "BTC", "cross"))
    with pytest.raises(PriceStale):
        when(the_market(BTC="10000"), account, at=LATE, **hold("1", "BTC", "cross"))


def test_a_withdrawal_that_ended_is_refused_before_anything_else_of_it() -> None:
    past = (opened(), deposited("5", "USDT"), withdrawal_requested("5", "USDT"), withdrawal_settled("5", "USDT"))
    with pytest.raises(WithdrawalNotPending):
        when(the_market(), given(*past, frozen()), **cancel())


def test_a_closed_account_is_told_before_a_mode_that_does_not_match() -> None:
    with pytest.raises(AccountClosed):
        when(the_market(), given(opened(), closed()), **add_margin("1", "ETH"))


def test_a_version_that_holds_is_no_obstacle() -> None:
    account = given(opened(), deposited("5", "USDT"))
    assert when(the_market(), account, **transfer("5", "USDT"), expected_version=2)
    with pytest.raises(VersionMismatch, match=r"version 2.*version 3|version 3.*version 2"):
        when(the_market(), account, **transfer("5", "USDT"), expected_version=3)


def test_a_business_time_too_far_ahead_is_refused() -> None:
    account = given(opened())
    ahead = (NOON + hours(1)).isoformat()
    with pytest.raises(EffectiveInFuture):
        when(the_market(), account, type="deposit", asset="USDT", amount="1", effective_at=ahead)
    behind = (NOON - hours(1)).isoformat()
    (event,) = when(the_market(), account, type="deposit", asset="USDT", amount="1", effective_at=behind)
    assert event.effective_at == NOON - hours(1)


@pytest.mark.parametrize("asked", [borrow("1", "SOL"), transfer("1", "SOL"), hold("1", "SOL", "cross")])
def test_a_refused_command_changes_nothing(asked: dict[str, Any]) -> None:
    # `when` compares every account before and after; here the market too.
    market, account = (
        market_after(the_market(), asset_limits("SOL", collateral_tiers=[{"ratio": "0"}])),
        given(opened()),
    )
    before = the_market()
    market_after(before, asset_limits("SOL", collateral_tiers=[{"ratio": "0"}]))
    with pytest.raises(Refusal):
        when(market, and_then(account, deposited("1", "USDT")), **asked)
    assert market == before


def test_every_refusal_has_a_code_of_its_own() -> None:
    kinds = [Refusal]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert {LeverageNotAllowed.code, NotCollateral.code, HoldMismatch.code, BorrowLimitExceeded.code} <= set(codes)
