"""Levels and bands: a bound belongs to the worse band, and the worst band that applies holds."""

from decimal import Decimal

import pytest

from ledger.margin import Margin, margin_of, show_level
from ledger.market import Market
from ledger.wallets import Balance, Wallet
from ledger.words import Band
from tests.ledger.given import given_market, market_after
from tests.ledger.happenings import (
    BTC_BUCKET,
    PRICES,
    asset_limits,
    asset_listed,
    pair_listed,
    risk_limits,
    the_market,
    tier,
)

MARKET = the_market()


def margin(
    name: str,
    held: dict[str, str],
    owed: dict[str, str],
    leverage: str,
    market: Market = MARKET,
    interest: dict[str, str] | None = None,
) -> Margin:
    """A margin wallet that holds and owes so much, at the prices of these tests."""
    balances = {
        asset: Balance(
            Decimal(held.get(asset, "0")),
            Decimal(0),
            Decimal(owed.get(asset, "0")),
            Decimal((interest or {}).get(asset, "0")),
        )
        for asset in {**held, **owed}
    }
    prices = {pair.partition("/")[0]: Decimal(price) for pair, price in PRICES.items()}
    return margin_of(Wallet(name, balances), {"USDT": Decimal(1), **prices}, market, Decimal(leverage))


def pool(assets: str, debt: str, leverage: str = "3") -> Margin:
    return margin("cross", {"USDT": assets}, {"USDT": debt}, leverage)


def bucket(assets: str, debt: str, leverage: str = "10", market: Market = MARKET, pair: str = "BTC/USDT") -> Margin:
    return margin(f"isolated:{pair}", {"USDT": assets}, {"USDT": debt}, leverage, market)


@pytest.mark.parametrize(
    ("assets", "debt", "shown"), [("8000", "5150", "1.55339805"), ("20000", "5150", "3.88349514"), ("20000", "0", None)]
)
def test_a_level_is_assets_by_debt_shown_rounded_down(assets: str, debt: str, shown: str | None) -> None:
    assert show_level(pool(assets, debt).valuation.level) == shown


def test_assets_are_free_and_locked_and_debt_is_principal_and_interest() -> None:
    locked = Wallet("cross", {"USDT": Balance(Decimal(1), Decimal(2), Decimal(3), Decimal(4))})
    valuation = margin_of(locked, {"USDT": Decimal(1)}, MARKET, Decimal(3)).valuation
    assert (valuation.assets, valuation.debt, valuation.equity) == (Decimal(3), Decimal(7), Decimal(-4))


def test_values_are_sums_over_assets_at_mark_prices() -> None:
    valuation = margin("cross", {"BTC": "0.1", "ETH": "2"}, {"SOL": "30"}, "3", interest={"SOL": "1"}).valuation
    assert (valuation.assets, valuation.debt) == (Decimal(9000), Decimal(3100))


def test_a_bucket_quoted_in_another_asset_is_valued_by_both_prices() -> None:
    valuation = margin("isolated:ETH/BTC", {"ETH": "10"}, {"BTC": "0.25"}, "3").valuation
    assert show_level(valuation.level) == "1.60000000"


CROSS_BANDS = [
    ("3", "2.00000001", Band.NORMAL),
    ("3", "2", Band.TRANSFER_BLOCKED),
    ("3", "1.50000001", Band.TRANSFER_BLOCKED),
    ("3", "1.5", Band.BORROW_BLOCKED),
    ("3", "1.30000001", Band.BORROW_BLOCKED),
    ("3", "1.3", Band.MARGIN_CALL),
    ("3", "1.10000001", Band.MARGIN_CALL),
    ("3", "1.1", Band.LIQUIDATION),
    ("3", "0", Band.LIQUIDATION),
    ("5", "1.25000001", Band.TRANSFER_BLOCKED),
    ("5", "1.25", Band.BORROW_BLOCKED),
    ("5", "1.16000001", Band.BORROW_BLOCKED),
    ("5", "1.16", Band.MARGIN_CALL),
    ("5", "1.1", Band.LIQUIDATION),
]


