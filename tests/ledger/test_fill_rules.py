"""Fills: which wallet they book into, what they pay and receive, their fee, and the loans they take and repay."""

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import (
    AssetDisabled,
    AssetMismatch,
    BorrowBlocked,
    InsufficientFunds,
    MarginModeMismatch,
    PairNotTrading,
    PriceStale,
    QuoteAmountMismatch,
    Refusal,
    TooManyDecimals,
    TradeBlocked,
    UnknownPair,
)
from tests.ledger.asking import Asked, fill
from tests.ledger.given import NOON, after, balance, given, given_market, market_after, numbered, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    asset_limits,
    asset_listed,
    borrowed,
    deposited,
    held,
    hours,
    line,
    margin_added,
    mode_set,
    opened,
    pair_listed,
    pair_status,
    repaid,
    the_market,
    traded,
    transferred,
)

MARKET = the_market()
SPOT = (opened(), deposited("10000", "USDT"))
POOL = (*SPOT, transferred("10000", "USDT"))
BUCKET = (*SPOT, mode_set("isolated"), margin_added("10000", "USDT"))


def test_a_spot_fill_swaps_what_is_paid_for_what_is_received() -> None:
    account = given(*SPOT)
    asked = fill("buy", "0.1", "50000", wallet="spot", order_id="O1", liquidity="maker")
    booked = traded("buy", "0.1", "50000", wallet="spot", order_id="O1", liquidity="maker")
    assert when(MARKET, account, **asked) == numbered(account, booked)
    later = after(MARKET, account, **asked)
    assert balance(later, "spot", "USDT") == {"free": "5000"}
    assert balance(later, "spot", "BTC") == {"free": "0.1"}


def test_a_fill_beyond_what_is_free_is_refused() -> None:
    assert when(MARKET, given(*SPOT), **fill("buy", "0.2", "50000", wallet="spot"))
    with pytest.raises(InsufficientFunds, match="10000 USDT"):
        when(MARKET, given(*SPOT), **fill("buy", "0.2", "50000.01", wallet="spot"))


@pytest.mark.parametrize(("past", "wallet"), [(POOL, "cross"), (BUCKET, BTC_BUCKET)])
def test_a_fill_books_into_the_wallet_that_the_pairs_mode_names(past: tuple[object, ...], wallet: str) -> None:
    later = after(MARKET, given(*past), **fill("buy", "0.1", "50000"))  # type: ignore[arg-type]
    assert balance(later, wallet, "BTC") == {"free": "0.1"}


def test_a_fill_that_believes_in_the_pairs_mode_is_booked() -> None:
    assert when(MARKET, given(*BUCKET), **fill("buy", "0.1", "50000", expected_mode="isolated"))
    assert when(MARKET, given(*POOL), **fill("buy", "0.1", "50000", expected_mode="cross"))


@pytest.mark.parametrize(
    ("past", "terms"),
    [
        (BUCKET, {"expected_mode": "cross"}),
        (POOL, {"expected_mode": "isolated"}),
        (POOL, {"wallet": BTC_BUCKET}),
        (BUCKET, {"wallet": "cross"}),
    ],
)
def test_a_fill_that_believes_in_another_mode_is_refused(past: tuple[object, ...], terms: Asked) -> None:
    with pytest.raises(MarginModeMismatch, match="BTC/USDT"):
        when(MARKET, given(*past), **fill("buy", "0.1", "50000", **terms))  # type: ignore[arg-type]


# The quote amount


def test_quantity_times_price_that_fits_the_quotes_scale_needs_no_quote_amount() -> None:
    (event,) = when(MARKET, given(*SPOT), **fill("buy", "0.1234", "4321.01", wallet="spot"))
    assert isinstance(event, e.TradeBooked)
    assert str(event.quote_amount) == "533.212634"


def test_quantity_times_price_beyond_the_quotes_scale_is_refused_unless_stated() -> None:
    market = given_market(asset_listed("USDT", scale=2), asset_listed("BTC"), pair_listed("BTC/USDT", "10"))
    with pytest.raises(QuoteAmountMismatch, match=r"533\.212634"):
        when(market, given(*SPOT), **fill("buy", "0.1234", "4321.01", wallet="spot"))


@pytest.mark.parametrize("stated", ["533.21", "533.22"])
def test_a_stated_quote_amount_within_one_step_is_taken(stated: str) -> None:
    market = given_market(asset_listed("USDT", scale=2), asset_listed("BTC"), pair_listed("BTC/USDT", "10"))
    (event,) = when(market, given(*SPOT), **fill("buy", "0.1234", "4321.01", wallet="spot", quote_amount=stated))
    assert isinstance(event, e.TradeBooked)
    assert str(event.quote_amount) == stated


