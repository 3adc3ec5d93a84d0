"""A liquidation that leaves the wallet going on: back to a target, or down to a lower tier."""

from decimal import Decimal

import pytest

from ledger import events as e
from tests.ledger.asking import borrow, examine, hold
from tests.ledger.given import after, and_then, balance, decided, given, market_after, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    borrowed,
    deposited,
    held,
    line,
    margin_added,
    margin_removed,
    mode_set,
    opened,
    risk_limits,
    the_market,
    tier,
    traded,
    transferred,
)
from tests.ledger.in_trouble import ROWS, TIERS, aiming_at, bucket, end_of, fills, pool, tiered

# Back to a target


def test_only_so_much_is_taken_that_the_level_is_back_at_the_target_after_the_fee() -> None:
    """(1.22 x 40,000 - 44,000) / (1.22 - 1 - 0.02) = 24,000: 12 ether, and 0.24 for the fee of 480."""
    events, accounts = decided(aiming_at("1.22"), pool(), **examine())
    assert topics(events) == ["liquidation.started", "liquidation.filled", "liquidation.completed"]
    assert fills(events) == [("ETH", Decimal(12), "USDT", Decimal(24000), None)]
    end = end_of(events)
    assert (end.fee, end.fee_value, end.repaid_value) == ({"ETH": Decimal("0.24")}, Decimal(480), Decimal(24000))
    assert (end.left, end.owed, end.covered) == ({"ETH": Decimal("9.76")}, {"USDT": Decimal(16000)}, {})
    assert (end.level, end.liquidation_level, end.tier) == ("1.22000000", Decimal("1.1"), None)
    later = accounts["alice"]
    assert (balance(later, "cross", "ETH"), balance(later, "cross", "USDT")) == (
        {"free": "9.76"},
        {"borrowed": "16000"},
    )
    assert balance(later, "spot", "USDT") == {"free": "40000"}


def test_the_start_states_the_target() -> None:
    started = when(aiming_at("1.22"), pool(), **examine())[0]
    assert isinstance(started, e.LiquidationStarted)
    assert (started.target, started.execute_by) == (Decimal("1.22"), None)


def test_the_wallet_goes_on_after_it() -> None:
    market = aiming_at("1.6")
    later = after(market, pool(), **examine())
    assert topics(when(market, later, **borrow("1", "USDT"))) == ["loan.borrowed"]
    assert topics(when(market, later, **hold("1", "ETH", "cross"))) == ["funds.held"]


def test_the_largest_asset_pays_the_largest_debt_and_the_rest_is_left_alone() -> None:
    """Its own USDT pays first; then bitcoin, worth 20,000, for the SOL that are owed, worth 25,000: the largest."""
    past = (opened(), deposited("0.4", "BTC"), deposited("5", "ETH"), deposited("500", "USDT"))
    moved = (transferred("0.4", "BTC"), transferred("5", "ETH"), transferred("500", "USDT"))
    loans = (borrowed("3000", "USDT"), borrowed("250", "SOL"))
    gone = (transferred("3000", "USDT", "cross", "spot"), transferred("250", "SOL", "cross", "spot"))
    events = when(aiming_at("1.12"), given(*past, *moved, *loans, *gone), **examine())
    # (1.12 x 27,500 - 30,000 + 0.02 x 500) / 0.1 = 8,100 after the own 500.
    assert fills(events) == [
        ("USDT", Decimal(500), "USDT", Decimal(500), None),
        ("BTC", Decimal("0.162"), "SOL", Decimal(81), None),
    ]
    assert end_of(events).fee == {"BTC": Decimal("0.00344")}
    assert (end_of(events).owed, end_of(events).level) == ({"USDT": Decimal(2500), "SOL": Decimal(169)}, "1.12000000")


