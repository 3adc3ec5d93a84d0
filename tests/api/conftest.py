"""The house that the tests of one module share."""

from collections.abc import Iterator

import pytest

from tests.api.house import House, deposit, open_account, open_house, opened_market


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    """A running house with a market, and nothing else in it."""
    with open_house(module_database) as house:
        opened_market(house)
        yield house


@pytest.fixture(scope="module")
def told(house: House) -> House:
    """The house after a short story of one account, and of one that was liquidated."""
    house.send(open_account("alice"), deposit("alice", "10000", "d1"), deposit("alice", "5", "d2", "BTC"))
    keyed = {"account_id": "alice", "asset": "USDT"}
    house.send(
        {**keyed, "type": "transfer", "from": "spot", "to": "cross", "amount": "4000", "idempotency_key": "t1"},
        {**keyed, "type": "borrow", "wallet": "cross", "amount": "2000", "idempotency_key": "b1"},
        {**keyed, "type": "place_hold", "hold_id": "h1", "wallet": "spot", "amount": "100"},
        {**keyed, "type": "request_withdrawal", "withdrawal_id": "w1", "amount": "50"},
        {**keyed, "type": "request_withdrawal", "withdrawal_id": "w2", "amount": "60"},
        {"type": "cancel_withdrawal", "account_id": "alice", "withdrawal_id": "w2"},
        {"type": "freeze_account", "account_id": "alice", "blocks": ["withdraw"], "idempotency_key": "f1"},
    )
    house.send(open_account("lucy"), deposit("lucy", "100", "d1"))
    bucket = {"account_id": "lucy", "pair": "ETH/USDT"}
    house.send(
        {**bucket, "type": "set_margin_mode", "mode": "isolated", "idempotency_key": "m1"},
        {**bucket, "type": "add_margin", "asset": "USDT", "amount": "100", "idempotency_key": "a1"},
        {
            **bucket,
            "type": "book_fill",
            "trade_id": "short-1",
            "side": "sell",
            "quantity": "0.2",
            "price": "2000",
            "fee": "0",
            "fee_asset": "USDT",
            "auto_borrow": True,
        },
    )
    house.send({"type": "mark_prices", "prices": {"ETH/USDT": "2400"}, "source": "test"})
    house.send({"type": "examine", "account_id": "lucy", "wallet": "isolated:ETH/USDT"})
    return house
