"""How the simulation draws bad prices, and what operators say of those that are held."""

from fractions import Fraction
from typing import Any

from tests.simulation.drawing import PAIRS, Drawing, plain
from tests.simulation.model import down

SOURCES = ("index", "index", "venue", "feed")
FACTORS = (
    Fraction(1, 1000),
    Fraction(1, 10),
    Fraction(1, 2),
    Fraction(7, 10),
    Fraction(13, 10),
    Fraction(2),
    Fraction(10),
)


class DrawsPrices(Drawing):
    """Draws prices that lie beyond the bounds of their pairs, or on them, and words on what is held."""

    def source(self) -> str:
        return self.choose.pick(SOURCES)

    def bounded_pairs(self) -> list[str]:
        """The pairs that have a bound, and a price that it is measured from."""
        world = self.world
        return [pair for pair in PAIRS if pair in world.prices and world.limits_of(pair).jump is not None]

    def bad_prices(self, prices: dict[str, str]) -> dict[str, str]:
        """The vector with a pair that has a bound jumping off, standing at that bound, or near what is held of it."""
        pairs = self.bounded_pairs()
        if not pairs:
            return prices
        pair = self.choose.pick(pairs)
        last, jump = self.world.prices[pair][0], self.world.limits_of(pair).jump or Fraction(0)
        there = [one.price for one in self.world.held.get(pair, {}).values()]
        kind = self.choose.number(0, 3 if there else 1)
        if kind > 1:
            wanted = self.choose.pick(there) * self.choose.pick((Fraction(1), 1 + jump, 1 - jump, Fraction(101, 100)))
        else:
            wanted = last * (self.choose.pick(FACTORS) if kind else self.choose.pick((1 + jump, 1 - jump)))
        step = Fraction(1, 10 ** PAIRS[pair][0])
        off = self.choose.pick((0, 0, -1, 1)) * step
        return {**prices, pair: plain(max(down(wanted, PAIRS[pair][0]) + off, step))}

    def confirm_price(self) -> dict[str, Any]:
        """Mostly near something that is held."""
        pair = self._held_pair()
        there = [one.price for one in self.world.held.get(pair, {}).values()] or [Fraction(50000)]
        near = self.choose.pick(there) * self.choose.pick((Fraction(1), Fraction(9, 10), Fraction(3)))
        return {"pair": pair, "price": plain(max(down(near, 2), Fraction(1, 100))), "reason": "seen elsewhere"}

    def reject_price(self) -> dict[str, Any]:
        content = {"pair": self._held_pair(), "reason": "a slip"}
        return content if self.choose.number(0, 1) else {**content, "source": self.source()}

    def _held_pair(self) -> str:
        there = tuple(self.world.held)
        return self.choose.pick(there) if there and self.choose.number(0, 9) else self.choose.pick((*PAIRS, "ABC/USDT"))
