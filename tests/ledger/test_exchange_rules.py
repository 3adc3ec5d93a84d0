"""The exchange's own streams: listings, limits, statuses, risk tiers, rates and the insurance fund."""

from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.errors import (
    AssetExists,
    InsufficientInsurance,
    LeverageNotAllowed,
    Malformed,
    NothingToDo,
    PairExists,
    Refusal,
    TooManyDecimals,
    UnknownAsset,
    UnknownPair,
    VersionMismatch,
)
from ledger.words import EXCHANGE
from tests.ledger.given import Happened, envelope, given_market, happened, market_after, on_exchange
from tests.ledger.happenings import (
    asset_limits,
    asset_listed,
    pair_listed,
    pair_status,
    rate_set,
    risk_limits,
    the_market,
    tier,
)

MARKET = the_market()
NEW_ASSET: dict[str, Any] = {"type": "list_asset", "asset": "DOGE", "scale": 6, "daily_interest_rate": "0.001"}


def expected(new: Happened) -> e.Event:
    """The event that would follow on the exchange's stream."""
    return new(envelope(EXCHANGE, MARKET.version + 1))


def test_an_asset_is_listed_with_full_collateral_unless_told() -> None:
    assert on_exchange(MARKET, **NEW_ASSET) == expected(asset_listed("DOGE", "0.001", scale=6))


def test_an_asset_is_listed_once() -> None:
    with pytest.raises(AssetExists, match="BTC"):
        on_exchange(MARKET, **{**NEW_ASSET, "asset": "BTC"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"asset": "D"},
        {"asset": "doge"},
        {"asset": "DOGEDOGEDOGE1"},
        {"asset": "DO-GE"},
        {"scale": 19},
        {"scale": -1},
        {"scale": "6"},
        {"scale": 6.0},
        {"daily_interest_rate": "-0.001"},
        {"daily_interest_rate": 0.001},
        {"daily_interest_rate": "1e-3"},
        {"borrow_limit": "-1"},
        {"collateral_tiers": []},
        {"collateral_tiers": [{"ratio": "1.1"}]},
        {"collateral_tiers": [{"up_to": "10", "ratio": "0.5"}, {"ratio": "0.6"}]},
        {"collateral_tiers": [{"ratio": "1"}, {"up_to": "5", "ratio": "0.5"}]},
        {"collateral_tiers": [{"up_to": "5", "ratio": "1"}, {"up_to": "5", "ratio": "0.5"}]},
        {"unknown": "1"},
    ],
)
def test_a_listing_that_is_not_well_formed_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        on_exchange(MARKET, **{**NEW_ASSET, **wrong})


@pytest.mark.parametrize("scale", [0, 18])
def test_the_scale_of_an_asset_is_0_to_18(scale: int) -> None:
    assert on_exchange(MARKET, **{**NEW_ASSET, "scale": scale})


def test_limits_of_an_asset_are_set_in_parts() -> None:
    market = given_market(asset_listed("BTC", borrow_limit="5"))
    event = on_exchange(market, type="set_asset_limits", asset="BTC", enabled=["trade"])
    assert isinstance(event, e.AssetLimitsSet)
    assert (event.borrow_limit, event.enabled) == (Decimal(5), ["trade"])
    with pytest.raises(NothingToDo):
        on_exchange(market, type="set_asset_limits", asset="BTC", borrow_limit="5")


def test_limits_of_an_asset_that_is_not_listed_are_not_set() -> None:
    with pytest.raises(UnknownAsset, match="DOGE"):
        on_exchange(MARKET, type="set_asset_limits", asset="DOGE", enabled=[])


def test_a_pair_of_two_listed_assets_is_listed() -> None:
    asked: dict[str, Any] = {"type": "list_pair", "pair": "SOL/BTC", "price_scale": 6, "max_leverage": "4"}
    assert on_exchange(MARKET, **asked) == expected(pair_listed("SOL/BTC", "4", 6))
    with pytest.raises(UnknownAsset, match="DOGE"):
        on_exchange(MARKET, **{**asked, "pair": "DOGE/USDT"})
    with pytest.raises(PairExists):
        on_exchange(MARKET, **{**asked, "pair": "BTC/USDT"})
    with pytest.raises(Malformed):
        on_exchange(MARKET, **{**asked, "pair": "BTC/BTC"})


