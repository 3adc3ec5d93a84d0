"""No liquidation ever follows from a bad price: what a decision used lay within its bound, or somebody confirmed it."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

import pytest

from ledger.events import AnyEvent, HeldPrice, MarkPrice, PricesHeld, PricesMarked, RiskLimitsSet
from tests.simulation.machine import RandomChooser, Simulation
from tests.simulation.steps import Steps

STEPS = 1200
BOUNDS = {"BTC/USDT": "0.2", "ETH/USDT": "0.15"}


def life_among_bad_prices(seed: int) -> Simulation:
    """A simulation in which prices have bounds from the first, and every third command marks some, many of them bad."""
    simulation = Simulation()
    for pair, limit in BOUNDS.items():
        simulation.step({"type": "set_risk_limits", "scope": pair, "price_jump_limit": limit})
    choose = RandomChooser(seed)
    drawn = Steps(choose, simulation.world)
    for _ in range(STEPS):
        name = choose.pick(("mark_prices", "mark_prices", "confirm_price", None, None, None, None, None))
        command = drawn.command(name)
        simulation.step(command, drawn.pass_time(command))
    return simulation


class SoundPrices:
    """The marks of a log, each looked at as it comes; knows nothing of the rules' own code."""

    def __init__(self) -> None:
        self.limits: dict[str, Decimal | None] = {}
        self.last: dict[str, Decimal] = {}
        self.marks: dict[tuple[str, int], Decimal] = {}
        self.held: list[tuple[str, HeldPrice]] = []
        self.seen: Counter[str] = Counter()

    def take(self, event: AnyEvent) -> None:
        """The next event; AssertionError where it marks or uses what it must not."""
        self.seen[event.TOPIC] += 1
        if isinstance(event, RiskLimitsSet):
            self.limits[event.scope] = event.price_jump_limit
        if isinstance(event, PricesHeld):
            self._take_held(event)
        if isinstance(event, PricesMarked):
            for pair, price in event.prices.items():
                self._take_mark(event, pair, price)
        for pair, used in _used_by(event).items():
            assert self.marks[pair, used.version] == used.price, (event, pair)

    def _take_held(self, event: PricesHeld) -> None:
        for pair, held in event.prices.items():
            assert not self._is_near(pair, held.price, self.last[pair]), (event, pair)
            assert held.last.price == self.last[pair]
            self.held.append((pair, held))

    def _take_mark(self, event: PricesMarked, pair: str, price: Decimal) -> None:
        witness = (event.confirmed or {}).get(pair)
        if witness is None:
            assert pair not in self.last or self._is_near(pair, price, self.last[pair]), (event, pair)
        else:
            assert (pair, witness) in self.held
            self.seen["by an operator" if event.vouched_price else "by a second source"] += 1
            if event.vouched_price is None:
                assert witness.source != event.source
                assert self._is_near(pair, price, witness.price)
            else:
                assert (price, event.effective_at) == (witness.price, witness.effective_at)
        self.last[pair] = self.marks[pair, event.version] = price

    def _is_near(self, pair: str, price: Decimal, other: Decimal) -> bool:
        limit = self.limits.get(pair)
        return limit is None or other - other * limit <= price <= other + other * limit


def _used_by(event: AnyEvent) -> dict[str, MarkPrice]:
    """The prices that an event of an account says its decision used."""
    assessed = getattr(event, "assessment", None)
    used: dict[str, MarkPrice] = getattr(assessed or event, "prices", {})
    return {} if event.account_id.startswith("@") else used


def looked_at(log: Iterable[AnyEvent]) -> SoundPrices:
    sound = SoundPrices()
    for event in log:
        sound.take(event)
    return sound


@pytest.mark.parametrize("seed", [31, 32, 33, 34])
def test_every_price_that_a_decision_used_was_marked_within_its_bound_or_confirmed(seed: int) -> None:
    simulation = life_among_bad_prices(seed)
    seen = looked_at(simulation.book.log).seen
    assert min(seen["prices.held"], seen["by a second source"], seen["by an operator"], seen["liquidation.started"]) > 0
    simulation.book.require_replay()


def test_a_mark_beyond_its_bound_that_nobody_confirmed_would_be_found() -> None:
    log = life_among_bad_prices(31).book.log
    place = next(place for place, event in enumerate(log) if isinstance(event, PricesMarked) and event.confirmed)
    marked = log[place]
    log[place] = marked.model_copy(update={"confirmed": None, "vouched_price": None})
    with pytest.raises(AssertionError):
        looked_at(log)