@pytest.mark.parametrize(("leverage", "level", "band"), CROSS_BANDS)
def test_bands_of_the_cross_pool(leverage: str, level: str, band: Band) -> None:
    assert pool(level, "1", leverage).band is band


def test_without_debt_a_wallet_is_normal() -> None:
    assert pool("0", "0").band is Band.NORMAL
    assert bucket("0", "0").band is Band.NORMAL


BUCKET_BANDS = [
    ("BTC/USDT", "10", "2.00000001", Band.NORMAL),
    ("BTC/USDT", "10", "2", Band.TRANSFER_BLOCKED),
    ("BTC/USDT", "10", "1.11100001", Band.TRANSFER_BLOCKED),
    ("BTC/USDT", "10", "1.111", Band.BORROW_BLOCKED),
    ("BTC/USDT", "10", "1.09", Band.MARGIN_CALL),
    ("BTC/USDT", "10", "1.05000001", Band.MARGIN_CALL),
    ("BTC/USDT", "10", "1.05", Band.LIQUIDATION),
    ("ETH/USDT", "5", "1.25", Band.BORROW_BLOCKED),
    ("ETH/USDT", "5", "1.19", Band.MARGIN_CALL),
    ("ETH/USDT", "5", "1.15", Band.LIQUIDATION),
    ("SOL/USDT", "3", "1.5", Band.BORROW_BLOCKED),
    ("SOL/USDT", "3", "1.22", Band.MARGIN_CALL),
    ("SOL/USDT", "3", "1.18", Band.LIQUIDATION),
    # At a lower leverage only the initial ratio differs: 3 / 2, and 4 / 3.
    ("BTC/USDT", "3", "1.5", Band.BORROW_BLOCKED),
    ("BTC/USDT", "3", "1.50000001", Band.TRANSFER_BLOCKED),
    ("BTC/USDT", "3", "1.09", Band.MARGIN_CALL),
    ("ETH/USDT", "4", "1.33333333", Band.BORROW_BLOCKED),
    ("ETH/USDT", "4", "1.33333334", Band.TRANSFER_BLOCKED),
    # At 1 nothing can be borrowed, at 1.5 the initial ratio is 3; the transfer-out line comes first all the same.
    ("BTC/USDT", "1", "99", Band.NORMAL),
    ("BTC/USDT", "1.5", "2.5", Band.NORMAL),
]


@pytest.mark.parametrize(("pair", "leverage", "level", "band"), BUCKET_BANDS)
def test_bands_of_a_bucket(pair: str, leverage: str, level: str, band: Band) -> None:
    assert bucket(level, "1", leverage, pair=pair).band is band


@pytest.mark.parametrize(
    ("listed", "liquidation"),
    [("10", "1.05"), ("6", "1.05"), ("5", "1.15"), ("3.01", "1.15"), ("3", "1.18"), ("1.5", "1.18")],
)
def test_a_pair_has_the_row_with_the_nearest_leverage_not_below_its_own(listed: str, liquidation: str) -> None:
    market = given_market(asset_listed("USDT"), asset_listed("BTC"), pair_listed("BTC/USDT", listed))
    assert bucket("1", "1", listed, market).lines.liquidation == Decimal(liquidation)


# Collateral


def collateral(*tiers: dict[str, str]) -> Market:
    return market_after(the_market(), asset_limits("BTC", collateral_tiers=list(tiers)))


