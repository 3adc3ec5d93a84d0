"""The market played: each vector of prices, then interest, then what people do, then the examination of who owes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from api.demo import opening, two_traders
from api.demo.candles import Vector
from api.demo.cast import Trader
from api.demo.scenario import Scenario
from api.demo.script import Script
from ledger.commands import Command
from ledger.outcomes import Outcome, Refused

# What everybody does at a step of the play: written into the script of its moment.
Act = Callable[[Script], None]


class DemoFailed(RuntimeError):
    """What must hold in every demo does not; the message says what was found."""


class House(Protocol):
    """What the play needs of the product: its writer, and the examination that follows every price vector."""

    def submit(self, commands: Sequence[Command]) -> list[Outcome]: ...

    def examine(self) -> list[str]:
        """Charges interest and examines after a price vector; returns the accounts that were called."""
        ...


@dataclass
class Played:
    """What came of the play: the log's position of each vector and of what the two traders did, and refusals."""

    positions: list[int] = field(default_factory=list)
    margin_put_up: int = 0
    traded: int = 0
    commands: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


class Stage:
    """Where the play happens: the ledger that records it, and the projections that say who owes."""

    def __init__(self, scenario: Scenario, traders: Sequence[Trader], house: House) -> None:
        self.scenario = scenario
        self.traders = {trader.account_id: trader for trader in traders}
        self.played = Played()
        self._house = house
        self._acts = _acts_of(scenario, traders)

    def open(self) -> None:
        """Lists the market, opens the accounts and books what everybody brings; all of it must be accepted."""
        start = self.scenario.vectors[0].at
        for script in (
            opening.listing(self.scenario, start),
            opening.accounts(self.scenario, list(self.traders.values()), start),
        ):
            self._insist(script)

    def steps(self) -> Iterator[Vector]:
        """Plays one vector after the other, and yields each when it is over."""
        for number, vector in enumerate(self.scenario.vectors):
            self._mark(vector)
            called = self._house.examine()
            if number == two_traders.step_of_trade(self.scenario):
                self._let_the_two_trade(vector.at)
            self._act(number, vector.at)
            self._answer_calls(called, vector.at)
            yield vector

    def _submit(self, script: Script) -> None:
        """Submits what people wish, which may be refused."""
        if not script.commands:
            return
        self.played.commands += len(script.commands)
        for outcome in self._house.submit(script.commands):
            if isinstance(outcome, Refused):
                self.played.refusals[outcome.refusal.code] += 1

    def _insist(self, script: Script) -> int:
        """Submits what the demo rests on, and returns the position it was recorded up to."""
        self.played.commands += len(script.commands)
        position = 0
        for command, outcome in zip(script.commands, self._house.submit(script.commands), strict=True):
            if isinstance(outcome, Refused):
                raise DemoFailed(f"{command.type} was refused ({outcome.refusal.code}): {outcome.refusal.detail}")
            position = max(position, outcome.position)
        return position

    def _mark(self, vector: Vector) -> None:
        script = Script("prices", vector.at)
        script.write("mark_prices", prices=vector.prices, source=self.scenario.source)
        self.played.positions.append(self._insist(script))

    def _let_the_two_trade(self, at: datetime) -> None:
        margin, trade = Script("margin", at), Script("trade", at)
        two_traders.put_up_margin(margin, self.scenario)
        two_traders.make_the_trade(trade, self.scenario)
        self.played.margin_put_up = self._insist(margin)
        self.played.traded = self._insist(trade)

    def _act(self, number: int, at: datetime) -> None:
        script = Script("people", at)
        for act in self._acts[number]:
            act(script)
        self._submit(script)

    def _answer_calls(self, called: Iterable[str], at: datetime) -> None:
        """Some of those who were called put up more margin."""
        script = Script("answers", at)
        for account_id in called:
            trader = self.traders.get(account_id)
            if trader is not None and trader.answers_calls:
                trader.answer_call(script)
        self._submit(script)


def _acts_of(scenario: Scenario, traders: Iterable[Trader]) -> defaultdict[int, list[Act]]:
    """By the number of a vector, what people do at it; all of them vectors that price every pair."""
    acts: defaultdict[int, list[Act]] = defaultdict(list)
    for trader in traders:
        joined_price = scenario.vectors[trader.joins_at].prices[trader.listing.pair]
        acts[trader.joins_at].append(partial(trader.join, price=joined_price))
        if trader.leaves_at is not None:
            price = scenario.vectors[trader.leaves_at].prices[trader.listing.pair]
            acts[trader.leaves_at].append(partial(trader.leave, joined_price=joined_price, price=price))
    return acts