@pytest.mark.parametrize("stated", ["533.20", "533.23", "1"])
def test_a_stated_quote_amount_further_than_one_step_is_refused(stated: str) -> None:
    market = given_market(asset_listed("USDT", scale=2), asset_listed("BTC"), pair_listed("BTC/USDT", "10"))
    with pytest.raises(QuoteAmountMismatch):
        when(market, given(*SPOT), **fill("buy", "0.1234", "4321.01", wallet="spot", quote_amount=stated))


def test_a_fill_with_more_decimals_than_an_asset_keeps_is_refused() -> None:
    for terms in ({"quantity": "0.000000001"}, {"fee": "0.000000001"}):
        with pytest.raises(TooManyDecimals):
            when(MARKET, given(*SPOT), **{**fill("buy", "0.1", "50000", wallet="spot"), **terms})


def test_a_fill_on_a_pair_that_is_not_listed_is_refused() -> None:
    with pytest.raises(UnknownPair):
        when(MARKET, given(*SPOT), **fill("buy", "1", "1", pair="DOGE/USDT", wallet="spot"))


# The fee


@pytest.mark.parametrize(
    ("fee", "fee_asset", "left"),
    [
        ("0.0001", "BTC", {"USDT": "5000", "BTC": "0.0999", "ETH": "1"}),
        ("5", "USDT", {"USDT": "4995", "BTC": "0.1", "ETH": "1"}),
        ("0.01", "ETH", {"USDT": "5000", "BTC": "0.1", "ETH": "0.99"}),
        ("-0.0001", "BTC", {"USDT": "5000", "BTC": "0.1001", "ETH": "1"}),
        ("0", "USDT", {"USDT": "5000", "BTC": "0.1", "ETH": "1"}),
    ],
)
def test_the_fee_is_taken_in_whichever_asset_the_fill_names(fee: str, fee_asset: str, left: dict[str, str]) -> None:
    account = given(*SPOT, deposited("1", "ETH"))
    later = after(MARKET, account, **fill("buy", "0.1", "50000", wallet="spot", fee=fee, fee_asset=fee_asset))
    assert {asset: balance(later, "spot", asset)["free"] for asset in left} == left


def test_a_fee_of_what_is_received_needs_nothing_else() -> None:
    account = given(opened(), deposited("0.1", "BTC"))
    assert when(MARKET, account, **fill("sell", "0.1", "50000", wallet="spot", fee="5"))


def test_a_fee_that_is_not_covered_is_refused() -> None:
    account = given(opened(), deposited("5000", "USDT"), deposited("1", "ETH"), held("1", "ETH"))
    for terms in ({"fee": "0.00000001"}, {"fee": "0.01", "fee_asset": "ETH"}, {"fee": "0.2", "fee_asset": "BTC"}):
        with pytest.raises(InsufficientFunds):
            when(MARKET, account, **fill("buy", "0.1", "50000", wallet="spot", **terms))


@pytest.mark.parametrize("fee", ["0.01", "-0.01"])
def test_no_other_asset_comes_into_a_bucket_or_out_of_it_by_a_fee(fee: str) -> None:
    account = given(*BUCKET, deposited("1", "ETH"))
    with pytest.raises(AssetMismatch, match="ETH"):
        when(MARKET, account, **fill("buy", "0.1", "50000", fee=fee, fee_asset="ETH"))


# A fill without a hold is checked in full


def test_a_margin_fill_needs_fresh_prices_and_a_spot_fill_none() -> None:
    later = NOON + hours(1)
    with pytest.raises(PriceStale, match="BTC/USDT"):
        when(MARKET, given(*POOL), at=later, **fill("buy", "0.1", "50000"))
    assert when(MARKET, given(*SPOT), at=later, **fill("buy", "0.1", "50000", wallet="spot"))


def test_a_margin_fill_needs_a_level_above_the_liquidation_line() -> None:
    # 15,000 of assets against 0.2 BTC: 1.1 at 68,181.81...
    account = given(*POOL, borrowed("0.2", "BTC"), traded("sell", "0.2", "25000"))
    assert when(the_market(BTC="68181.81"), account, **fill("buy", "0.1", "50000"))
    with pytest.raises(TradeBlocked):
        when(the_market(BTC="68181.82"), account, **fill("buy", "0.1", "50000"))


def test_a_halted_pair_takes_no_fill() -> None:
    market = market_after(the_market(), pair_status("BTC/USDT", "halted"))
    with pytest.raises(PairNotTrading, match="halted"):
        when(market, given(*POOL), **fill("buy", "0.1", "50000"))


