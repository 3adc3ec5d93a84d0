"""Reversals: the exact opposite of one event, once, where the account can bear it."""

from decimal import Decimal
from typing import cast

import pytest

from ledger import events as e
from ledger.account import evolve
from ledger.errors import (
    AccountClosed,
    AlreadyReversed,
    CorrectionBlocked,
    InsufficientFunds,
    LiquidationRunning,
    MarginModeMismatch,
    NotReversible,
    PriceStale,
    VersionMismatch,
)
from ledger.events import Event
from ledger.postings import opposite, postings
from tests.ledger.correcting import lived, reversal
from tests.ledger.given import NOON, Happened, and_then, balance, happened, market_after, numbered, topics
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    borrowed,
    closed,
    deposited,
    frozen,
    held,
    hours,
    leverage_set,
    line,
    margin_added,
    margin_removed,
    mode_set,
    opened,
    received,
    released,
    repaid,
    sent,
    the_market,
    traded,
    transferred,
    withdrawal_requested,
    withdrawal_settled,
)

MARKET = the_market()
RICH = (opened(), deposited("1000", "USDT"))
POOLED = (*RICH, transferred("1000", "USDT"))
ISOLATED = (*RICH, mode_set("isolated"), margin_added("600", "USDT"))
ADJUSTED = happened(
    e.AdjustmentPosted,
    adjustment_id="A1",
    wallet="spot",
    asset="USDT",
    amount=Decimal(5),
    reason_code="compensation",
    proposed_by="operator:ann",
    proposed_version=3,
)
INTEREST = line("10", "USDT", "500", "0.48")
REVERSIBLE: dict[str, tuple[Happened, ...]] = {
    "deposit": RICH,
    "transfer": POOLED,
    "margin added": ISOLATED,
    "margin removed": (*ISOLATED, margin_removed("100", "USDT")),
    "interest": (*POOLED, borrowed("500", "USDT"), accrued(INTEREST)),
    "repayment": (*POOLED, borrowed("500", "USDT"), accrued(INTEREST), repaid("10", "100", "USDT")),
    "fill in spot": (*RICH, traded("buy", "0.01", "50000", wallet="spot", fee="0.0001", fee_asset="BTC")),
    "fill with a rebate": (*POOLED, traded("buy", "0.01", "50000", fee="-0.5")),
    "adjustment": (*RICH, ADJUSTED),
}


@pytest.mark.parametrize("told", REVERSIBLE.values(), ids=REVERSIBLE)
def test_a_reversal_leaves_every_balance_as_it_was_before_the_event(told: tuple[Happened, ...]) -> None:
    life = lived(*told)
    (event,), accounts = reversal(MARKET, life)
    without = lived(*told[:-1])[0]
    for wallet in life[0].wallets.all():
        for asset in wallet.balances:
            assert balance(accounts["alice"], wallet.name, asset) == balance(without, wallet.name, asset)
    assert postings(event) == opposite(life[1][-1])  # type: ignore[arg-type]


def test_a_reversal_carries_its_lines_and_names_what_it_reverses() -> None:
    life = lived(*RICH)
    told = happened(
        e.EventReversed,
        reversed_version=2,
        reversed_topic="funds.deposited",
        lines=[
            {"house": "external", "asset": "USDT", "amount": "1000"},
            {"wallet": "spot", "asset": "USDT", "amount": "-1000"},
        ],
    )
    events, accounts = reversal(MARKET, life)
    assert events == numbered(life[0], told)
    assert dict(accounts["alice"].reversals) == {"2": 3}


def test_an_event_is_reversed_once() -> None:
    account, events = lived(*RICH)
    (first,), _ = reversal(MARKET, (account, events))
    evolve(account, cast(e.AccountEvent, first))
    with pytest.raises(AlreadyReversed, match=r"version 2 of account alice.*reversed by version 3"):
        reversal(MARKET, (account, events))


def test_the_account_is_at_the_version_that_a_reversal_expects() -> None:
    assert reversal(MARKET, lived(*RICH), expected_version=2)
    with pytest.raises(VersionMismatch):
        reversal(MARKET, lived(*RICH), expected_version=1)


