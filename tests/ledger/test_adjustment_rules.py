"""Adjustments: proposed by one actor, approved or rejected by another, posted against the house."""

from decimal import Decimal

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import (
    AccountNotEmpty,
    AdjustmentExists,
    AdjustmentNotPending,
    AssetMismatch,
    CorrectionBlocked,
    InsufficientFunds,
    Malformed,
    MarginModeMismatch,
    NotCollateral,
    PriceStale,
    SameActor,
    TooManyDecimals,
    UnknownAdjustment,
)
from ledger.postings import postings
from ledger.words import Book, Line
from tests.ledger.correcting import OPERATORS, approve, asked_by, propose, reject
from tests.ledger.given import NOON, after, and_then, balance, given, market_after, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    asset_limits,
    borrowed,
    deposited,
    frozen,
    hours,
    mode_set,
    opened,
    the_market,
    traded,
    transferred,
)

MARKET = the_market()
ANN, BEN = OPERATORS
ALICE = given(opened(), deposited("100", "USDT"))


def proposed(account: Account = ALICE, amount: str = "-40", wallet: str = "spot", asset: str = "USDT") -> Account:
    """The account after Ann's proposal."""
    return asked_by(ANN, MARKET, account, **propose(amount, asset, wallet))[1]


def test_a_proposal_posts_nothing() -> None:
    (event,), account = asked_by(ANN, MARKET, ALICE, **propose("-40", "USDT"))
    assert isinstance(event, e.AdjustmentProposed)
    assert (event.amount, event.reason_code, event.actor) == (Decimal("-40"), "booking_error", ANN)
    assert postings(event) == []
    assert balance(account, "spot", "USDT") == {"free": "100"}


@pytest.mark.parametrize(("amount", "left"), [("-40", "60"), ("0.5", "100.5"), ("-100", "0")])
def test_an_approval_posts_it_against_the_house(amount: str, left: str) -> None:
    (event,), account = asked_by(BEN, MARKET, proposed(amount=amount), **approve())
    assert isinstance(event, e.AdjustmentPosted)
    assert (event.proposed_by, event.proposed_version, event.actor) == (ANN, 3, BEN)
    posted = Decimal(amount)
    assert postings(event) == [
        Line(Book(None, "adjustments"), "USDT", -posted),
        Line(Book("alice", "spot"), "USDT", posted),
    ]
    assert account.wallets.spot.balance("USDT").free == Decimal(left)


def test_a_rejection_ends_it_and_posts_nothing() -> None:
    (event,), account = asked_by(BEN, MARKET, proposed(), **reject())
    assert isinstance(event, e.AdjustmentRejected)
    assert postings(event) == []
    assert balance(account, "spot", "USDT") == {"free": "100"}


@pytest.mark.parametrize("decision", [approve(), reject()], ids=["approve", "reject"])
def test_who_proposed_it_does_not_decide_on_it(decision: dict[str, str]) -> None:
    with pytest.raises(SameActor, match=f"proposed by {ANN}"):
        asked_by(ANN, MARKET, proposed(), **decision)


@pytest.mark.parametrize("decision", [approve(), reject()], ids=["approve", "reject"])
def test_it_is_decided_on_once_and_must_be_known(decision: dict[str, str]) -> None:
    for first in (approve(), reject()):
        done = asked_by(BEN, MARKET, proposed(), **first)[1]
        with pytest.raises(AdjustmentNotPending, match="A1"):
            asked_by(BEN, MARKET, done, **decision)
    with pytest.raises(UnknownAdjustment, match="A1"):
        asked_by(BEN, MARKET, ALICE, **decision)


def test_an_id_is_proposed_once() -> None:
    with pytest.raises(AdjustmentExists, match="of -40 USDT was proposed before and is proposed"):
        asked_by(BEN, MARKET, proposed(), **propose("1", "USDT"))


def test_it_is_decided_on_what_is_known_at_its_approval() -> None:
    poorer = and_then(proposed(), transferred("70", "USDT"))
    with pytest.raises(InsufficientFunds, match=r"has 30 USDT free in spot.* takes 40"):
        asked_by(BEN, MARKET, poorer, **approve())
    with pytest.raises(InsufficientFunds):
        asked_by(BEN, MARKET, proposed(amount="-100.00000001"), **approve())


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (propose("0", "USDT"), Malformed),
        (propose("1", "USDT", reason_code="whim"), Malformed),
        (propose("1", "USDT", reason_code="other"), Malformed),
        (propose("1", "ETH", BTC_BUCKET), AssetMismatch),
        (propose("0.000000001", "USDT"), TooManyDecimals),
    ],
)
def test_a_proposal_that_could_never_be_posted_is_refused(asked: dict[str, str], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        asked_by(ANN, MARKET, ALICE, **asked)


def test_another_reason_is_told_in_words() -> None:
    asked = propose("1", "USDT", reason_code="other", reason="a prize")
    assert topics(asked_by(ANN, MARKET, ALICE, **asked)[0]) == ["adjustment.proposed"]


def test_a_freeze_stops_no_adjustment() -> None:
    assert asked_by(BEN, MARKET, and_then(proposed(), frozen()), **approve())


def test_an_account_with_a_pending_adjustment_does_not_close() -> None:
    with pytest.raises(AccountNotEmpty, match="adjustment A1 proposed"):
        when(MARKET, proposed(given(opened())), type="close_account")
    rejected = asked_by(BEN, MARKET, proposed(given(opened())), **reject())[1]
    assert after(MARKET, rejected, type="close_account").status == "closed"


POOLED = (opened(), deposited("1000", "USDT"), transferred("1000", "USDT"), borrowed("1000", "USDT"))


def test_what_is_taken_from_a_margin_wallet_leaves_it_above_its_call_line() -> None:
    levered = given(*POOLED, traded("buy", "0.02", "50000"))
    # Assets of 2000 and a debt of 1000: the call line of 1.3 is at assets of 1300.
    (event,), _ = asked_by(BEN, MARKET, proposed(levered, "-699", "cross"), **approve())
    assert isinstance(event, e.AdjustmentPosted)
    assert event.assessment is not None
    assert event.assessment.margin_level_after == "1.30100000"
    with pytest.raises(CorrectionBlocked, match=r"would leave 1.30000000"):
        asked_by(BEN, MARKET, proposed(levered, "-700", "cross"), **approve())


def test_what_is_given_to_a_margin_wallet_comes_in_as_by_a_transfer() -> None:
    account = proposed(given(*POOLED), "0.1", "cross", "BTC")
    assert asked_by(BEN, MARKET, account, **approve())
    unwanted = market_after(the_market(), asset_limits("BTC", collateral_tiers=[{"ratio": "0"}]))
    with pytest.raises(NotCollateral):
        asked_by(BEN, unwanted, account, **approve())
    with pytest.raises(PriceStale):
        asked_by(BEN, the_market(at=NOON - hours(1)), account, **approve())


def test_a_bucket_is_adjusted_only_while_its_pair_is_isolated() -> None:
    account = given(opened(), mode_set("isolated"))
    assert asked_by(BEN, MARKET, proposed(account, "5", BTC_BUCKET), **approve())
    with pytest.raises(MarginModeMismatch):
        asked_by(BEN, MARKET, proposed(wallet=BTC_BUCKET), **approve())
