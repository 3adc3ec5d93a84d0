"""Positions: average entry, realised profit before fees, cut to what is there after every event of their wallet."""

from decimal import Decimal

import pytest

from ledger.account import Account, is_position_open
from ledger.positions import Position
from tests.ledger.asking import add_margin, liquidate, repay, transfer
from tests.ledger.given import Happened, after, given, given_market
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    asset_listed,
    borrowed,
    deposited,
    line,
    margin_added,
    mode_set,
    opened,
    pair_listed,
    risk_limits,
    the_market,
    tier,
    traded,
    transferred,
)

MARKET = the_market()
POOL = (opened(), deposited("200000", "USDT"), transferred("200000", "USDT"))


def position(account: Account, wallet: str = "cross", pair: str = "BTC/USDT") -> tuple[str, str, str]:
    """Quantity, cost and realised profit, written plainly."""
    there = account.wallets.wallet(wallet).positions.get(pair, Position())
    return tuple(f"{Decimal(value).normalize():f}" for value in there)  # type: ignore[return-value]


LONG = (*POOL, traded("buy", "1", "50000"), traded("buy", "1", "60000"))
SHORT = (*POOL, borrowed("1", "BTC"), traded("sell", "1", "50000"))


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        (LONG, ("2", "110000", "0")),
        # Half a bitcoin of an average entry of 55,000 sold at 70,000.
        ((*LONG, traded("sell", "0.5", "70000")), ("1.5", "82500", "7500")),
        ((*LONG, traded("sell", "2", "50000")), ("0", "0", "-10000")),
        (SHORT, ("-1", "-50000", "0")),
        ((*SHORT, traded("buy", "0.4", "40000")), ("-0.6", "-30000", "4000")),
        ((*SHORT, traded("buy", "1", "55000")), ("0", "0", "-5000")),
        # From long 2 to short 1: all of the long closes, the rest opens at the trade's price.
        ((*LONG, borrowed("1", "BTC"), traded("sell", "3", "60000")), ("-1", "-60000", "10000")),
        # From short 1 to long 0.5.
        ((*SHORT, traded("buy", "1.5", "40000")), ("0.5", "20000", "10000")),
    ],
)
def test_entry_and_profit(past: tuple[Happened, ...], expected: tuple[str, str, str]) -> None:
    account = given(*past)
    if expected[0] == "0.5":
        # It holds 1.5 bitcoin and owes 1: the position is what is held less what is owed.
        assert account.wallets.cross.balance("BTC").net == Decimal("0.5")
    assert position(account) == expected


def test_the_quantity_is_net_of_a_fee_taken_in_the_base() -> None:
    account = given(*POOL, traded("buy", "1", "50000", fee="0.001", fee_asset="BTC"))
    assert position(account) == ("0.999", "49950", "0")


def test_profit_is_before_a_fee_taken_in_the_quote() -> None:
    account = given(*POOL, traded("buy", "1", "50000", fee="10"), traded("sell", "1", "51000", fee="10"))
    assert position(account) == ("0", "0", "1000")


def test_spot_trades_make_no_position() -> None:
    account = given(opened(), deposited("50000", "USDT"), traded("buy", "1", "50000", wallet="spot"))
    assert account.wallets.spot.positions == {}


def test_a_long_is_cut_to_base_held_less_base_owed() -> None:
    account = after(MARKET, given(*POOL, traded("buy", "1", "50000")), **transfer("0.4", "BTC", "cross", "spot"))
    assert position(account) == ("0.6", "30000", "0")


def test_a_short_is_cut_to_base_owed_less_base_held() -> None:
    account = given(*SHORT, deposited("0.3", "BTC"))
    assert position(after(MARKET, account, **transfer("0.3", "BTC"))) == ("-0.7", "-35000", "0")


def test_base_that_comes_otherwise_does_not_enlarge_a_position() -> None:
    account = given(*POOL, traded("buy", "1", "50000"), deposited("1", "BTC"))
    assert position(after(MARKET, account, **transfer("1", "BTC"))) == ("1", "50000", "0")


