"""A trade between two accounts is one decision: both fills are recorded, or neither."""

import pytest

from ledger.errors import InsufficientFunds, MarginModeMismatch, Refusal, SameAccount, UnknownAccount
from tests.ledger.asking import fill, trade
from tests.ledger.given import after, balance, decided, given, numbered, when
from tests.ledger.happenings import deposited, margin_added, mode_set, opened, the_market, traded, transferred

MARKET = the_market()
BUYER = given(opened(), deposited("5000", "USDT"))
SELLER = given(opened(), deposited("0.1", "BTC"), account_id="bob")
IN_SPOT = trade("0.1", "50000", {"account_id": "alice", "wallet": "spot"}, {"account_id": "bob", "wallet": "spot"})


def test_both_fills_are_recorded() -> None:
    events, accounts = decided(MARKET, BUYER, SELLER, **IN_SPOT)
    assert events == [
        *numbered(BUYER, traded("buy", "0.1", "50000", wallet="spot")),
        *numbered(SELLER, traded("sell", "0.1", "50000", wallet="spot")),
    ]
    assert balance(accounts["alice"], "spot", "BTC") == {"free": "0.1"}
    assert balance(accounts["bob"], "spot", "USDT") == {"free": "5000"}


def test_each_side_has_a_wallet_fee_and_order_of_its_own() -> None:
    seller = given(
        opened(), deposited("0.1", "BTC"), mode_set("isolated"), margin_added("0.1", "BTC"), account_id="bob"
    )
    buyer = given(opened(), deposited("6000", "USDT"), transferred("6000", "USDT"))
    asked = trade(
        "0.1",
        "50000",
        {"account_id": "alice", "order_id": "O1", "liquidity": "taker", "fee": "0.001", "fee_asset": "BTC"},
        {"account_id": "bob", "order_id": "O2", "liquidity": "maker", "fee": "-1"},
    )
    _, accounts = decided(MARKET, buyer, seller, **asked)
    assert balance(accounts["alice"], "cross", "BTC") == {"free": "0.099"}
    assert balance(accounts["bob"], "isolated:BTC/USDT", "USDT") == {"free": "5001"}


def test_buyer_and_seller_differ() -> None:
    asked = trade("0.1", "50000", {"account_id": "alice"}, {"account_id": "alice"})
    with pytest.raises(SameAccount):
        when(MARKET, BUYER, **asked)


def test_where_the_seller_is_refused_neither_is_recorded_and_the_problem_names_it() -> None:
    poor = given(opened(), account_id="bob")
    with pytest.raises(InsufficientFunds, match="seller bob") as refused:
        when(MARKET, BUYER, poor, **IN_SPOT)
    assert refused.value.members == {"side": "seller", "account_id": "bob"}


def test_where_the_buyer_is_refused_the_problem_names_it() -> None:
    with pytest.raises(InsufficientFunds, match="buyer alice") as refused:
        when(MARKET, given(opened()), SELLER, **IN_SPOT)
    assert refused.value.members["side"] == "buyer"


def test_the_other_side_may_be_booked_alone() -> None:
    later = after(MARKET, BUYER, **fill("buy", "0.1", "50000", wallet="spot"))
    assert balance(later, "spot", "BTC") == {"free": "0.1"}


def test_a_side_that_is_unknown_is_named() -> None:
    with pytest.raises(UnknownAccount, match="bob"):
        when(MARKET, BUYER, **IN_SPOT)


def test_a_side_that_believes_in_another_mode_is_named() -> None:
    asked = trade(
        "0.1", "50000", {"account_id": "alice", "expected_mode": "isolated"}, {"account_id": "bob", "wallet": "spot"}
    )
    with pytest.raises(MarginModeMismatch, match="buyer alice"):
        when(MARKET, BUYER, SELLER, **asked)


def test_both_sides_share_one_quote_amount() -> None:
    asked = trade(
        "0.1",
        "50000",
        {"account_id": "alice", "wallet": "spot"},
        {"account_id": "bob", "wallet": "spot"},
        quote_amount="9",
    )
    with pytest.raises(Refusal):
        when(MARKET, BUYER, SELLER, **asked)