STARTED = happened(
    e.LiquidationStarted,
    liquidation_id="alice.9",
    wallet="cross",
    execution="external",
    level="1",
    liquidation_level=Decimal("1.1"),
    assets=Decimal(1),
    debt=Decimal(1),
    balances={},
    prices={},
    released_holds=[],
    fee_rate=Decimal(0),
)
IRREVERSIBLE: dict[str, tuple[Happened, ...]] = {
    "cancel_withdrawal": (*RICH, withdrawal_requested("5", "USDT")),
    "a deposit": (*RICH, withdrawal_requested("5", "USDT"), withdrawal_settled("5", "USDT")),
    "release_hold": (*RICH, held("5", "USDT")),
    "place_hold": (*RICH, held("5", "USDT"), released("5", "USDT")),
    "repay": (*POOLED, borrowed("5", "USDT")),
    "unfreeze_account": (*RICH, frozen("trade")),
    "set_margin_mode": (*RICH, mode_set("isolated")),
    "set_leverage": (*RICH, leverage_set("5")),
    "propose_adjustment": (*POOLED, STARTED),
    "fill of liquidation alice.9": (*POOLED, STARTED, traded("buy", "0.01", "50000", liquidation_id="alice.9")),
}


@pytest.mark.parametrize(("instead", "told"), IRREVERSIBLE.items(), ids=IRREVERSIBLE)
def test_other_kinds_are_not_reversed_and_told_what_can_be_done(instead: str, told: tuple[Happened, ...]) -> None:
    with pytest.raises(NotReversible, match=instead):
        reversal(MARKET, lived(*told))


def test_a_reversal_is_not_reversed() -> None:
    account, events = lived(*RICH)
    news, _ = reversal(MARKET, (account, events))
    evolve(account, cast(e.AccountEvent, news[0]))
    with pytest.raises(NotReversible, match="anew"):
        reversal(MARKET, (account, news))


def test_a_freeze_stops_no_reversal_and_a_closed_account_takes_none() -> None:
    account, events = lived(*RICH)
    assert reversal(MARKET, (and_then(account, frozen()), events))
    with pytest.raises(AccountClosed):
        reversal(MARKET, (and_then(account, closed()), events))


def test_what_is_no_longer_free_is_not_taken_back() -> None:
    account, events = lived(*RICH)
    with pytest.raises(InsufficientFunds, match=r"has 1 USDT free in spot.* takes 1000"):
        reversal(MARKET, (and_then(account, transferred("999", "USDT")), events))


def test_interest_that_was_repaid_is_not_taken_back() -> None:
    account, events = lived(*POOLED, borrowed("500", "USDT"), accrued(INTEREST))
    with pytest.raises(InsufficientFunds, match=r"owes 1 USDT of interest.* reverse the repayment"):
        reversal(MARKET, (and_then(account, repaid("9", "0", "USDT")), events))


def test_reversed_interest_is_not_charged_again() -> None:
    market, life = the_market(rates=True), lived(*POOLED, borrowed("500", "USDT"), accrued(INTEREST))
    events, accounts = reversal(market, life)
    assert topics(events) == ["event.reversed"]
    assert accounts["alice"].wallets.cross.next_hours == {"USDT": NOON + hours(1)}


def test_a_reversal_charges_the_hours_begun_first() -> None:
    market = the_market(rates=True, at=NOON + hours(2))
    life = lived(*POOLED, borrowed("500", "USDT"), accrued(INTEREST), repaid("10", "100", "USDT"))
    events, _ = reversal(market, life, at=NOON + hours(2))
    assert topics(events) == ["interest.accrued", "event.reversed"]


# 1000 USDT of one's own, and 0.02 BTC at 50,000 on a loan of 1000: assets 2000, debt 1000.
LEVERED = (*POOLED, borrowed("1000", "USDT"), traded("buy", "0.02", "50000"))


def test_a_margin_wallet_stays_above_its_call_line() -> None:
    extra = (deposited("300", "USDT"), transferred("300", "USDT"))
    life = lived(*LEVERED, *extra)
    (event,), _ = reversal(MARKET, life)
    assert isinstance(event, e.EventReversed)
    assert event.assessments is not None
    assert event.assessments["cross"].margin_level_after == "2.00000000"
    # At 15,000 the assets are 1300 and then, without the 300, 1000.
    fallen = the_market(BTC="15000")
    held_up = lived(*LEVERED, *extra, deposited("700", "USDT"), transferred("700", "USDT"))
    assert reversal(fallen, held_up, place=-3)
    with pytest.raises(CorrectionBlocked, match=r"at level 1.60000000.* would leave 1.30000000.* call line 1.3"):
        reversal(fallen, lived(*LEVERED, *extra))


def test_a_wallet_that_only_gains_is_not_judged_and_needs_no_price() -> None:
    late = NOON + hours(1)
    removed = (*ISOLATED, borrowed("500", "USDT", BTC_BUCKET), margin_removed("100", "USDT"))
    assert reversal(MARKET, lived(*removed), at=late)
    added = (*ISOLATED, borrowed("500", "USDT", BTC_BUCKET), traded("buy", "0.01", "50000", wallet=BTC_BUCKET))
    with pytest.raises(PriceStale):
        reversal(MARKET, lived(*added, margin_added("100", "USDT")), at=late)


