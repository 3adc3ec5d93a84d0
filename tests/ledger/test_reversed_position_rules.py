"""What the reversal of a fill does to a position: quantity, cost and realised profit."""

from decimal import Decimal
from typing import Any

from ledger.account import Account
from tests.ledger.correcting import lived, reversal
from tests.ledger.happenings import deposited, opened, the_market, traded, transferred

MARKET = the_market()
POOLED = (opened(), deposited("1000", "USDT"), transferred("1000", "USDT"))
FILLS = traded("buy", "0.01", "40000"), traded("buy", "0.01", "50000", trade_id="T2")


def test_a_reversed_opening_leaves_the_position_as_without_it() -> None:
    _, accounts = reversal(MARKET, lived(*POOLED, *FILLS))
    assert _position(accounts["alice"]) == (Decimal("0.01"), 400, 0)
    _, accounts = reversal(MARKET, lived(*POOLED, *FILLS), place=-2)
    assert _position(accounts["alice"]) == (Decimal("0.01"), 500, 0)


def test_a_reversed_only_fill_leaves_no_position_and_no_profit() -> None:
    _, accounts = reversal(MARKET, lived(*POOLED, FILLS[0]))
    assert _position(accounts["alice"]) == (0, 0, 0)


def test_a_reversed_closing_opens_again_at_its_price_and_keeps_the_profit() -> None:
    _, accounts = reversal(MARKET, lived(*POOLED, FILLS[0], traded("sell", "0.01", "50000", trade_id="T2")))
    assert _position(accounts["alice"]) == (Decimal("0.01"), 500, 100)


def test_a_reversed_opening_of_what_was_closed_since_takes_the_profit_back() -> None:
    life = lived(*POOLED, *FILLS, traded("sell", "0.01", "60000", trade_id="T3"))
    _, accounts = reversal(MARKET, life, place=-2)
    # Without it 0.01 was bought at 40,000 and sold at 60,000.
    assert _position(accounts["alice"]) == (0, 0, 200)


def _position(account: Account) -> Any:
    """Quantity, cost and realised profit of the pool's position in BTC/USDT."""
    return account.wallets.cross.positions["BTC/USDT"]
