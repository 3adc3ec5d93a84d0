"""What an account has and owes: spot, the cross pool, isolated buckets, and the positions its trades opened."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Self

from ledger import events as e
from ledger.money import ONE, VALUATION_ASSET, ZERO, Ratio, base_of, divide_down, quote_of
from ledger.words import CROSS, SPOT, Line, Part, Side, isolated, pair_of

ENTRY_SCALE = 24
"""Decimals kept of what a part of a position cost, where the average entry price does not come out even."""

ONE_HOUR = timedelta(hours=1)


def hour_of(at: datetime) -> datetime:
    """The clock hour a moment lies in, named by its start."""
    return at.replace(minute=0, second=0, microsecond=0)


class Balance(NamedTuple):
    """What a wallet has of one asset, all at least zero."""

    free: Decimal = ZERO
    locked: Decimal = ZERO
    borrowed: Decimal = ZERO
    interest: Decimal = ZERO

    @property
    def held(self) -> Decimal:
        return self.free + self.locked

    @property
    def owed(self) -> Decimal:
        return self.borrowed + self.interest

    @property
    def net(self) -> Decimal:
        return self.free + self.locked - self.borrowed - self.interest

    def posted(self, part: Part, amount: Decimal) -> "Balance":
        """This balance after a line of that amount; principal and interest are negative books."""
        match part:
            case Part.FREE:
                return Balance(self.free + amount, self.locked, self.borrowed, self.interest)
            case Part.LOCKED:
                return Balance(self.free, self.locked + amount, self.borrowed, self.interest)
            case Part.PRINCIPAL:
                return Balance(self.free, self.locked, self.borrowed - amount, self.interest)
            case Part.INTEREST:
                return Balance(self.free, self.locked, self.borrowed, self.interest - amount)


NOTHING = Balance()


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


@dataclass(slots=True)
class Wallet:
    """One wallet: balances by asset, the first uncharged hour of each debt, positions by pair.

    `closing_prices` are those of a running liquidation, in the valuation asset by asset.
    """

    name: str
    balances: dict[str, Balance] = field(default_factory=dict)
    next_hours: dict[str, datetime] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    closing_prices: dict[str, Decimal] = field(default_factory=dict)

    def copy(self) -> "Wallet":
        hours, positions = self.next_hours.copy(), self.positions.copy()
        return Wallet(self.name, self.balances.copy(), hours, positions, self.closing_prices)

    def balance(self, asset: str) -> Balance:
        return self.balances.get(asset, NOTHING)

    @property
    def debts(self) -> dict[str, Balance]:
        """The assets that are owed, with their balances."""
        return {asset: balance for asset, balance in self.balances.items() if balance.borrowed or balance.interest}


@dataclass(slots=True)
class Wallets:
    """All wallets of one account; changed only by the lines and facts of its events."""

    account_id: str
    spot: Wallet = field(default_factory=lambda: Wallet(SPOT))
    cross: Wallet = field(default_factory=lambda: Wallet(CROSS))
    isolated: dict[str, Wallet] = field(default_factory=dict)

    def copy(self) -> Self:
        buckets = {pair: bucket.copy() for pair, bucket in self.isolated.items()}
        return type(self)(self.account_id, self.spot.copy(), self.cross.copy(), buckets)

    def wallet(self, name: str) -> Wallet:
        """The wallet of that name; a bucket that was never used is empty, with both its assets."""
        pair = pair_of(name)
        if pair is None:
            return self.spot if name == SPOT else self.cross
        return self.isolated.get(pair) or Wallet(name, {base_of(pair): NOTHING, quote_of(pair): NOTHING})

    def all(self) -> Iterable[Wallet]:
        yield self.spot
        yield self.cross
        yield from self.isolated.values()

    def borrowed(self, asset: str) -> Decimal:
        """Principal owed of an asset over all wallets."""
        return sum((wallet.balance(asset).borrowed for wallet in self.all()), ZERO)

    def apply(self, event: e.AnyEvent, lines: Iterable[Line]) -> None:
        """Post an event's lines, then bring charged hours and positions up to it; never refused."""
        touched = self._post(lines)
        if isinstance(event, e.InterestAccrued):
            self._charge(event)
        else:
            self._pass_hours(event.effective_at, touched)
        self._trade(event)
        for name in touched:
            _cut_positions(self.wallet(name))

    def _post(self, lines: Iterable[Line]) -> set[str]:
        """Change the balances, and return of which wallets."""
        touched = set()
        for (account_id, name, part), asset, amount in lines:
            if account_id == self.account_id:
                balances = self._kept(name).balances
                balances[asset] = balances.get(asset, NOTHING).posted(part, amount)
                touched.add(name)
        return touched

    def _kept(self, name: str) -> Wallet:
        """The wallet to write to; a bucket is kept from its first posting on."""
        wallet = self.wallet(name)
        pair = pair_of(name)
        if pair is not None:
            self.isolated.setdefault(pair, wallet)
        return wallet

    def _charge(self, event: e.InterestAccrued) -> None:
        """Remember the hours of interest lines as charged."""
        hours = self.wallet(event.wallet).next_hours
        for line in event.lines:
            after = line.first_hour + line.hours * ONE_HOUR
            hours[line.asset] = max(hours.get(line.asset, after), after)

    def _pass_hours(self, effective_at: datetime, names: Iterable[str]) -> None:
        """Whatever moves something in a wallet was decided after charging all hours begun: those at rate zero have no
        line, and count as charged from here on. A debt that is paid has no hours."""
        after = hour_of(effective_at) + ONE_HOUR
        for name in names:
            wallet = self.wallet(name)
            owed = [asset for asset, balance in wallet.balances.items() if balance.borrowed]
            hours = wallet.next_hours
            wallet.next_hours = {asset: max(hours.get(asset, after), after) for asset in owed}

    def _trade(self, event: e.AnyEvent) -> None:
        match event:
            case e.TradeBooked() if event.wallet != SPOT:
                fee = event.fee if event.fee_asset == base_of(event.pair) else ZERO
                quantity = (event.quantity if event.side is Side.BUY else -event.quantity) - fee
                positions = self._kept(event.wallet).positions
                positions[event.pair] = positions.get(event.pair, FLAT).traded(quantity, event.price)
            case e.LiquidationStarted():
                prices = {base_of(pair): mark.price for pair, mark in event.prices.items() if _values(pair)}
                self._kept(event.wallet).closing_prices = {VALUATION_ASSET: ONE, **prices}
            case e.LiquidationFilled() if event.asset != event.debt_asset:
                wallet = self.wallet(event.wallet)
                wallet.closing_prices = event.closing_prices or wallet.closing_prices
                _close_longs(wallet, event.asset, event.taken)
                _close_shorts(wallet, event.debt_asset, event.interest + event.principal)
            case e.LiquidationCompleted():
                wallet = self.wallet(event.wallet)
                wallet.closing_prices = event.closing_prices or wallet.closing_prices
                for asset, amount in event.fee.items():
                    _close_longs(wallet, asset, amount)
                wallet.closing_prices = {}
            case _:
                pass


