"""A position: what trades of one pair in one margin wallet bought and sold, what it cost and what it brought."""

from decimal import Decimal
from typing import NamedTuple

from ledger.money import ONE, ZERO, Ratio, divide_down

ENTRY_SCALE = 24
"""Decimals kept of what a part of a position cost, where the average entry price does not come out even."""


class Position(NamedTuple):
    """Signed base quantity, what it cost in the quote asset (signed alike), and realised profit before fees."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realised_profit: Decimal = ZERO

    def traded(self, quantity: Decimal, price: Decimal) -> "Position":
        """After a trade of a signed base quantity: it closes what is against it, and opens the rest, at `price`."""
        if self.quantity * quantity >= 0:
            return Position(self.quantity + quantity, self.cost + quantity * price, self.realised_profit)
        closing = min(abs(quantity), abs(self.quantity))
        after = self.closed(closing, Ratio.of(price))
        rest = abs(quantity) - closing
        return after if not rest else after.traded(rest.copy_sign(quantity), price)

    def taken_back(self, quantity: Decimal, price: Decimal) -> "Position":
        """After a trade of a signed base quantity at `price` is undone.

        What the trade opened leaves at the price it came in at, so that the average entry price is that of the others,
        as long as they leave a position with a price above zero. What it closed is opened again at its price, and the
        profit it realised stays: from what was entered at is no longer known. Either way realised profit less cost
        rises by quantity x price, so that at every price the profit of both kinds is that without the trade.
        """
        rest, cost = self.quantity - quantity, self.cost - quantity * price
        if self.quantity * quantity > 0 and rest * quantity > 0 and rest * cost > 0:
            return Position(rest, cost, self.realised_profit)
        return self.traded(-quantity, price)

    def closed(self, quantity: Decimal, price: Ratio) -> "Position":
        """After closing that much (unsigned, at most all of it) at a price of quote for base."""
        cost = self._cost_of(quantity)
        signed = quantity.copy_sign(self.quantity)
        proceeds = _times(signed, price)
        return Position(self.quantity - signed, self.cost - cost, self.realised_profit + proceeds - cost)

    def cut(self, present: Decimal) -> "Position":
        """Cut to what is there (base held less owed, signed); what is cut closes at its entry price."""
        there = max(present, ZERO) if self.quantity > 0 else min(present, ZERO)
        excess = abs(self.quantity) - abs(there)
        if excess <= 0:
            return self
        signed = excess.copy_sign(self.quantity)
        return Position(self.quantity - signed, self.cost - self._cost_of(excess), self.realised_profit)

    def _cost_of(self, quantity: Decimal) -> Decimal:
        whole = abs(self.quantity)
        return self.cost if quantity == whole else divide_down(self.cost * quantity, whole, ENTRY_SCALE)


FLAT = Position()


def _times(quantity: Decimal, price: Ratio) -> Decimal:
    if price.denominator == ONE:
        return quantity * price.numerator
    return divide_down(quantity * price.numerator, price.denominator, ENTRY_SCALE)