def test_a_repayment_is_reversed_only_where_the_wallet_can_owe_that_much_again() -> None:
    repaying = (*POOLED, borrowed("1000", "USDT"), repaid("0", "990", "USDT"))
    (event,), _ = reversal(MARKET, lived(*repaying))
    assert _of(event).assessments is not None
    # What was free is gone from the pool: 1012 would be held on a debt of 1000.
    with pytest.raises(CorrectionBlocked, match=r"at level 2.20000000.* would leave 1.01200000.* call line 1.3"):
        reversal(MARKET, lived(*repaying, transferred("988", "USDT", "cross", "spot")), place=-2)
    levered = (*LEVERED, deposited("500", "USDT"), transferred("500", "USDT"), repaid("0", "500", "USDT"))
    with pytest.raises(PriceStale):
        reversal(MARKET, lived(*levered), at=NOON + hours(1))


def test_a_wallet_in_liquidation_takes_no_reversal() -> None:
    account, events = lived(*POOLED)
    with pytest.raises(LiquidationRunning):
        reversal(MARKET, (and_then(account, STARTED), events))


def test_nothing_comes_into_a_wallet_against_the_mode_of_its_pair() -> None:
    emptied = (*ISOLATED, margin_removed("600", "USDT"), mode_set("cross"))
    with pytest.raises(MarginModeMismatch):
        reversal(MARKET, lived(*emptied), place=-2)
    sold = (*POOLED, traded("buy", "0.01", "50000"), traded("sell", "0.01", "50000"), mode_set("isolated"))
    with pytest.raises(MarginModeMismatch):
        reversal(MARKET, lived(*sold), place=-2)


def test_both_events_of_a_sending_are_reversed() -> None:
    alice = lived(*RICH, sent("60", "USDT", "bob"))
    bob = lived(opened(), received("60", "USDT", "alice"), account_id="bob")
    for named, beside in ((alice, bob), (bob, alice)):
        events, accounts = reversal(MARKET, named, beside=beside)
        assert [event.account_id for event in events] == [named[0].id, beside[0].id]
        assert [_of(event).other_account_id for event in events] == [beside[0].id, named[0].id]
        assert [_of(event).follows for event in events] == [False, True]
        assert balance(accounts["alice"], "spot", "USDT") == {"free": "1000"}
        assert balance(accounts["bob"], "spot", "USDT") == {}


def test_a_sending_stands_where_the_receiver_cannot_give_it_back() -> None:
    alice = lived(*RICH, sent("60", "USDT", "bob"))
    account, events = lived(opened(), received("60", "USDT", "alice"), account_id="bob")
    with pytest.raises(InsufficientFunds, match="account bob has 20 USDT free"):
        reversal(MARKET, alice, beside=(and_then(account, withdrawal_requested("40", "USDT")), events))


def test_both_fills_of_a_trade_are_reversed() -> None:
    alice = lived(*RICH, traded("buy", "0.01", "50000", wallet="spot", fee="0.1"))
    bob = lived(opened(), deposited("1", "BTC"), traded("sell", "0.01", "50000", wallet="spot"), account_id="bob")
    _, accounts = reversal(MARKET, alice, beside=bob)
    assert balance(accounts["alice"], "spot", "USDT") == {"free": "1000"}
    assert balance(accounts["bob"], "spot", "BTC") == {"free": "1"}


def test_what_a_hold_gave_to_a_reversed_fill_comes_back_free() -> None:
    used = traded("buy", "0.01", "50000", wallet="spot", hold_id="H1", hold_used="500")
    _, accounts = reversal(MARKET, lived(*RICH, held("500", "USDT"), used))
    assert balance(accounts["alice"], "spot", "USDT") == {"free": "1000"}
    assert not accounts["alice"].holds


def _of(event: Event) -> e.EventReversed:
    assert isinstance(event, e.EventReversed)
    return event


def test_an_asset_that_the_wallet_no_longer_has_needs_no_price() -> None:
    late = NOON + hours(1)
    market = market_after(the_market(), happened(e.PricesMarked, prices={"BTC/USDT": "50000"}, source="x"), at=late)
    sold = traded("buy", "1", "10", "ETH/USDT"), traded("sell", "1", "10", "ETH/USDT", trade_id="T2")
    gone = (*LEVERED, deposited("300", "USDT"), *sold, transferred("300", "USDT"))
    assert reversal(market, lived(*gone), at=late)
    with pytest.raises(PriceStale, match="ETH"):
        reversal(market, lived(*gone[:-2], gone[-1]), at=late)
