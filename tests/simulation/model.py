"""A small model of the whole ledger, written from the domain's text alone: plain dicts of exact fractions, no events.

It predicts for a command whether it is accepted and what everybody has afterwards. It knows nothing of the ledger's
own code, so that where the two disagree one of them has misread the domain.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

from tests.simulation.model_deeds import Deed, KeepsDeeds

HOUR = timedelta(hours=1)
CAPABILITIES = frozenset({"deposit", "withdraw", "transfer", "borrow", "trade"})
FREE, LOCKED, BORROWED, INTEREST = range(4)

# The stages of a refusal, in the order in which they are looked at.
UNKNOWN, VERSION, STATE, MATCH, PRICE, ENOUGH = 2, 4, 5, 6, 7, 8


class Refused(Exception):
    """The model expects a refusal at this stage."""

    def __init__(self, stage: int, why: str = "") -> None:
        super().__init__(f"stage {stage}: {why}")
        self.stage = stage


def up(value: Fraction, scale: int) -> Fraction:
    return Fraction(ceil(value * 10**scale), 10**scale)


def down(value: Fraction, scale: int) -> Fraction:
    return Fraction(floor(value * 10**scale), 10**scale)


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def base(pair: str) -> str:
    return pair.split("/")[0]


def quote(pair: str) -> str:
    return pair.split("/")[1]


def pair_in(wallet: str) -> str | None:
    return wallet.split(":")[1] if ":" in wallet else None


@dataclass
class Asset:
    scale: int
    rate: Fraction
    changes: list[tuple[datetime, Fraction]] = field(default_factory=list)
    borrow_limit: Fraction | None = None
    tiers: list[tuple[Fraction | None, Fraction]] = field(default_factory=lambda: [(None, Fraction(1))])
    enabled: set[str] = field(default_factory=lambda: {"transfer", "borrow", "trade"})

    def rate_at(self, hour: datetime) -> Fraction:
        """The rate with the latest date at or before the hour; of the same date, the one set last."""
        known = [(at, place) for place, (at, _) in enumerate(self.changes) if at <= hour]
        return self.changes[max(known)[1]][1] if known else self.rate


@dataclass
class Row:
    """One tier of risk limits."""

    leverage: Fraction
    initial: Fraction
    call: Fraction
    liquidation: Fraction
    out: Fraction = Fraction(2)
    base_limit: Fraction | None = None
    quote_limit: Fraction | None = None


@dataclass
class Limits:
    rows: list[Row]
    age: int = 60
    fee: Fraction = Fraction(2, 100)
    dust: Fraction = Fraction(1)
    jump: Fraction | None = None
    target: Fraction | None = None
    execution: str = "house"
    seconds: int | None = None


@dataclass
class Pair:
    leverage: Fraction
    status: str = "trading"


def row(leverage: str, liquidation: str, call: str, initial: str) -> Row:
    return Row(Fraction(leverage), Fraction(initial), Fraction(call), Fraction(liquidation))


CROSS_ROWS = [row("3", "1.1", "1.3", "1.5"), row("5", "1.1", "1.16", "1.25")]
PAIR_ROWS = [
    row("3", "1.18", "1.22", "1.5"),
    row("5", "1.15", "1.19", "1.25"),
    row("10", "1.05", "1.09", "1.111"),
]


@dataclass
class Running:
    """A liquidation: its id, fee, target and tier as they were when it started, and what was repaid since."""

    name: str
    fee: Fraction
    target: Fraction | None = None
    tier: int | None = None
    repaid: dict[str, Fraction] = field(default_factory=dict)

    def count(self, asset: str, amount: Fraction) -> None:
        self.repaid[asset] = self.repaid.get(asset, Fraction(0)) + amount


@dataclass
class Holder:
    """One account: four numbers for each wallet and asset, and what else its commands left."""

    version: int = 1
    frozen: bool = False
    closed: bool = False
    blocks: set[str] = field(default_factory=set)
    has: dict[tuple[str, str], list[Fraction]] = field(default_factory=dict)
    next_hour: dict[tuple[str, str], datetime] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    leverages: dict[str, Fraction] = field(default_factory=dict)
    holds: dict[str, list[Any]] = field(default_factory=dict)
    withdrawals: dict[str, list[Any]] = field(default_factory=dict)
    called: dict[str, datetime] = field(default_factory=dict)
    positions: dict[tuple[str, str], list[Fraction]] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    adjustments: dict[str, list[Any]] = field(default_factory=dict)
    deeds: dict[int, Deed] = field(default_factory=dict)
    erasures: int = 0

    def at(self, wallet: str, asset: str) -> list[Fraction]:
        return self.has.setdefault((wallet, asset), [Fraction(0)] * 4)

    def free(self, wallet: str, asset: str) -> Fraction:
        return self.at(wallet, asset)[FREE]

    def owed(self, wallet: str, asset: str) -> Fraction:
        four = self.at(wallet, asset)
        return four[BORROWED] + four[INTEREST]

    def net(self, wallet: str, asset: str) -> Fraction:
        four = self.at(wallet, asset)
        return four[FREE] + four[LOCKED] - four[BORROWED] - four[INTEREST]

    def assets_in(self, wallet: str) -> list[str]:
        """The assets a wallet has something of, or owes."""
        return sorted(asset for (name, asset), four in self.has.items() if name == wallet and any(four))

    def owes(self, wallet: str) -> bool:
        return any(self.owed(wallet, asset) for asset in self.assets_in(wallet))

    def mode(self, pair: str) -> str:
        return self.modes.get(pair, "cross")

    def take(self, wallet: str, asset: str, amount: Fraction) -> None:
        """Out of free, or a refusal."""
        if amount > self.free(wallet, asset):
            raise Refused(ENOUGH, f"{wallet} has {self.free(wallet, asset)} {asset}, {amount} asked")
        self.at(wallet, asset)[FREE] -= amount

    def give(self, wallet: str, asset: str, amount: Fraction) -> None:
        self.at(wallet, asset)[FREE] += amount

    def may(self, capability: str) -> None:
        if self.closed:
            raise Refused(STATE, "closed")
        if self.frozen and capability in self.blocks:
            raise Refused(STATE, f"{capability} is blocked")

    def idle(self, *wallets: str) -> None:
        """While a liquidation runs, the wallet refuses all else but its fills."""
        if any(wallet in self.running for wallet in wallets):
            raise Refused(STATE, "a liquidation runs")

    def trade(self, wallet: str, pair: str, quantity: Fraction, price: Fraction) -> None:
        """Bring a position up to a trade of a signed quantity."""
        held, cost, profit = self.positions.get((wallet, pair), [Fraction(0)] * 3)
        if held * quantity < 0:
            closing = min(abs(held), abs(quantity))
            part = cost * closing / abs(held)
            signed = closing if held > 0 else -closing
            held, cost, profit = held - signed, cost - part, profit + signed * price - part
            quantity += signed
        if quantity:
            held, cost = held + quantity, cost + quantity * price
        self.positions[wallet, pair] = [held, cost, profit]

    def cut(self, wallet: str) -> None:
        """Cut the positions of a wallet to what is there."""
        for (name, pair), (held, cost, profit) in self.positions.items():
            if name == wallet and held:
                net = self.net(wallet, base(pair))
                there = max(net, Fraction(0)) if held > 0 else min(net, Fraction(0))
                if abs(there) < abs(held):
                    self.positions[name, pair] = [there, cost * there / held, profit]


Mark = tuple[Fraction, datetime]
"""A price and its business time."""


class Held(NamedTuple):
    """A price that is held: its time, its turn among all that were held, and the bound that it passed."""

    price: Fraction
    at: datetime
    turn: int
    jump: Fraction


@dataclass
class World(KeepsDeeds):
    """Everything: the exchange's settings, the prices, and all accounts."""

    now: datetime
    assets: dict[str, Asset] = field(default_factory=dict)
    pairs: dict[str, Pair] = field(default_factory=dict)
    limits: dict[str, Limits] = field(default_factory=lambda: {"cross": Limits(list(CROSS_ROWS))})
    prices: dict[str, Mark] = field(default_factory=dict)
    held: dict[str, dict[str, Held]] = field(default_factory=dict)
    turn: int = 0
    newest: datetime | None = None
    fund: dict[str, Fraction] = field(default_factory=dict)
    insurance: dict[str, Fraction] = field(default_factory=dict)
    holders: dict[str, Holder] = field(default_factory=dict)
    actor: str = ""
    done: list[Deed] = field(default_factory=list)

    def holder(self, name: str) -> Holder:
        if name not in self.holders:
            raise Refused(UNKNOWN, name)
        return self.holders[name]

    def asset(self, symbol: str) -> Asset:
        if symbol not in self.assets:
            raise Refused(UNKNOWN, symbol)
        return self.assets[symbol]

    def pair(self, name: str) -> Pair:
        if name not in self.pairs:
            raise Refused(UNKNOWN, name)
        return self.pairs[name]

    def limits_of(self, scope: str) -> Limits:
        if scope in self.limits:
            return self.limits[scope]
        known = [line for line in PAIR_ROWS if line.leverage >= self.pair(scope).leverage]
        return Limits([known[0]])

    def price(self, asset: str, scope: str, at: datetime | None) -> Fraction:
        """The mark price of an asset; `at` None asks for the last one however old."""
        if asset == "USDT":
            return Fraction(1)
        if f"{asset}/USDT" not in self.prices:
            raise Refused(PRICE, f"{asset} was never marked")
        price, marked_at = self.prices[f"{asset}/USDT"]
        if at is not None and at - marked_at > timedelta(seconds=self.limits_of(scope).age):
            raise Refused(PRICE, f"{asset} is stale")
        return price

    def charge(self, holder: Holder, wallet: str, at: datetime) -> bool:
        """Charge every hour begun by then that is not yet charged; whether that cost anything."""
        charged = False
        for asset in holder.assets_in(wallet):
            four = holder.at(wallet, asset)
            hour = holder.next_hour.get((wallet, asset))
            while four[BORROWED] and hour is not None and hour <= at:
                cost = self.cost_of_hour(asset, four[BORROWED], hour)
                self.owe(holder, wallet, asset, cost)
                hour, charged = hour + HOUR, charged or cost > 0
                holder.next_hour[wallet, asset] = hour
        holder.cut(wallet)
        return charged

    def cost_of_hour(self, asset: str, principal: Fraction, hour: datetime) -> Fraction:
        listing = self.assets[asset]
        return up(principal * listing.rate_at(hour) / 24, listing.scale)


def forget_paid(holder: Holder, wallet: str, asset: str) -> None:
    """A debt that is paid has no hours to come."""
    if not holder.at(wallet, asset)[BORROWED]:
        holder.next_hour.pop((wallet, asset), None)