def _values(pair: str) -> bool:
    return quote_of(pair) == VALUATION_ASSET


def _close_longs(wallet: Wallet, asset: str, taken: Decimal) -> None:
    """Close longs in what a liquidation took, at its price; of several pairs, in order of their names."""
    for pair, position in sorted(wallet.positions.items()):
        if base_of(pair) == asset and position.quantity > 0:
            quantity = min(taken, position.quantity)
            wallet.positions[pair] = _liquidated(wallet, pair, position, quantity)
            taken -= quantity


def _close_shorts(wallet: Wallet, asset: str, bought_back: Decimal) -> None:
    """Close shorts in what a liquidation bought back, at its price; of several pairs, in order of their names."""
    for pair, position in sorted(wallet.positions.items()):
        if base_of(pair) == asset and position.quantity < 0:
            quantity = min(bought_back, -position.quantity)
            wallet.positions[pair] = _liquidated(wallet, pair, position, quantity)
            bought_back -= quantity


def _liquidated(wallet: Wallet, pair: str, position: Position, quantity: Decimal) -> Position:
    """Closed at the liquidation's price of the pair; left to be cut at its entry price where the quote has none."""
    prices, base, quote = wallet.closing_prices, base_of(pair), quote_of(pair)
    if base not in prices or quote not in prices:
        return position
    return position.closed(quantity, Ratio(prices[base], prices[quote]))


def _cut_positions(wallet: Wallet) -> None:
    for pair, position in wallet.positions.items():
        if position.quantity:
            wallet.positions[pair] = position.cut(wallet.balance(base_of(pair)).net)


def bucket_of(wallets: Wallets, pair: str) -> Wallet:
    """The bucket of a pair."""
    return wallets.wallet(isolated(pair))