@pytest.mark.parametrize(
    ("leverage", "refusal"), [("0.5", Malformed), ("3.001", Malformed), ("10.01", LeverageNotAllowed)]
)
def test_the_leverage_of_a_pair_is_within_what_is_known(leverage: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        on_exchange(MARKET, type="list_pair", pair="SOL/BTC", price_scale=6, max_leverage=leverage)


def test_the_status_of_a_pair_is_set() -> None:
    asked: dict[str, Any] = {"type": "set_pair_status", "pair": "BTC/USDT", "status": "halted"}
    assert on_exchange(MARKET, **asked) == expected(pair_status("BTC/USDT", "halted"))
    with pytest.raises(NothingToDo):
        on_exchange(MARKET, **{**asked, "status": "trading"})
    with pytest.raises(UnknownPair):
        on_exchange(MARKET, **{**asked, "pair": "DOGE/USDT"})
    with pytest.raises(Malformed):
        on_exchange(MARKET, **{**asked, "status": "closed"})


# Risk limits


ROW = tier("10", "1.2", "1.1", "1.06", transfer_out="2.5", base_limit="1", quote_limit="1000")
NEXT = tier("5", "1.3", "1.2", "1.1", transfer_out="2.5", base_limit="2", quote_limit="2000")


def test_the_tiers_of_a_pair_are_set() -> None:
    event = on_exchange(MARKET, type="set_risk_limits", scope="BTC/USDT", tiers=[ROW, NEXT])
    assert event == expected(risk_limits("BTC/USDT", ROW, NEXT))


def test_what_is_left_out_stays_as_it_is() -> None:
    event = on_exchange(MARKET, type="set_risk_limits", scope="cross", price_max_age_seconds=5, dust="3")
    assert isinstance(event, e.RiskLimitsSet)
    numbers = [event.price_max_age_seconds, event.dust, event.liquidation_fee]
    assert numbers == [5, Decimal(3), Decimal("0.02")]
    assert [
        (row.max_leverage, row.initial, row.margin_call, row.liquidation, row.transfer_out) for row in event.tiers
    ] == [
        (Decimal(3), Decimal("1.5"), Decimal("1.3"), Decimal("1.1"), Decimal(2)),
        (Decimal(5), Decimal("1.25"), Decimal("1.16"), Decimal("1.1"), Decimal(2)),
    ]


def test_one_row_of_the_cross_pool_is_replaced_by_its_leverage() -> None:
    five = tier("5", "1.3", "1.2", "1.15")
    event = on_exchange(MARKET, type="set_risk_limits", scope="cross", tiers=[five])
    assert isinstance(event, e.RiskLimitsSet)
    assert {str(row.max_leverage): str(row.initial) for row in event.tiers} == {"3": "1.5", "5": "1.3"}


@pytest.mark.parametrize(
    ("scope", "tiers"),
    [
        ("cross", [ROW]),
        ("cross", [tier("4", "1.3", "1.2", "1.1")]),
        ("BTC/USDT", []),
        ("BTC/USDT", [tier("5", "1.1", "1.2", "1.1")]),
        ("BTC/USDT", [tier("5", "1.3", "1.1", "1.2")]),
        ("BTC/USDT", [tier("5", "1.3", "1.2", "1")]),
        ("BTC/USDT", [NEXT, ROW]),
        ("btc/usdt", [ROW]),
        ("spot", [ROW]),
    ],
)
def test_risk_limits_that_do_not_fit_are_refused(scope: str, tiers: list[Any]) -> None:
    with pytest.raises(Malformed):
        on_exchange(MARKET, type="set_risk_limits", scope=scope, tiers=tiers)


def test_risk_limits_of_a_pair_that_is_not_listed_are_not_set() -> None:
    with pytest.raises(UnknownPair):
        on_exchange(MARKET, type="set_risk_limits", scope="DOGE/USDT", dust="2")


def test_risk_limits_that_are_already_so_are_nothing_to_do() -> None:
    with pytest.raises(NothingToDo):
        on_exchange(MARKET, type="set_risk_limits", scope="cross", dust="1")


@pytest.mark.parametrize(
    ("name", "limit", "told"),
    [
        (
            "base_limit",
            "0.599999999999",
            "base_limit 0.599999999999 BTC has 12 decimals, BTC keeps 8; state it with fewer",
        ),
        ("quote_limit", "999.123456789", "quote_limit 999.123456789 USDT has 9 decimals, USDT keeps 8"),
    ],
)
def test_a_limit_of_a_tier_has_at_most_the_decimals_of_its_asset(name: str, limit: str, told: str) -> None:
    with pytest.raises(TooManyDecimals, match=told):
        on_exchange(MARKET, type="set_risk_limits", scope="BTC/USDT", tiers=[{**ROW, name: limit}, NEXT])
    with pytest.raises(TooManyDecimals, match=told):
        on_exchange(
            MARKET, type="set_risk_limits", scope="BTC/USDT", tiers=[{**ROW, name: "0.5"}, {**NEXT, name: limit}]
        )
    coarse = limit[:-4]
    assert on_exchange(MARKET, type="set_risk_limits", scope="BTC/USDT", tiers=[{**ROW, name: f"{coarse}0000"}, NEXT])


def test_finer_limits_of_old_events_still_count_and_stay_where_they_are_left_out() -> None:
    old = {**ROW, "base_limit": "0.599999999999"}
    market = market_after(
        the_market(), risk_limits("BTC/USDT", old), asset_limits("BTC", borrow_limit="0.599999999999")
    )
    assert market.limits_of("BTC/USDT").tiers[0].base_limit == Decimal("0.599999999999")
    event = on_exchange(market, type="set_risk_limits", scope="BTC/USDT", dust="3")
    assert event == risk_limits("BTC/USDT", old, dust="3")(envelope(EXCHANGE, market.version + 1))
    event = on_exchange(market, type="set_asset_limits", asset="BTC", enabled=["trade"])
    assert isinstance(event, e.AssetLimitsSet)
    assert event.borrow_limit == Decimal("0.599999999999")


def test_a_borrow_limit_has_at_most_the_decimals_of_its_asset() -> None:
    with pytest.raises(TooManyDecimals, match=r"borrow_limit 0\.0000001 DOGE has 7 decimals, DOGE keeps 6"):
        on_exchange(MARKET, **NEW_ASSET, borrow_limit="0.0000001")
    with pytest.raises(TooManyDecimals, match=r"borrow_limit 0\.000000001 BTC has 9 decimals, BTC keeps 8"):
        on_exchange(MARKET, type="set_asset_limits", asset="BTC", borrow_limit="0.000000001")
    assert on_exchange(MARKET, type="set_asset_limits", asset="BTC", borrow_limit="0.00000001")


# Rates and the insurance fund


def test_a_rate_is_set_for_an_asset_that_is_listed() -> None:
    asked: dict[str, Any] = {"type": "set_interest_rate", "asset": "BTC", "daily_rate": "0.5"}
    assert on_exchange(MARKET, **asked) == expected(rate_set("BTC", "0.5"))
    with pytest.raises(NothingToDo, match="already is 0 a day"):
        on_exchange(MARKET, **{**asked, "daily_rate": "0"})
    with pytest.raises(UnknownAsset):
        on_exchange(MARKET, **{**asked, "asset": "DOGE"})
    with pytest.raises(Malformed):
        on_exchange(MARKET, **{**asked, "daily_rate": "-0.1"})


def insurance(**funded: str) -> Any:
    changes = [happened(e.InsuranceFunded, asset=asset, amount=amount) for asset, amount in funded.items()]
    return given_market(asset_listed("USDT"), asset_listed("BTC"), *changes)


def test_the_fund_is_funded() -> None:
    event = on_exchange(MARKET, type="fund_insurance", asset="USDT", amount="100")
    assert event == expected(happened(e.InsuranceFunded, asset="USDT", amount="100"))


def test_no_more_is_withdrawn_from_the_fund_than_was_funded() -> None:
    asked: dict[str, Any] = {"type": "withdraw_insurance", "asset": "USDT"}
    assert on_exchange(insurance(USDT="100"), **asked, amount="100")
    with pytest.raises(InsufficientInsurance, match="100"):
        on_exchange(insurance(USDT="100"), **asked, amount="100.00000001")
    with pytest.raises(InsufficientInsurance):
        on_exchange(insurance(BTC="100"), **asked, amount="1")


def test_what_was_withdrawn_is_not_withdrawn_again() -> None:
    market = given_market(
        asset_listed("USDT"),
        happened(e.InsuranceFunded, asset="USDT", amount="100"),
        happened(e.InsuranceWithdrawn, asset="USDT", amount="60"),
    )
    with pytest.raises(InsufficientInsurance, match="40"):
        on_exchange(market, type="withdraw_insurance", asset="USDT", amount="41")


def test_the_fund_keeps_the_scale_of_its_assets() -> None:
    with pytest.raises(TooManyDecimals):
        on_exchange(MARKET, type="fund_insurance", asset="USDT", amount="0.000000001")


def test_a_command_may_expect_the_exchanges_version() -> None:
    asked: dict[str, Any] = {"type": "fund_insurance", "asset": "USDT", "amount": "1"}
    assert on_exchange(MARKET, **asked, expected_version=MARKET.version)
    with pytest.raises(VersionMismatch, match=str(MARKET.version)):
        on_exchange(MARKET, **asked, expected_version=MARKET.version - 1)


def test_an_assets_limits_hold_from_then_on() -> None:
    market = given_market(asset_listed("BTC"), asset_limits("BTC", enabled=("trade",), borrow_limit="3"))
    assert market.asset("BTC").enabled == {"trade"}
    assert market.asset("BTC").borrow_limit == 3