@pytest.mark.parametrize("eth", ["20.4", "20", "15"])
def test_a_target_out_of_reach_closes_out_in_full(eth: str) -> None:
    """At or below 1 + fee, repaying lowers the level: 20.4 ether are 40,800, 1.02 of the debt."""
    with_target, without = (when(market, pool(eth), **examine()) for market in (aiming_at("1.22"), the_market()))
    assert fills(with_target) == fills(without)
    assert end_of(with_target).model_dump() == end_of(without).model_dump()
    assert end_of(with_target).owed is None


def test_just_above_one_and_the_fee_almost_all_is_taken() -> None:
    events = when(aiming_at("1.22"), pool("20.41"), **examine())
    # (48,800 - 40,820) / 0.2 = 39,900.
    assert fills(events) == [("ETH", Decimal("19.95"), "USDT", Decimal(39900), None)]
    assert (end_of(events).owed, end_of(events).level) == ({"USDT": Decimal(100)}, "1.22000000")


def test_a_target_below_one_and_the_fee_closes_out_in_full() -> None:
    events = when(aiming_at("1.12", fee="0.2"), pool(), **examine())
    assert end_of(events).owed is None


def test_positions_are_reduced_by_what_was_taken_and_holds_released() -> None:
    """A long of 1 bitcoin of 44,000 with 40,000 owed: 12 of 22 parts and the fee of it are sold at 44,000."""
    past = (opened(), deposited("10000", "USDT"), transferred("10000", "USDT"), borrowed("40000", "USDT"))
    account = and_then(given(*past), traded("buy", "1", "50000"), held("0.9", "BTC", "H1", "cross"))
    market = market_after(the_market(BTC="44000"), risk_limits("cross", *ROWS, liquidation_target="1.22"))
    events, accounts = decided(market, account, **examine())
    later, end = accounts["alice"], end_of(events)
    # 24,000 / 44,000 = 0.545454..., and some steps more for what rounding takes.
    assert Decimal("0.54545455") <= end.sold["BTC"] < Decimal("0.54545465")
    gone = end.sold["BTC"] + end.fee["BTC"]
    position = later.wallets.cross.positions["BTC/USDT"]
    assert (position.quantity, position.realised_profit) == (1 - gone, gone * -6000)
    assert (len(later.holds), later.wallets.cross.balance("BTC").free) == (0, 1 - gone)


# Down the tiers


def test_a_large_bucket_is_repaid_until_it_fits_the_next_lower_tier_and_left_above_its_line() -> None:
    """44,000 / 40,000 is below 1.12; after 10,000 and the fee of 200 it is 33,800 / 30,000, above 1.08."""
    events, accounts = decided(tiered(), bucket("0.88"), **examine(BTC_BUCKET))
    assert fills(events) == [("BTC", Decimal("0.2"), "USDT", Decimal(10000), 2)]
    end = end_of(events)
    assert (end.level, end.liquidation_level, end.tier) == ("1.12666666", Decimal("1.08"), 2)
    assert (end.owed, end.left, end.fee) == (
        {"USDT": Decimal(30000)},
        {"BTC": Decimal("0.676")},
        {"BTC": Decimal("0.004")},
    )
    assert balance(accounts["alice"], "spot", "USDT") == {"free": "40000"}


def test_below_that_line_it_steps_down_further() -> None:
    """42,000: 31,800 / 30,000 is 1.06, below 1.08; 11,400 / 10,000 is above 1.05."""
    events = when(tiered(), bucket("0.84"), **examine(BTC_BUCKET))
    assert fills(events) == [
        ("BTC", Decimal("0.2"), "USDT", Decimal(10000), 2),
        ("BTC", Decimal("0.4"), "USDT", Decimal(20000), 1),
    ]
    assert (end_of(events).level, end_of(events).tier, end_of(events).owed) == (
        "1.14000000",
        1,
        {"USDT": Decimal(10000)},
    )


def test_below_the_lowest_line_it_is_closed_out_in_full() -> None:
    """40,400: 9,800 / 10,000 in the end."""
    events = when(tiered(), bucket("0.808"), **examine(BTC_BUCKET))
    assert fills(events) == [
        ("BTC", Decimal("0.2"), "USDT", Decimal(10000), 2),
        ("BTC", Decimal("0.4"), "USDT", Decimal(20000), 1),
        ("BTC", Decimal("0.2"), "USDT", Decimal(10000), None),
    ]
    end = end_of(events)
    assert (end.owed, end.level, end.tier, end.left) == (None, None, None, {})
    assert end.fee == {"BTC": Decimal("0.008")}, "what is left of the 800"


