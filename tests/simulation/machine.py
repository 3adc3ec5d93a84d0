"""The ledger's pure decide and evolve beside the model: every command goes to both, and they must agree."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from ledger import account as accounts_room
from ledger import errors, exchange
from ledger.account import Account
from ledger.account.reversals import Reversible
from ledger.commands import ReverseEvent, parse_command
from ledger.decision import Context
from ledger.events import AnyEvent, InterestAccrued, read_event, write_event
from ledger.exchange import ExchangeCommand
from ledger.market import Market
from ledger.postings import postings
from tests.ledger.as_read import require_as_read
from tests.simulation import model as m
from tests.simulation.drawing import beginnings
from tests.simulation.model_exchange import apply
from tests.simulation.steps import Steps
from tests.simulation.telling import erasures, with_texts

T = TypeVar("T")
START = datetime(2020, 1, 15, 9, 30, tzinfo=UTC)
STAGES: dict[int, tuple[type[errors.Refusal], ...]] = {
    m.UNKNOWN: (errors.Unknown,),
    m.VERSION: (errors.VersionMismatch,),
    m.STATE: (errors.StateRefusal,),
    m.PRICE: (errors.PriceStale, errors.PriceOutOfOrder),
    m.ENOUGH: (
        errors.InsufficientFunds,
        errors.TransferBlocked,
        errors.BorrowBlocked,
        errors.TradeBlocked,
        errors.BorrowLimitExceeded,
        errors.RepaymentExceedsDebt,
        errors.NotLiquidatable,
        errors.InsufficientInsurance,
        errors.CorrectionBlocked,
    ),
}


def stage_of(refusal: errors.Refusal) -> int:
    """Where in the order of refusals this one stands."""
    return next((stage for stage, kinds in STAGES.items() if isinstance(refusal, kinds)), m.MATCH)


class RandomChooser:
    """Choices from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


class Book:
    """The ledger in memory: the market, the accounts, and all events in order."""

    def __init__(self) -> None:
        self.market = Market()
        self.accounts: dict[str, Account] = {}
        self.log: list[AnyEvent] = []
        self.totals: Counter[str] = Counter()

    def take(self, content: dict[str, Any], at: datetime, actor: str) -> errors.Refusal | None:
        """Decide a command and take its events in; its refusal if it is refused."""
        command = parse_command(content)
        context = Context(at=at, actor=actor, correlation_id="simulation")
        try:
            if isinstance(command, ExchangeCommand):
                exchange.admit(command, self.market)
                events: list[AnyEvent] = list(exchange.decide(command, self.market, context))
            else:
                streams = accounts_room.streams_of(command)  # type: ignore[arg-type]
                known = {name: self.accounts.get(name) or Account.unopened(name) for name in streams}
                accounts_room.admit(command, known, self.market)  # type: ignore[arg-type]
                if isinstance(command, ReverseEvent):
                    decision = self._reverse(command, known, context)
                else:
                    decision = accounts_room.decide(command, known, self.market, context)  # type: ignore[arg-type]
                events = list(decision.events)
        except errors.Refusal as refusal:
            return refusal
        self._take_in(events)
        if not isinstance(command, ExchangeCommand):
            for name, decided in decision.accounts.items():
                assert decided == self.accounts[name], "a decision returns the account that its events make"
        return None

    def _reverse(self, command: ReverseEvent, known: dict[str, Account], context: Context) -> Any:
        """Every command here has a key of its own, so the events of a decision are those of its key."""
        place = (command.account_id, command.version)
        keys = [event.idempotency_key for event in self.log if (event.account_id, event.version) == place]
        if not keys:
            raise accounts_room.unknown_event(command, known[command.account_id].version)
        original = accounts_room.original_of(*place, [one for one in self.log if one.idempotency_key == keys[0]])
        if original.other is not None:
            known[original.other.account_id] = self.accounts[original.other.account_id]
        return accounts_room.decide_reversal(command, original, known, self.market, context)

    def _take_in(self, events: list[AnyEvent]) -> None:
        assert events, "an accepted command leaves an event"
        for event in events:
            self.log.append(event)
            require_as_read(event)
            self._require_balanced(event)
            if event.account_id.startswith("@"):
                exchange.evolve(self.market, event)  # type: ignore[arg-type]
                continue
            account = self.accounts.setdefault(event.account_id, Account.unopened(event.account_id))
            assert event.version == account.version + 1
            accounts_room.evolve(account, event)  # type: ignore[arg-type]
            require_nothing_below_zero(account)

    def _require_balanced(self, event: AnyEvent) -> None:
        sums: dict[str, Decimal] = {}
        for line in postings(event):
            sums[line.asset] = sums.get(line.asset, Decimal(0)) + line.amount
            if line.book.account_id is None:
                self.totals[f"{line.book.path} {line.asset}"] += line.amount  # type: ignore[assignment]
        assert not any(sums.values()), (event, sums)

    def require_replay(self) -> None:
        """Folding the stored bytes again gives the same accounts."""
        again: dict[str, list[Any]] = {}
        for event in self.log:
            if not event.account_id.startswith("@"):
                again.setdefault(event.account_id, []).append(read_event(event.TOPIC, write_event(event)))
        for name, events in again.items():
            assert accounts_room.fold(name, events) == self.accounts[name]