def test_a_pair_that_only_reduces_takes_what_closes_a_position_and_nothing_else() -> None:
    market = market_after(the_market(), pair_status("BTC/USDT", "reduce_only"))
    account = given(*POOL, traded("buy", "0.1", "50000"))
    assert when(market, account, **fill("sell", "0.1", "50000"))
    for asked in (fill("buy", "0.01", "50000"), fill("sell", "0.11", "50000", auto_borrow=True)):
        with pytest.raises(PairNotTrading, match="reduce_only"):
            when(market, account, **asked)


@pytest.mark.parametrize("asset", ["BTC", "USDT"])
def test_an_asset_that_is_not_enabled_is_not_traded(asset: str) -> None:
    market = market_after(the_market(), asset_limits(asset, enabled=("transfer", "borrow")))
    with pytest.raises(AssetDisabled, match=asset):
        when(market, given(*SPOT), **fill("buy", "0.1", "50000", wallet="spot"))


# auto_borrow and auto_repay


def without_assessments(events: list[e.Event]) -> list[e.Event]:
    """The same events without what they saw of prices and levels."""
    return [
        event.model_copy(update={"assessment": None}) if hasattr(event, "assessment") else event for event in events
    ]


def test_exactly_the_shortfall_is_borrowed_then_traded() -> None:
    account = given(*POOL)
    events = when(MARKET, account, **fill("buy", "0.4", "50000", fee="20", auto_borrow=True))
    assert without_assessments(events) == numbered(
        account, borrowed("10020", "USDT", automatic=True), traded("buy", "0.4", "50000", fee="20")
    )


def test_a_hold_lessens_what_is_borrowed() -> None:
    account = given(*POOL, held("4000", "USDT", wallet="cross"))
    events = when(MARKET, account, **fill("buy", "0.4", "50000", auto_borrow=True, hold_id="H1"))
    assert [event.amount for event in events if isinstance(event, e.LoanBorrowed)] == [10000]


def test_nothing_is_borrowed_where_nothing_is_short() -> None:
    assert topics(when(MARKET, given(*POOL), **fill("buy", "0.2", "50000", auto_borrow=True))) == ["trade.booked"]


def test_a_fee_in_another_asset_is_not_borrowed() -> None:
    asked = fill("buy", "0.4", "50000", fee="0.01", fee_asset="ETH", auto_borrow=True)
    with pytest.raises(InsufficientFunds, match="ETH"):
        when(MARKET, given(*POOL), **asked)


def test_a_fill_that_borrows_keeps_the_initial_ratio_of_the_loan() -> None:
    # 10,000 of its own bear 20,000 at 3x: the loan is judged before what it buys.
    assert when(MARKET, given(*POOL), **fill("buy", "0.6", "50000", auto_borrow=True))
    with pytest.raises(BorrowBlocked):
        when(MARKET, given(*POOL), **fill("buy", "0.6001", "50000", auto_borrow=True))


def test_a_spot_fill_borrows_nothing() -> None:
    with pytest.raises(Refusal):
        when(MARKET, given(*SPOT), **fill("buy", "0.4", "50000", wallet="spot", auto_borrow=True))


def short() -> Account:
    """A pool that sold 0.2 borrowed BTC and owes 0.00002 of interest on it."""
    cost = accrued(line("0.00002", "BTC", "0.2", "0.0024"))
    return given(*POOL, borrowed("0.2", "BTC"), cost, traded("sell", "0.2", "50000"))


def test_what_is_received_after_the_fee_first_repays_its_own_debt() -> None:
    events = when(MARKET, short(), **fill("buy", "0.1", "50000", fee="0.001", fee_asset="BTC", auto_repay=True))
    assert without_assessments(events) == numbered(
        short(),
        traded("buy", "0.1", "50000", fee="0.001", fee_asset="BTC"),
        repaid("0.00002", "0.09898", "BTC", automatic=True),
    )


def test_no_more_is_repaid_than_is_owed() -> None:
    later = after(MARKET, short(), **fill("buy", "0.3", "50000", auto_repay=True))
    assert balance(later, "cross", "BTC") == {"free": "0.09998"}


def test_without_auto_repay_a_debt_stays() -> None:
    later = after(MARKET, short(), **fill("buy", "0.2", "50000"))
    assert balance(later, "cross", "BTC") == {"free": "0.2", "borrowed": "0.2", "interest": "0.00002"}


def test_a_fill_may_borrow_what_it_pays_and_repay_with_what_it_receives() -> None:
    account = given(opened(), deposited("20000", "USDT"), transferred("20000", "USDT"), borrowed("10000", "USDT"))
    asked = fill("sell", "0.1", "50000", auto_borrow=True, auto_repay=True)
    assert topics(when(MARKET, account, **asked)) == ["loan.borrowed", "trade.booked", "loan.repaid"]
