"""How much of a debt must be repaid until a wallet's level is back at its target, its fee taken: exact and pure.

With A held and D owed in value, R repaid so far, f the fee rate and T the target: repaying a further value v from an
asset takes v of it, and the fee is f (R + v) in the end. The level is then (A - v - f (R + v)) / (D - v), and it is at
least T from

    v = (T D - A + f R) / (T - 1 - f)

on, if T > 1 + f; else repaying never brings it there. Nor does it where v is more than is owed, which is so exactly
where the level, the fee of R taken, is at or below 1 + f.

At the assets' scales what is taken and the fee are rounded up and what is credited down, which leaves at most what the
formula does: so v is a lower bound, and from there on the least repayment is looked for.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from ledger.money import ONE, ZERO, Ratio, divide_down, divide_up


class Terms(NamedTuple):
    """Prices in the valuation asset and scales, by asset, and the fee as a part of the value repaid."""

    prices: Mapping[str, Decimal]
    scales: Mapping[str, int]
    fee_rate: Decimal


class Standing(NamedTuple):
    """What a wallet holds, in the order in which assets are taken, and the values that it owes and has repaid."""

    held: dict[str, Decimal]
    debt: Decimal
    repaid: Decimal

    def after(self, step: "Step", taken: Decimal, credited: Decimal) -> "Standing":
        """After a step took that much and repaid that much."""
        value = credited * step.debt_price
        held = {**self.held, step.asset: self.held[step.asset] - taken}
        return Standing(held, self.debt - value, self.repaid + value)

    def fee(self, terms: Terms) -> dict[str, Decimal]:
        """What the fee of all that was repaid takes of each asset, in order: rounded up, at most what is held."""
        fee, value = {}, self.repaid * terms.fee_rate
        for asset, held in self.held.items():
            if value > 0 and held:
                price = terms.prices[asset]
                fee[asset] = min(held, divide_up(value, price, terms.scales[asset]))
                value -= fee[asset] * price
        return fee

    def assets(self, terms: Terms) -> Decimal:
        """The value of what is held."""
        return _value(self.held, terms)

    def level(self, terms: Terms) -> Ratio:
        """The margin level once the fee is taken; infinite where nothing is owed."""
        return Ratio(self.assets(terms) - _value(self.fee(terms), terms), self.debt)


class Step(NamedTuple):
    """A debt that is repaid from one asset: what is held and owed of them, their prices and scales."""

    asset: str
    held: Decimal
    price: Decimal
    scale: int
    owed: Decimal
    debt_price: Decimal
    debt_scale: int

    def repaying(self, wanted: Decimal) -> tuple[Decimal, Decimal]:
        """What is taken of the asset to repay so much, rounded up, at most what is held; and what that repays,
        rounded down, at most what is owed."""
        taken = min(self.held, divide_up(wanted * self.debt_price, self.price, self.scale))
        return taken, min(self.owed, divide_down(taken * self.price, self.debt_price, self.debt_scale))

    def least(self, standing: Standing, terms: Terms, target: Decimal, wanted: Decimal) -> Decimal | None:
        """The least repayment up to `wanted` that brings the level to the target, a step less does not; None if
        there is none. A wallet that is at its target already needs none: it is not to be asked of."""

        def is_met(steps: int) -> bool:
            level = standing.after(self, *self.repaying(Decimal(steps).scaleb(-self.debt_scale))).level(terms)
            return level.numerator >= target * level.denominator

        most = min(wanted, divide_down(self.held * self.price, self.debt_price, self.debt_scale))
        gained = target - ONE - terms.fee_rate
        if gained <= 0:
            return None
        missing = target * standing.debt - standing.assets(terms) + terms.fee_rate * standing.repaid
        bound = divide_up(max(missing, ZERO), gained * self.debt_price, self.debt_scale)
        steps = _least(is_met, max(1, _steps(bound, self.debt_scale)), _steps(most, self.debt_scale))
        return None if steps is None else Decimal(steps).scaleb(-self.debt_scale)


def _value(amounts: Mapping[str, Decimal], terms: Terms) -> Decimal:
    return sum((amount * terms.prices[asset] for asset, amount in amounts.items()), ZERO)


def _steps(amount: Decimal, scale: int) -> int:
    return int(amount.scaleb(scale))


def _least(is_met: Callable[[int], bool], lowest: int, highest: int) -> int | None:
    """A number from `lowest`, below which none meets it, to `highest` that meets it where the one before does not.

    The strides from the lowest double until one meets it, then the range is halved: rounding is made up for within
    few steps of the lowest.
    """
    refused, tried, stride = lowest - 1, lowest, 1
    while tried <= highest and not is_met(tried):
        if tried == highest:
            return None
        refused, tried, stride = tried, min(tried + stride, highest), 2 * stride
    if tried > highest:
        return None
    while tried - refused > 1:
        middle = (refused + tried) // 2
        if is_met(middle):
            tried = middle
        else:
            refused = middle
    return tried
