"""Deposits, and withdrawals in two phases."""

import pytest

from ledger.errors import (
    InsufficientFunds,
    TooManyDecimals,
    UnknownAsset,
    UnknownWithdrawal,
    WithdrawalExists,
    WithdrawalNotPending,
)
from tests.ledger.asking import Asked, cancel, deposit, request_withdrawal, settle, transfer
from tests.ledger.given import after, balance, given, given_market, numbered, when
from tests.ledger.happenings import (
    asset_limits,
    asset_listed,
    deposited,
    held,
    opened,
    the_market,
    withdrawal_cancelled,
    withdrawal_requested,
    withdrawal_settled,
)

MARKET = the_market()


def test_a_deposit_comes_into_free_spot() -> None:
    account = given(opened())
    events = when(MARKET, account, **deposit("40.00", "USDT", deposit_id="D1", reference="0xabc"))
    assert events == numbered(account, deposited("40.00", "USDT", deposit_id="D1", reference="0xabc"))
    assert balance(after(MARKET, account, **deposit("40.00", "USDT")), "spot", "USDT") == {"free": "40"}


def test_a_deposit_of_an_asset_that_is_not_listed_is_refused() -> None:
    with pytest.raises(UnknownAsset, match="DOGE"):
        when(MARKET, given(opened()), **deposit("1", "DOGE"))


def test_a_deposit_with_more_decimals_than_the_scale_is_refused_and_not_rounded() -> None:
    market = given_market(asset_listed("JPY", scale=0))
    with pytest.raises(TooManyDecimals, match=r"1\.5 JPY has 1 decimals, JPY keeps 0"):
        when(market, given(opened()), **deposit("1.5", "JPY"))


def test_a_deposit_with_exactly_the_scales_decimals_is_taken() -> None:
    assert when(MARKET, given(opened()), **deposit("0.00000001", "BTC"))


def test_trailing_zeros_beyond_the_scale_are_no_decimals() -> None:
    market = given_market(asset_listed("JPY", scale=0))
    assert when(market, given(opened()), **deposit("1.00", "JPY"))


def test_deposits_and_withdrawals_do_not_ask_whether_the_asset_is_enabled() -> None:
    market = given_market(asset_listed("USDT"), asset_limits("USDT", enabled=()))
    assert when(market, given(opened()), **deposit("1", "USDT"))


def test_a_requested_withdrawal_locks_its_funds_in_spot() -> None:
    account = given(opened(), deposited("100", "USDT"))
    events = when(MARKET, account, **request_withdrawal("60", "USDT"))
    assert events == numbered(account, withdrawal_requested("60", "USDT"))
    there = balance(after(MARKET, account, **request_withdrawal("60", "USDT")), "spot", "USDT")
    assert there == {"free": "40", "locked": "60"}


def test_a_withdrawal_of_all_that_is_free_is_taken() -> None:
    account = given(opened(), deposited("100", "USDT"), held("40", "USDT"))
    assert when(MARKET, account, **request_withdrawal("60", "USDT"))


def test_a_withdrawal_beyond_the_free_spot_balance_is_refused() -> None:
    account = given(opened(), deposited("100", "USDT"), held("40", "USDT"))
    with pytest.raises(InsufficientFunds, match="has 60 USDT free"):
        when(MARKET, account, **request_withdrawal("60.00000001", "USDT"))


def test_a_settled_withdrawal_is_gone() -> None:
    account = given(opened(), deposited("100", "USDT"), withdrawal_requested("60", "USDT"))
    assert when(MARKET, account, **settle()) == numbered(account, withdrawal_settled("60", "USDT"))
    assert balance(after(MARKET, account, **settle()), "spot", "USDT") == {"free": "40"}


def test_a_cancelled_withdrawal_is_given_back() -> None:
    account = given(opened(), deposited("100", "USDT"), withdrawal_requested("60", "USDT"))
    assert when(MARKET, account, **cancel()) == numbered(account, withdrawal_cancelled("60", "USDT"))
    assert balance(after(MARKET, account, **cancel()), "spot", "USDT") == {"free": "100"}


@pytest.mark.parametrize("end", [withdrawal_settled, withdrawal_cancelled])
@pytest.mark.parametrize("asked", [settle(), cancel()])
def test_a_withdrawal_ends_once(end: object, asked: Asked) -> None:
    assert callable(end)
    account = given(opened(), deposited("100", "USDT"), withdrawal_requested("60", "USDT"), end("60", "USDT"))
    with pytest.raises(WithdrawalNotPending, match="W1"):
        when(MARKET, account, **asked)


@pytest.mark.parametrize("asked", [settle("W9"), cancel("W9")])
def test_a_withdrawal_that_was_not_requested_does_not_end(asked: Asked) -> None:
    with pytest.raises(UnknownWithdrawal, match="W9"):
        when(MARKET, given(opened(), deposited("100", "USDT"), withdrawal_requested("60", "USDT")), **asked)


def test_a_withdrawal_id_names_one_withdrawal() -> None:
    account = given(opened(), deposited("100", "USDT"), withdrawal_requested("10", "USDT"))
    with pytest.raises(WithdrawalExists, match="W1"):
        when(MARKET, account, **request_withdrawal("10", "USDT"))


def test_locked_funds_do_not_leave_spot_otherwise() -> None:
    account = given(opened(), deposited("100", "USDT"), withdrawal_requested("60", "USDT"))
    with pytest.raises(InsufficientFunds):
        when(MARKET, account, **transfer("41", "USDT"))
