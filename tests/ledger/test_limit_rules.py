"""Limits: the largest amount, at the asset's scale, that the decision itself accepts; and liquidation prices."""

from decimal import Decimal

import pytest

from ledger.account import Account, borrow_limit_left, leverage_of
from ledger.errors import Refusal
from ledger.margin import (
    Margin,
    liquidation_price,
    margin_of,
    max_borrow,
    max_transfer_out,
    reference_liquidation_price,
)
from ledger.market import Market
from ledger.words import Band
from tests.ledger.asking import Asked, borrow, transfer
from tests.ledger.given import Happened, given, market_after, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    PRICES,
    accrued,
    asset_limits,
    borrowed,
    deposited,
    held,
    leverage_set,
    line,
    margin_added,
    mode_set,
    opened,
    risk_limits,
    the_market,
    tier,
    traded,
    transferred,
)

UNIT = Decimal("0.00000001")
MARKET = the_market()
HALF = market_after(the_market(), asset_limits("BTC", collateral_tiers=[{"ratio": "0.8"}]))
BRACKETS = market_after(
    the_market(),
    asset_limits("BTC", collateral_tiers=[{"up_to": "30000", "ratio": "1"}, {"up_to": "40000", "ratio": "0.5"}]),
)
LIMITED = market_after(the_market(), asset_limits("USDT", borrow_limit="1234.5"))
TIERED = market_after(
    the_market(),
    risk_limits(
        "BTC/USDT",
        tier("10", "1.111", "1.09", "1.05", base_limit="1", quote_limit="10000"),
        tier("5", "1.25", "1.19", "1.15", base_limit="2", quote_limit="60000"),
    ),
)
POOL = (opened(), deposited("10000", "USDT"), transferred("10000", "USDT"))
COIN = (opened(), deposited("1", "BTC"), transferred("1", "BTC"))
BUCKET = (opened(), deposited("10000", "USDT"), mode_set("isolated"), margin_added("10000", "USDT"))


def margin_in(account: Account, wallet: str, market: Market) -> Margin:
    prices = {pair.partition("/")[0]: market.prices[pair].price for pair in PRICES}
    leverage = leverage_of(account, wallet, market)
    return margin_of(account.wallets.wallet(wallet), {"USDT": Decimal(1), **prices}, market, leverage)


def accepts(market: Market, account: Account, asked: Asked) -> bool:
    try:
        return bool(when(market, account, **asked))
    except Refusal:
        return False


BORROWS: list[tuple[Market, tuple[Happened, ...], str, str, str]] = [
    (MARKET, POOL, "cross", "USDT", "20000"),
    # (C - IR D) / (IR - c): 10,000 / 0.5 at 50,000.
    (MARKET, POOL, "cross", "BTC", "0.4"),
    (MARKET, (*POOL, leverage_set("5", "cross")), "cross", "ETH", "20"),
    # C = 15,000, D = 5,000: (15,000 - 7,500) / 0.5.
    (MARKET, (*POOL, borrowed("5000", "USDT")), "cross", "USDT", "15000"),
    # 10,000 / (1.5 - 0.8) at 50,000, rounded down.
    (HALF, POOL, "cross", "BTC", "0.28571428"),
    (HALF, COIN, "cross", "USDT", "80000"),
    # 30,000 and half of 10,000 count: 35,000 / 0.5. Another bitcoin counts nothing: 35,000 / 1.5.
    (BRACKETS, COIN, "cross", "USDT", "70000"),
    (BRACKETS, COIN, "cross", "BTC", "0.46666666"),
    # The borrowed bitcoin itself is worth 30,000 in full, then a half, then nothing: (10,000 + 35,000) / 1.5 / 50,000.
    (BRACKETS, (*POOL, borrowed("0.1", "BTC")), "cross", "BTC", "0.3"),
    (LIMITED, POOL, "cross", "USDT", "1234.5"),
    (LIMITED, (*POOL, borrowed("1000", "USDT")), "cross", "USDT", "234.5"),
    (MARKET, BUCKET, BTC_BUCKET, "USDT", "90090.09009009"),
    (MARKET, BUCKET, BTC_BUCKET, "BTC", "1.8018018"),
    (MARKET, (*BUCKET, leverage_set("1")), BTC_BUCKET, "USDT", "0"),
    (MARKET, (*BUCKET, borrowed("10000", "USDT", BTC_BUCKET)), BTC_BUCKET, "USDT", "80090.09009009"),
    # At the second tier's 1.25; past 60,000 there is no tier.
    (TIERED, BUCKET, BTC_BUCKET, "USDT", "40000"),
    (TIERED, (*BUCKET, deposited("20000", "USDT"), margin_added("20000", "USDT")), BTC_BUCKET, "USDT", "60000"),
    # Between the tiers: 2,000 of its own bear no more than the first tier's 10,000.
    (
        TIERED,
        (opened(), deposited("2000", "USDT"), mode_set("isolated"), margin_added("2000", "USDT")),
        BTC_BUCKET,
        "USDT",
        "10000",
    ),
    (MARKET, (*POOL, borrowed("20000", "USDT")), "cross", "USDT", "0"),
    # Interest counts as debt: (30,000 - 1.5 x 20,300) is below zero.
    (MARKET, (*POOL, borrowed("10000", "USDT"), accrued(line("300", "USDT", "10000", "1"))), "cross", "USDT", "9100"),
]


