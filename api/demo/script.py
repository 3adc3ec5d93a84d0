"""Commands as the demo writes them: dated with the market's time and given keys, in the form that clients send."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from api.demo.scenario import Listing
from ledger.commands import Command, parse_command
from ledger.money import divide_down, round_up
from ledger.words import Side

MAKER = "market-maker"
TAKER_FEE, MAKER_FEE = Decimal("0.001"), Decimal("-0.0001")
FEE_SCALE = 8


class Script:
    """The commands of one moment, in order; its name and the moment make their keys."""

    def __init__(self, name: str, at: datetime) -> None:
        self.name = name
        self.at = at
        self.commands: list[Command] = []

    def write(self, kind: str, account_id: str | None = None, **fields: Any) -> None:
        """Adds one command; amounts may be decimals, and a final underscore is left out of a name (`from_`)."""
        content: dict[str, Any] = {
            "type": kind,
            "effective_at": self.at,
            "idempotency_key": f"{self.name}:{self.at:%Y%m%dT%H%M%S}:{len(self.commands)}",
        }
        if account_id is not None:
            content["account_id"] = account_id
        content |= {name.rstrip("_"): _written(value) for name, value in fields.items()}
        self.commands.append(parse_command(content))

    def trade(
        self,
        account_id: str,
        side: Side,
        listing: Listing,
        quantity: Decimal,
        price: Decimal,
        **terms: Any,
    ) -> None:
        """Adds a trade of an account, the taker, with the market maker; fees are in the quote asset."""
        notional = quantity * price
        quote = listing.quote
        taker = {"account_id": account_id, "fee": _fee(notional, TAKER_FEE), "fee_asset": quote, "liquidity": "taker"}
        maker = {"account_id": MAKER, "fee": _fee(notional, MAKER_FEE), "fee_asset": quote, "liquidity": "maker"}
        buyer, seller = {**taker, **terms}, {**maker, "wallet": "spot"}
        if side is Side.SELL:
            buyer, seller = seller, buyer
        self.write(
            "book_trade",
            trade_id=f"{self.name}:{self.at:%Y%m%dT%H%M%S}:{len(self.commands)}",
            pair=listing.pair,
            quantity=quantity,
            price=price,
            buyer=buyer,
            seller=seller,
        )


def _fee(notional: Decimal, rate: Decimal) -> Decimal:
    """What is owed rounds up, what is given back down."""
    return round_up(notional * rate, FEE_SCALE)


def quantity_of(value: Decimal, price: Decimal, scale: int) -> Decimal:
    """How much of an asset a value buys, cut to a scale."""
    return divide_down(value, price, scale)


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {name: _written(part) for name, part in value.items()}
    return [_written(part) for part in value] if isinstance(value, list) else value