def require_nothing_below_zero(account: Account) -> None:
    """No balance ever goes below zero."""
    for wallet in account.wallets.all():
        for asset, balance in wallet.balances.items():
            assert min(balance) >= 0, (account.id, wallet.name, asset, balance)


class Simulation:
    """The book and the model side by side."""

    def __init__(self) -> None:
        self.book, self.world, self.keys = Book(), m.World(START), 0
        self.outcomes: Counter[str] = Counter()
        self.history: list[tuple[datetime, dict[str, Any], str]] = []
        for content in beginnings():
            assert self.step(content) is None

    def step(self, content: dict[str, Any], passed: timedelta = timedelta(0)) -> errors.Refusal | None:
        """Give both the same command and compare what they say and have."""
        self.world.now += passed
        self.keys += 1
        actor = content.get("actor", "simulation")
        content = {**with_texts(content, self.keys), "idempotency_key": f"K{self.keys}"}
        content.pop("actor", None)
        end = len(self.book.log)
        refusal = self.book.take(content, self.world.now, actor)
        self.history.append(
            (self.world.now, {**content, "actor": actor}, "recorded" if refusal is None else refusal.code)
        )
        assert not isinstance(refusal, errors.Malformed), f"{content}: {refusal}"
        expected = apply(self.world, content, actor)
        said = None if refusal is None else stage_of(refusal)
        self.outcomes[f"{content['type']} {'recorded' if refusal is None else refusal.code}"] += 1
        told = "" if refusal is None else f"{refusal.code}: {refusal.detail}"
        assert said == expected, f"{content}: the model expects {expected}, the ledger says {said} {told}"
        if refusal is None:
            for name, holder in self.world.holders.items():
                holder.version = self.book.accounts[name].version
            self._name_deeds(self.book.log[end:])
            self.compare()
        return refusal

    def _name_deeds(self, news: list[AnyEvent]) -> None:
        """What the model did and the events that may be reversed are one for one; each deed gets its version."""
        for event in news:
            if isinstance(event, Reversible):
                wallet = getattr(event, "wallet", None) if isinstance(event, InterestAccrued) else None
                deed = next(
                    one
                    for one in self.world.done
                    if (one.name, one.topic) == (event.account_id, event.TOPIC) and wallet in (None, *one.wallets)
                )
                self.world.done.remove(deed)
                self.world.holders[event.account_id].deeds[event.version] = deed
        assert not self.world.done

    def compare(self) -> None:
        """Everybody has in the ledger what the model gives them."""
        compare_prices(self.book.market, self.world)
        for name, holder in self.world.holders.items():
            compare_balances(self.book.accounts[name], holder)
            compare_positions(self.book.accounts[name], holder)
            compare_settings(self.book.accounts[name], holder)
        for asset, value in self.world.insurance.items():
            assert Fraction(self.book.totals[f"insurance {asset}"]) == value, f"insurance of {asset}"