@pytest.mark.parametrize(("market", "past", "wallet", "asset", "limit"), BORROWS)
def test_the_largest_loan_is_accepted_and_one_unit_more_is_not(
    market: Market, past: tuple[Happened, ...], wallet: str, asset: str, limit: str
) -> None:
    account = given(*past)
    left = borrow_limit_left(account, market, asset)
    assert max_borrow(margin_in(account, wallet, market), asset, 8, left) == Decimal(limit)
    assert Decimal(limit) == 0 or accepts(market, account, borrow(limit, asset, wallet))
    assert not accepts(market, account, borrow(f"{Decimal(limit) + UNIT:f}", asset, wallet))


TRANSFERS: list[tuple[Market, tuple[Happened, ...], str, str, str]] = [
    (MARKET, POOL, "cross", "USDT", "10000"),
    (
        MARKET,
        (opened(), deposited("14850", "USDT"), transferred("14850", "USDT"), borrowed("5150", "USDT")),
        "cross",
        "USDT",
        "9700",
    ),
    (
        MARKET,
        (opened(), deposited("2850", "USDT"), transferred("2850", "USDT"), borrowed("5150", "USDT")),
        "cross",
        "USDT",
        "0",
    ),
    # C = 40,000 + 10,000, D = 10,000: (50,000 - 20,000) / 0.8 at 50,000.
    (HALF, (*COIN, borrowed("10000", "USDT")), "cross", "BTC", "0.75"),
    # (50,000 - 20,000) / 1, but 10,000 only are free.
    (HALF, (*COIN, borrowed("10000", "USDT")), "cross", "USDT", "10000"),
    # What counts nothing may all leave, and then what counts a half: C = 35,000 + 10,000, T D = 20,000.
    (BRACKETS, (*COIN, borrowed("10000", "USDT")), "cross", "BTC", "0.8"),
    (MARKET, (*POOL, held("4000", "USDT", wallet="cross")), "cross", "USDT", "6000"),
    (MARKET, (*BUCKET, borrowed("4000", "USDT", BTC_BUCKET)), BTC_BUCKET, "USDT", "6000"),
    # 14,000 + 0.1 BTC of 5,000 less 2 x (4,000 + 5,000).
    (
        MARKET,
        (*BUCKET, borrowed("4000", "USDT", BTC_BUCKET), borrowed("0.1", "BTC", BTC_BUCKET)),
        BTC_BUCKET,
        "USDT",
        "1000",
    ),
    (MARKET, (*BUCKET, borrowed("30000", "USDT", BTC_BUCKET)), BTC_BUCKET, "USDT", "0"),
]


