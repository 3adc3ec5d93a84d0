"""A bucket closed out by a matching engine: what its fills may do, and what completing it charges."""

from decimal import Decimal

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import InsufficientFunds, LiquidationMismatch, LiquidationRunning, UnknownLiquidation
from ledger.market import Market
from tests.ledger.asking import fill, liquidate
from tests.ledger.given import after, balance, decided, given, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    borrowed,
    deposited,
    margin_added,
    mode_set,
    opened,
    the_market,
    traded,
)

LONG = (
    opened(),
    deposited("10000", "USDT"),
    mode_set("isolated"),
    margin_added("10000", "USDT"),
    borrowed("40000", "USDT", BTC_BUCKET),
    traded("buy", "1", "50000", wallet=BTC_BUCKET),
)


def external(market: Market) -> Account:
    """The account while its bucket waits for the fills of a matching engine; its liquidation is alice.7."""
    return after(market, given(*LONG), **liquidate(BTC_BUCKET, "external"))


def test_a_fill_of_a_liquidation_never_borrows() -> None:
    market = the_market(BTC="41500")
    asked = fill("buy", "0.1", "41500", liquidation_id="alice.7", auto_borrow=True)
    with pytest.raises(InsufficientFunds):
        when(market, external(market), **asked)


def test_a_fill_of_a_liquidation_needs_no_band_and_repays_if_it_says_so() -> None:
    market = the_market(BTC="30000")
    asked = fill("sell", "0.5", "30000", liquidation_id="alice.7", auto_repay=True)
    assert topics(when(market, external(market), **asked)) == ["trade.booked", "loan.repaid"]


def test_the_house_closes_out_what_the_fills_left_and_charges_both_parts() -> None:
    market = the_market(BTC="41500")
    sold = after(market, external(market), **fill("sell", "0.5", "41500", liquidation_id="alice.7", auto_repay=True))
    events, accounts = decided(market, sold, type="complete_liquidation", liquidation_id="alice.7")
    assert topics(events) == ["liquidation.filled", "liquidation.completed"]
    end = events[-1]
    assert isinstance(end, e.LiquidationCompleted)
    # 20,750 by the fill and 19,250 by the house: 2 % of 40,000.
    assert (end.repaid_value, end.fee_value) == (Decimal(40000), Decimal(800))
    # 0.5 less 19,250 / 41,500 = 0.463855421... and less 800 / 41,500 = 0.019277108..., each rounded up.
    assert balance(accounts["alice"], BTC_BUCKET, "BTC") == {"free": "0.01686746"}


def test_what_the_fills_brought_in_is_not_sold_again_when_it_repays() -> None:
    market = the_market(BTC="41500")
    sums = []
    for repays in (True, False):
        asked = fill("sell", "0.5", "41500", liquidation_id="alice.7", auto_repay=repays)
        events, _ = decided(
            market, after(market, external(market), **asked), type="complete_liquidation", liquidation_id="alice.7"
        )
        end = events[-1]
        assert isinstance(end, e.LiquidationCompleted)
        sums.append((end.sold, end.repaid, end.fee, end.left))
    # 20,750 of the fill and 19,250 / 41,500 of the house, whoever repays with the 20,750.
    assert sums[0] == sums[1]
    assert sums[0][:2] == ({"BTC": Decimal("0.96385543")}, {"USDT": Decimal(40000)})


def test_a_completion_closes_the_position_at_its_own_prices() -> None:
    account = external(the_market(BTC="41500"))
    completed = after(the_market(BTC="40000"), account, type="complete_liquidation", liquidation_id="alice.7")
    position = completed.wallets.wallet(BTC_BUCKET).positions["BTC/USDT"]
    # 1 BTC bought at 50,000 and taken at 40,000, not at the 41,500 at which the liquidation started.
    assert (position.quantity, position.realised_profit) == (Decimal(0), Decimal(-10000))


def test_an_account_does_not_close_while_a_liquidation_runs() -> None:
    market = the_market(BTC="41500")
    fills = fill("sell", "1", "40000", liquidation_id="alice.7", auto_repay=True)
    with pytest.raises(LiquidationRunning, match=r"alice\.7"):
        when(market, after(market, external(market), **fills), type="close_account")


def test_a_fill_names_a_liquidation_that_runs_on_its_wallet() -> None:
    market = the_market(BTC="41500")
    with pytest.raises(UnknownLiquidation):
        when(market, external(market), **fill("sell", "1", "40000", liquidation_id="alice.6"), expected_version=1)
    with pytest.raises(LiquidationMismatch, match="runs on isolated:BTC/USDT"):
        when(market, external(market), **fill("sell", "1", "40000", liquidation_id="alice.7", wallet="spot"))