@pytest.mark.parametrize(
    ("quantity", "counted"),
    [("0.2", "9500"), ("0.20000002", "9500.0008"), ("0.6", "25500"), ("0.7", "25500"), ("0.1", "4750")],
)
def test_collateral_is_tiered_like_tax_brackets_and_past_the_last_counts_nothing(quantity: str, counted: str) -> None:
    market = collateral({"up_to": "10000", "ratio": "0.95"}, {"up_to": "30000", "ratio": "0.8"})
    valuation = margin("cross", {"BTC": quantity}, {"USDT": "1"}, "3", market).valuation
    assert valuation.collateral == Decimal(counted)
    assert valuation.assets == Decimal(quantity) * 50000


def test_the_collateral_level_decides_on_transfers_and_loans_and_the_level_on_calls() -> None:
    market = collateral({"ratio": "0.5"})
    # ML 3 and CML 1.5.
    assert margin("cross", {"BTC": "0.06"}, {"USDT": "1000"}, "3", market).band is Band.BORROW_BLOCKED
    # ML 1.4 and CML 0.7: no call yet.
    assert margin("cross", {"BTC": "0.028"}, {"USDT": "1000"}, "3", market).band is Band.BORROW_BLOCKED
    assert margin("cross", {"BTC": "0.026"}, {"USDT": "1000"}, "3", market).band is Band.MARGIN_CALL
    assert margin("cross", {"BTC": "0.022"}, {"USDT": "1000"}, "3", market).band is Band.LIQUIDATION


def test_in_a_bucket_all_collateral_counts_in_full() -> None:
    market = collateral({"ratio": "0.5"})
    assert margin(BTC_BUCKET, {"BTC": "0.05"}, {"USDT": "1000"}, "10", market).band is Band.NORMAL


# Tiers of a bucket


TIERED = market_after(
    the_market(),
    risk_limits(
        "BTC/USDT",
        tier("10", "1.111", "1.09", "1.05", base_limit="1", quote_limit="1000"),
        tier("5", "1.25", "1.19", "1.15", base_limit="2", quote_limit="5000"),
        tier("3", "1.5", "1.22", "1.18", base_limit="3", quote_limit="9000"),
    ),
)


@pytest.mark.parametrize(
    ("owed", "number", "liquidation"),
    [
        ({"USDT": "1000"}, 1, "1.05"),
        ({"USDT": "1000.00000001"}, 2, "1.15"),
        ({"USDT": "5000.1"}, 3, "1.18"),
        ({"BTC": "1"}, 1, "1.05"),
        ({"BTC": "1.5"}, 2, "1.15"),
        ({"BTC": "2.5", "USDT": "1"}, 3, "1.18"),
        ({"BTC": "0.5", "USDT": "4000"}, 2, "1.15"),
        ({}, 1, "1.05"),
    ],
)
def test_a_tier_follows_what_the_bucket_has_borrowed_and_the_higher_one_holds(
    owed: dict[str, str], number: int, liquidation: str
) -> None:
    lines = margin(BTC_BUCKET, {"USDT": "99999"}, owed, "10", TIERED).lines
    assert (lines.tier, lines.liquidation) == (number, Decimal(liquidation))


def test_interest_does_not_move_the_tier() -> None:
    lines = margin(BTC_BUCKET, {"USDT": "9"}, {"USDT": "1000"}, "10", TIERED, interest={"USDT": "50"}).lines
    assert lines.tier == 1


@pytest.mark.parametrize(
    ("leverage", "owed", "initial"),
    [
        ("10", "1000", "1.111"),
        ("10", "2000", "1.25"),
        ("5", "2000", "1.25"),
        ("5", "1000", "1.25"),
        ("3", "9000", "1.5"),
    ],
)
def test_the_tiers_own_initial_ratio_holds_at_its_leverage_and_an_exact_one_below(
    leverage: str, owed: str, initial: str
) -> None:
    ratio = margin(BTC_BUCKET, {"USDT": "9"}, {"USDT": owed}, leverage, TIERED).lines.initial
    assert ratio.numerator == Decimal(initial) * ratio.denominator


def test_the_cross_pool_has_no_tier() -> None:
    assert pool("2", "1").lines.tier is None