@pytest.mark.parametrize(("market", "past", "wallet", "asset", "limit"), TRANSFERS)
def test_the_largest_transfer_out_is_accepted_and_one_unit_more_is_not(
    market: Market, past: tuple[Happened, ...], wallet: str, asset: str, limit: str
) -> None:
    account = given(*past)
    assert max_transfer_out(margin_in(account, wallet, market), asset, 8) == Decimal(limit)
    assert Decimal(limit) == 0 or accepts(market, account, transfer(limit, asset, wallet, "spot"))
    assert not accepts(market, account, transfer(f"{Decimal(limit) + UNIT:f}", asset, wallet, "spot"))


# Liquidation prices


def short_bucket() -> Account:
    """0.1 BTC owed, 6,000 USDT held."""
    past = (opened(), deposited("1000", "USDT"), mode_set("isolated"), margin_added("1000", "USDT"))
    return given(*past, borrowed("0.1", "BTC", BTC_BUCKET), traded("sell", "0.1", "50000", wallet=BTC_BUCKET))


def long_bucket(own: str = "10000") -> Account:
    """1 BTC bought at 50,000, what it cost beyond its own borrowed."""
    past = (opened(), deposited(own, "USDT"), mode_set("isolated"), margin_added(own, "USDT"))
    loan = f"{50000 - Decimal(own):f}"
    return given(*past, borrowed(loan, "USDT", BTC_BUCKET), traded("buy", "1", "50000", wallet=BTC_BUCKET))


def test_a_shorts_liquidation_price_is_rounded_down() -> None:
    assert liquidation_price(margin_in(short_bucket(), BTC_BUCKET, MARKET), 2) == Decimal("57142.85")


@pytest.mark.parametrize(("own", "price"), [("10000", "42000"), ("9999.99", "42000.02")])
def test_a_longs_liquidation_price_is_rounded_up(own: str, price: str) -> None:
    assert liquidation_price(margin_in(long_bucket(own), BTC_BUCKET, MARKET), 2) == Decimal(price)


def test_beyond_its_liquidation_price_a_bucket_is_liquidated_and_before_it_is_not() -> None:
    for account, safe, beyond in ((short_bucket(), "57142.85", "57142.86"), (long_bucket(), "42000.01", "42000")):
        assert margin_in(account, BTC_BUCKET, the_market(BTC=safe)).band is Band.MARGIN_CALL
        assert margin_in(account, BTC_BUCKET, the_market(BTC=beyond)).band is Band.LIQUIDATION


@pytest.mark.parametrize(
    "past",
    [
        BUCKET,
        (*BUCKET, borrowed("9000", "USDT", BTC_BUCKET)),
        (*BUCKET, borrowed("0.1", "BTC", BTC_BUCKET), deposited("5", "BTC"), margin_added("5", "BTC")),
    ],
)
def test_there_is_no_liquidation_price_that_is_not_positive(past: tuple[Happened, ...]) -> None:
    assert liquidation_price(margin_in(given(*past), BTC_BUCKET, MARKET), 2) is None


def test_a_reference_price_in_the_pool_keeps_the_other_prices() -> None:
    # 5,000 + 4,000 of others against 0.1 BTC owed, LR 1.1: 9,000 / 0.11 = 81,818.1818...
    past = (
        opened(),
        deposited("5000", "USDT"),
        transferred("5000", "USDT"),
        deposited("2", "ETH"),
        transferred("2", "ETH"),
    )
    account = given(*past, borrowed("0.1", "BTC"), deposited("0", "BTC"), traded("sell", "0.1", "0"))
    margin = margin_in(account, "cross", MARKET)
    assert reference_liquidation_price(margin, "BTC", 2) == Decimal("81818.18")
    # Ether: (1.1 x 5,000 - 5,000) / 2 = 250.
    assert reference_liquidation_price(margin, "ETH", 2) == Decimal(250)


def test_a_reference_price_that_is_not_positive_is_none() -> None:
    assert reference_liquidation_price(margin_in(given(*COIN), "cross", MARKET), "BTC", 2) is None
