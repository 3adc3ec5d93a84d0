"""How far prices may move until a wallet is at its liquidation line.

Of a bucket it is the price of its pair that moves. Of the cross pool all prices move by the same part, those of what it
holds and of what it owes, and the valuation asset stays: a pool has no one price of its own, and falls of everything
together are what liquidates pools. A pool that is long one asset and short another moves little by that; what
shocks of single pairs do to it, a what-if tells.

With F what does not move and M what does, of assets A and debt D in value, the level is LR at g times today's prices:
(F_A + g M_A) = LR (F_D + g M_D), so g = (LR F_D - F_A) / (M_A - LR M_D). For a bucket that is its liquidation price
(domain, section 5) over the price of now.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from ledger.margin import Margin, liquidation_price, show_level
from ledger.market import Market
from ledger.money import VALUATION_ASSET, ZERO, divide_down, plain, quote_of
from ledger.words import Band, pair_of

HUNDRED = Decimal(100)
MOVE_SCALE = 4


class Move(NamedTuple):
    """The move of prices that reaches the line, in per cent, exactly: `part` / `of`, with the sign of `part`.

    Below zero it is a fall, above a rise. `of` is above zero.
    """

    part: Decimal
    of: Decimal

    def is_within(self, percent: Decimal) -> bool:
        """Whether prices need to move by no more than so many per cent."""
        return abs(self.part) <= percent * self.of

    @property
    def shown(self) -> Decimal:
        """In per cent at 4 decimals, cut towards zero: never further than it is."""
        size = divide_down(abs(self.part), self.of, MOVE_SCALE)
        return -size if self.part < 0 else size


AT_THE_LINE = Move(ZERO, Decimal(1))


def move_to_line(margin: Margin) -> Move | None:
    """The move that brings a priced wallet to its liquidation line; none (zero) where it is there or beyond.

    None where no such move does.
    """
    if margin.band is Band.LIQUIDATION:
        return AT_THE_LINE
    pair, line = pair_of(margin.wallet.name), margin.lines.liquidation
    still = VALUATION_ASSET if pair is None else quote_of(pair)
    balance, price = margin.wallet.balance(still), margin.prices.get(still, ZERO)
    held, owed = balance.held * price, balance.owed * price
    numerator = line * owed - held
    denominator = (margin.valuation.assets - held) - line * (margin.valuation.debt - owed)
    if not numerator or not denominator or (numerator > 0) != (denominator > 0):
        return None
    difference = (numerator - denominator) * HUNDRED
    return Move(difference, denominator) if denominator > 0 else Move(-difference, -denominator)


def near_row(account_id: str, margin: Margin, move: Move, market: Market) -> dict[str, Any]:
    """A wallet near its line, as the report lists it; the pool has no liquidation price."""
    pair = pair_of(margin.wallet.name)
    price = None if pair is None else liquidation_price(margin, market.pair(pair).price_scale)
    return {
        "account_id": account_id,
        "wallet": margin.wallet.name,
        "band": margin.band,
        "margin_level": show_level(margin.valuation.level),
        "total_debt": plain(margin.valuation.debt),
        "move_percent": f"{move.shown:f}",
        "liquidation_price": None if price is None else f"{price:f}",
    }
