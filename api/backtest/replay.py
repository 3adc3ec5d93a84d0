"""Falls replayed through the real ledger: prices, the examination of who owes, and then what people do."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from random import Random

from api.backtest.falls import Fall
from api.backtest.population import SCALE, Trader, people
from api.backtest.unwinding import close_positions
from api.demo import opening
from api.demo.candles import Vector
from api.demo.house import RunningHouse
from api.demo.script import MAKER, Script, quantity_of
from ledger.money import VALUATION_ASSET, round_up
from ledger.outcomes import Outcome, Refused
from projections.margin_levels.queries import OwingWallet, wallets_that_owe

ACTOR = "backtest"
# What the insurance fund is given at the beginning of each fall, as a part of what its traders put in.
PART_INSURED = Decimal("0.02")
# What the market maker has of every asset for each trader, in the valuation asset: more than all could trade.
DEPTH = Decimal(1_000_000)
# How often a trader who has joined trades at one vector.
TRADES_OFTEN = 0.01


class BacktestFailed(RuntimeError):
    """What must hold in every backtest does not; the message says what was found."""


class Replay:
    """Replays falls in one ledger, one after the other, each with traders of its own drawn from the seed and its name.

    So what happens to the traders of a fall is the same whichever falls are replayed beside it.
    """

    def __init__(self, falls: Sequence[Fall], accounts: int, seed: int, house: RunningHouse) -> None:
        self.commands = 0
        self.refusals: Counter[str] = Counter()
        self._falls = falls
        self._accounts = accounts
        self._seed = seed
        self._house = house
        self._prices: dict[str, Decimal] = {}

    def steps(self) -> Iterator[Vector]:
        """Replays one vector after the other, and yields each when it is over."""
        first = self._falls[0].scenario
        self._insist(opening.market(first, first.vectors[0].at))
        for fall in self._falls:
            random = Random(f"{self._seed} {fall.name}")
            traders = list(people(fall, self._accounts, random))
            self._open(fall, traders)
            yield from self._play(fall, traders, random)

    def _open(self, fall: Fall, traders: Sequence[Trader]) -> None:
        """Opens the accounts, funds the insurance, and gives the market maker depth; all of it must be accepted."""
        vector = fall.scenario.vectors[0]
        script = Script("opening", vector.at)
        if fall is self._falls[0]:
            script.write("open_account", MAKER)
        for asset, price in _assets(fall, vector):
            amount = quantity_of(DEPTH * (1 + len(traders)), price, SCALE)
            deposit_id = f"deposit-{fall.name}-{asset}"
            script.write("deposit", MAKER, asset=asset, amount=amount, deposit_id=deposit_id)
        insured = sum((trader.stake for trader in traders), Decimal(0)) * PART_INSURED
        script.write("fund_insurance", asset=VALUATION_ASSET, amount=round_up(insured, SCALE))
        for trader in traders:
            trader.open(script, vector.prices)
        self._insist(script)

    def _play(self, fall: Fall, traders: Sequence[Trader], random: Random) -> Iterator[Vector]:
        joining: defaultdict[int, list[Trader]] = defaultdict(list)
        for trader in traders:
            joining[trader.joins_at].append(trader)
        by_name = {trader.account_id: trader for trader in traders}
        for number, vector in enumerate(fall.scenario.vectors):
            self._mark(fall, vector)
            called = self._house.examine()
            self._act(vector, joining.get(number, []), self._drawn(traders, number, random), random)
            self._answer_calls(vector.at, [by_name[name] for name in called])
            if number + 1 == len(fall.scenario.vectors):
                self._unwind(fall, vector)
            yield vector

    def _drawn(self, traders: Sequence[Trader], number: int, random: Random) -> list[Trader]:
        return [trader for trader in traders if random.random() < TRADES_OFTEN and trader.joins_at < number]

    def _mark(self, fall: Fall, vector: Vector) -> None:
        self._prices |= vector.prices
        script = Script("prices", vector.at)
        script.write("mark_prices", prices=vector.prices, source=fall.scenario.source)
        self._insist(script)

    def _act(self, vector: Vector, joining: Iterable[Trader], trading: Iterable[Trader], random: Random) -> None:
        script = Script("people", vector.at)
        for trader in joining:
            trader.join(script, self._prices)
        for trader in trading:
            trader.trade_a_little(script, self._prices, random)
        self._submit(script)

    def _answer_calls(self, at: datetime, called: Iterable[Trader]) -> None:
        """Some of those who were called put up more margin."""
        script = Script("answers", at)
        for trader in called:
            if trader.answers_calls:
                trader.answer_call(script)
        self._submit(script)

    def _unwind(self, fall: Fall, vector: Vector) -> None:
        """Lets everybody who still owes close out and repay; afterwards nobody owes anything."""
        script = Script("unwinding", vector.at)
        close_positions(script, self._owing(), fall.scenario.listings, self._prices)
        self._insist(script)
        if left := [f"{one.account_id} {one.wallet.name}" for one in self._owing()]:
            raise BacktestFailed(f"at the end of {fall.name} these wallets still owe: {', '.join(left)}")

    def _owing(self) -> list[OwingWallet]:
        with self._house.look() as snapshot:
            return list(wallets_that_owe(snapshot.connection, snapshot.position))

    def _submit(self, script: Script) -> None:
        """Submits what people wish, which may be refused."""
        for outcome in self._recorded(script):
            if isinstance(outcome, Refused):
                self.refusals[outcome.refusal.code] += 1

    def _insist(self, script: Script) -> None:
        """Submits what the backtest rests on."""
        for command, outcome in zip(script.commands, self._recorded(script), strict=True):
            if isinstance(outcome, Refused):
                raise BacktestFailed(f"{command.type} was refused ({outcome.refusal.code}): {outcome.refusal.detail}")

    def _recorded(self, script: Script) -> list[Outcome]:
        """Submits a script; its request has the same id in every run, for events state it."""
        self.commands += len(script.commands)
        request = f"{script.name}:{script.at:%Y%m%dT%H%M%S}"
        return self._house.submit(script.commands, request) if script.commands else []


def _assets(fall: Fall, vector: Vector) -> Iterator[tuple[str, Decimal]]:
    """Every asset of a market with its price in the valuation asset."""
    yield VALUATION_ASSET, Decimal(1)
    for listing in fall.scenario.listings:
        yield listing.base, vector.prices[listing.pair]
