"""Events of holds and fills."""

from decimal import Decimal

from ledger.events.event import Assessment, Event
from ledger.money import Exact, base_of
from ledger.words import Liquidity, Side


class FundsHeld(Event):
    TOPIC = "funds.held"
    hold_id: str
    wallet: str
    asset: str
    amount: Exact
    assessment: Assessment | None = None


class HoldReleased(Event):
    TOPIC = "hold.released"
    hold_id: str
    wallet: str
    asset: str
    amount: Exact


class TradeBooked(Event):
    """One fill on one account; `hold_used` of what was paid came out of the hold, the rest out of free."""

    TOPIC = "trade.booked"
    trade_id: str
    pair: str
    side: Side
    quantity: Exact
    price: Exact
    quote_amount: Exact
    fee: Exact
    fee_asset: str
    wallet: str
    order_id: str | None = None
    hold_id: str | None = None
    hold_used: Exact | None = None
    liquidity: Liquidity | None = None
    liquidation_id: str | None = None
    assessment: Assessment | None = None

    @property
    def base_brought(self) -> Decimal:
        """The base quantity that the fill brought or, negative, took: net of a fee taken in the base."""
        signed = self.quantity if self.side is Side.BUY else -self.quantity
        return signed - self.fee if self.fee_asset == base_of(self.pair) else signed