def test_repaying_from_what_was_bought_does_not_cut_a_position() -> None:
    account = given(*POOL, borrowed("1", "BTC"), traded("sell", "1", "50000"), traded("buy", "0.4", "40000"))
    assert position(after(MARKET, account, **repay("0.4", "BTC"))) == ("-0.6", "-30000", "4000")


def test_interest_in_the_base_cuts_a_long() -> None:
    account = given(*POOL, traded("buy", "1", "50000"), borrowed("1", "BTC"), accrued(line("0.1", "BTC", "1", "2.4")))
    assert position(account) == ("0.9", "45000", "0")


def test_what_is_cut_may_be_any_part_of_the_cost() -> None:
    account = given(*POOL, traded("buy", "3", "10"), deposited("1", "SOL"))
    later = after(MARKET, account, **transfer("1", "BTC", "cross", "spot"))
    assert position(later) == ("2", "20", "0")


def test_a_position_per_pair_and_wallet() -> None:
    account = given(
        *POOL,
        deposited("1000", "USDT"),
        mode_set("isolated"),
        margin_added("1000", "USDT"),
        traded("buy", "1", "2000", pair="ETH/USDT"),
        traded("buy", "0.01", "50000", wallet=BTC_BUCKET),
    )
    assert position(account, "cross", "ETH/USDT") == ("1", "2000", "0")
    assert position(account, BTC_BUCKET) == ("0.01", "500", "0")
    assert position(account) == ("0", "0", "0")


def test_adding_the_shorted_base_as_margin_closes_at_the_entry_price() -> None:
    past = (
        opened(),
        deposited("9000", "USDT"),
        deposited("0.1", "BTC"),
        mode_set("isolated"),
        margin_added("9000", "USDT"),
    )
    account = given(*past, borrowed("0.1", "BTC", BTC_BUCKET), traded("sell", "0.1", "50000", wallet=BTC_BUCKET))
    later = after(MARKET, account, **add_margin("0.04", "BTC"))
    assert position(later, BTC_BUCKET) == ("-0.06", "-3000", "0")


# What a liquidation takes or buys back closes at its price


def test_what_a_liquidation_takes_closes_at_its_price_with_its_loss() -> None:
    # 1 BTC bought at 50,000 on 10,000 of its own; at 41,500 the level of 41,500 / 40,000 is below 1.05.
    account = given(
        opened(),
        deposited("10000", "USDT"),
        mode_set("isolated"),
        margin_added("10000", "USDT"),
        borrowed("40000", "USDT", BTC_BUCKET),
        traded("buy", "1", "50000", wallet=BTC_BUCKET),
    )
    later = after(the_market(BTC="41500"), account, **liquidate(BTC_BUCKET))
    # 40,000 / 41,500 rounded up is 0.96385543, the fee of 800 is 0.01927711: both close 8,500 below the entry.
    assert position(later, BTC_BUCKET) == ("0.01686746", "843.373", "-8356.62659")


def test_what_a_liquidation_buys_back_closes_at_its_price() -> None:
    account = given(
        opened(),
        deposited("1000", "USDT"),
        mode_set("isolated"),
        margin_added("1000", "USDT"),
        borrowed("0.1", "BTC", BTC_BUCKET),
        traded("sell", "0.1", "50000", wallet=BTC_BUCKET),
    )
    later = after(the_market(BTC="57200"), account, **liquidate(BTC_BUCKET))
    assert position(later, BTC_BUCKET) == ("0", "0", "-720")


def test_a_position_is_open_above_dust_at_the_price_last_marked() -> None:
    account = given(*POOL, traded("buy", "0.00002", "50000"))
    assert not is_position_open(account.wallets.cross, "BTC/USDT", MARKET)
    assert is_position_open(account.wallets.cross, "BTC/USDT", the_market(BTC="50000.01"))


def test_dust_is_set_by_risk_limits() -> None:
    market = given_market(asset_listed("USDT"), asset_listed("BTC"), pair_listed("BTC/USDT", "10"))
    assert market.limits_of("BTC/USDT").dust == 1
    row = tier("10", "1.111", "1.09", "1.05")
    market = given_market(
        asset_listed("USDT"), asset_listed("BTC"), pair_listed("BTC/USDT", "10"), risk_limits("BTC/USDT", row, dust="7")
    )
    assert market.limits_of("BTC/USDT").dust == 7