def test_interest_is_repaid_before_what_is_borrowed_fits() -> None:
    account = and_then(bucket("0.88"), accrued(line("50", "USDT", "40000", "0.03"), wallet=BTC_BUCKET))
    events = when(tiered(), account, **examine(BTC_BUCKET))
    assert fills(events) == [("BTC", Decimal("0.201"), "USDT", Decimal(10050), 2)]
    assert end_of(events).owed == {"USDT": Decimal(30000)}


def test_where_both_assets_are_owed_the_higher_tier_holds_and_each_is_brought_down() -> None:
    """0.4 bitcoin are of the second tier, 40,000 USDT of the third; then both are at the limits of the first."""
    past = (opened(), deposited("1.26", "BTC"), mode_set("isolated"), margin_added("1.26", "BTC"))
    loans = (borrowed("40000", "USDT", BTC_BUCKET), borrowed("0.4", "BTC", BTC_BUCKET))
    gone = (margin_removed("40000", "USDT"), margin_removed("0.4", "BTC"))
    events = when(tiered(), given(*past, *loans, *gone), **examine(BTC_BUCKET))
    # 63,000 / 60,000; 52,800 / 50,000 is 1.056; then 5,000 and 20,000 more: 27,300 / 25,000 is 1.092.
    assert fills(events) == [
        ("BTC", Decimal("0.2"), "USDT", Decimal(10000), 2),
        ("BTC", Decimal("0.1"), "BTC", Decimal("0.1"), 1),
        ("BTC", Decimal("0.4"), "USDT", Decimal(20000), 1),
    ]
    assert (end_of(events).owed, end_of(events).tier) == ({"BTC": Decimal("0.3"), "USDT": Decimal(10000)}, 1)


@pytest.mark.parametrize(
    ("limit", "taken", "credited"),
    [
        ("0.6", "10000", "0.2"),
        ("0.599999999999", "10000.0005", "0.20000001"),
        ("0.59999999", "10000.0005", "0.20000001"),
    ],
)
def test_a_limit_of_an_old_event_that_is_finer_than_its_asset_counts_as_the_amount_below_it(
    limit: str, taken: str, credited: str
) -> None:
    """A short of 0.8 bitcoin at 50,000 with 44,500: what must be repaid is raised to 8 decimals, so it fits."""
    past = (opened(), deposited("44500", "USDT"), mode_set("isolated"), margin_added("44500", "USDT"))
    account = given(*past, borrowed("0.8", "BTC", BTC_BUCKET), margin_removed("0.8", "BTC"))
    second = tier("5", "1.25", "1.15", "1.08", base_limit=limit, quote_limit="30000")
    market = market_after(the_market(), risk_limits("BTC/USDT", TIERS[0], second, TIERS[2]))
    events = when(market, account, **examine(BTC_BUCKET))
    assert fills(events) == [("USDT", Decimal(taken), "BTC", Decimal(credited), 2)]
    assert (end_of(events).owed, end_of(events).tier) == ({"BTC": Decimal("0.8") - Decimal(credited)}, 2)


def test_with_a_target_it_is_left_at_the_target_and_at_no_line() -> None:
    """At 33,800 / 30,000 it would be above its line; 1.22 is reached after (48,800 - 44,000) / 0.2."""
    events = when(tiered(liquidation_target="1.22"), bucket("0.88"), **examine(BTC_BUCKET))
    assert fills(events) == [
        ("BTC", Decimal("0.2"), "USDT", Decimal(10000), 2),
        ("BTC", Decimal("0.28"), "USDT", Decimal(14000), 1),
    ]
    assert (end_of(events).level, end_of(events).tier) == ("1.22000000", 2)