def compare_prices(market: Market, world: m.World) -> None:
    """The same prices count, and the same are held of the same sources."""
    assert {pair: (Fraction(one.price), one.effective_at) for pair, one in market.prices.items()} == world.prices
    assert {
        pair: {source: (Fraction(one.price), one.effective_at) for source, one in there.items()}
        for pair, there in market.held_prices.items()
    } == {pair: {source: one[:2] for source, one in there.items()} for pair, there in world.held.items()}
    assert market.newest_prices_at == world.newest


def compare_balances(account: Account, holder: m.Holder) -> None:
    for (wallet, asset), four in holder.has.items():
        there = [Fraction(value) for value in account.wallets.wallet(wallet).balance(asset)]
        assert there == four, f"{account.id} {wallet} {asset}: model {shown(four)}, ledger {shown(there)}"
    for kept in account.wallets.all():
        for asset, balance in kept.balances.items():
            assert not any(balance) or (kept.name, asset) in holder.has


def compare_settings(account: Account, holder: m.Holder) -> None:
    """The same state, modes, leverages, holds, withdrawals, calls and running liquidations."""
    assert (account.status == "closed", {*map(str, account.blocks)}) == (holder.closed, holder.blocks)
    assert (account.modes, account.erasures) == (holder.modes, holder.erasures)
    assert {wallet: Fraction(leverage) for wallet, leverage in account.leverages.items()} == holder.leverages
    holds = {hold_id: [h.wallet, h.asset, Fraction(h.amount)] for hold_id, h in account.holds.items()}
    assert holds == holder.holds
    withdrawals = {name: [w.asset, Fraction(w.amount), w.status] for name, w in account.withdrawals.items()}
    assert withdrawals == holder.withdrawals
    adjustments = {
        name: [one.wallet, one.asset, Fraction(one.amount), one.status, one.proposed_by]
        for name, one in account.adjustments.items()
    }
    assert adjustments == holder.adjustments
    assert {int(version) for version in account.reversals} == {
        version for version, deed in holder.deeds.items() if deed.reversed
    }
    assert account.called_at == holder.called
    running = {
        wallet: m.Running(
            one.liquidation_id,
            Fraction(one.fee_rate),
            None if one.target is None else Fraction(one.target),
            one.tier,
            {k: Fraction(v) for k, v in one.repaid.items()},
        )
        for wallet, one in account.liquidations.items()
    }
    assert running == holder.running


def compare_positions(account: Account, holder: m.Holder) -> None:
    for (wallet, pair), (quantity, cost, profit) in holder.positions.items():
        position = account.wallets.wallet(wallet).positions[pair]
        assert Fraction(position.quantity) == quantity, f"{account.id} {wallet} {pair}: {position}, model {quantity}"
        there = (Fraction(position.cost), Fraction(position.realised_profit))
        for mine, other in zip((cost, profit), there, strict=True):
            shows = f"{account.id} {wallet} {pair}: model {shown((quantity, cost, profit))}, ledger {shown(there)}"
            assert abs(mine - other) < Fraction(1, 10**12), shows


def shown(values: Sequence[Fraction]) -> str:
    return ", ".join(f"{float(value):.10g}" for value in values)


def run(steps: int, seed: int, *settings: dict[str, Any], drawing: type[Steps] = Steps) -> Simulation:
    """Simulate so many commands from a seed, after these settings; raises at the first disagreement."""
    simulation = Simulation()
    for content in settings:
        assert simulation.step(content) is None
    drawn = drawing(RandomChooser(seed), simulation.world)
    for _ in range(steps):
        command = drawn.command()
        simulation.step(command, drawn.pass_time(command))
    for command in erasures(sorted(simulation.world.holders)):
        simulation.step(command)
    simulation.book.require_replay()
    return simulation
