"""What an account has and owes: spot, the cross pool, isolated buckets, and the positions its trades opened."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from ledger import events as e
from ledger.money import ONE, VALUATION_ASSET, ZERO, Ratio, base_of, quote_of
from ledger.positions import FLAT, Position
from ledger.words import CROSS, FREE, LOCKED, PRINCIPAL, SPOT, Line, Part, isolated, pair_of

ONE_HOUR = timedelta(hours=1)

# A balance is made of a tuple in half the time that its class takes.
_new = tuple.__new__


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
        free, locked, borrowed, interest = self
        if part is FREE:
            return _new(Balance, (free + amount, locked, borrowed, interest))
        if part is LOCKED:
            return Balance(free, locked + amount, borrowed, interest)
        if part is PRINCIPAL:
            return Balance(free, locked, borrowed - amount, interest)
        return Balance(free, locked, borrowed, interest - amount)


NOTHING = Balance()


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

    def with_balances(self, balances: dict[str, Balance]) -> "Wallet":
        """This wallet with other balances; the rest is shared."""
        return Wallet(self.name, balances, self.next_hours, self.positions, self.closing_prices)

    def balance(self, asset: str) -> Balance:
        return self.balances.get(asset, NOTHING)

    @property
    def debts(self) -> dict[str, Balance]:
        """The assets that are owed, with their balances."""
        return {asset: balance for asset, balance in self.balances.items() if balance.borrowed or balance.interest}

    @property
    def owes(self) -> bool:
        """Whether anything is owed."""
        for balance in self.balances.values():  # noqa: SIM110 - any() takes three times as long
            if balance.borrowed or balance.interest:
                return True
        return False


Written = dict[str, Wallet]
"""The wallets that an event writes to, by name: each a new one, which took the place of the one before."""


@dataclass(slots=True)
class Wallets:
    """All wallets of one account; changed only by the lines and facts of its events.

    An event changes no wallet that was there: it puts new ones in place. So a copy is made without copying any.
    """

    account_id: str
    spot: Wallet = field(default_factory=lambda: Wallet(SPOT))
    cross: Wallet = field(default_factory=lambda: Wallet(CROSS))
    isolated: dict[str, Wallet] = field(default_factory=dict)

    def copy(self) -> "Wallets":
        return Wallets(self.account_id, self.spot, self.cross, self.isolated)

    def wallet(self, name: str) -> Wallet:
        """The wallet of that name; a bucket that was never used is empty, with both its assets."""
        if name == SPOT:
            return self.spot
        pair = pair_of(name)
        if pair is None:
            return self.cross
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
        written = self._post(lines)
        posted = tuple(written.values())
        kind = type(event)
        if kind is not e.InterestAccrued:
            for wallet in posted:
                if wallet.name != SPOT:
                    _pass_hours(wallet, event.effective_at)
        change_beside = _BESIDE_POSTINGS.get(kind)
        if change_beside is not None:
            change_beside(self, event, written)
        for wallet in posted:
            if wallet.positions:
                _cut_positions(wallet)

    def _post(self, lines: Iterable[Line]) -> Written:
        """Change the balances, and return the wallets they are of."""
        written: Written = {}
        own_id = self.account_id
        for (account_id, name, part), asset, amount in lines:
            if account_id == own_id:
                balances = (written.get(name) or self.to_write(name, written)).balances
                balance = balances.get(asset, NOTHING)
                if part is FREE:
                    # Most lines are: a call for each would take as long as all else here.
                    free, locked, borrowed, interest = balance
                    balances[asset] = _new(Balance, (free + amount, locked, borrowed, interest))
                else:
                    balances[asset] = balance.posted(part, amount)
        return written

    def to_write(self, name: str, written: Written) -> Wallet:
        """The wallet to write to, once more for each event; a bucket is kept from its first posting on."""
        if name in written:
            return written[name]
        before = self.wallet(name)
        written[name] = wallet = before.with_balances(before.balances.copy())
        if name == SPOT:
            self.spot = wallet
        elif (pair := pair_of(name)) is None:
            self.cross = wallet
        else:
            self.isolated = {**self.isolated, pair: wallet}
        return wallet

    def kept_to_write(self, name: str, written: Written) -> Wallet | None:
        """The wallet to write to unless it is a bucket that was never used."""
        pair = pair_of(name)
        return self.to_write(name, written) if pair is None or pair in self.isolated else None


def _pass_hours(wallet: Wallet, effective_at: datetime) -> None:
    """Whatever moves something in a wallet was decided after charging all hours begun: those at rate zero have no
    line, and count as charged from here on. A debt that is paid has no hours; spot owes nothing."""
    owed = [asset for asset, balance in wallet.balances.items() if balance.borrowed]
    hours = wallet.next_hours
    if not (owed or hours) or (owed == list(hours) and min(hours.values()) > effective_at):
        return
    after = hour_of(effective_at) + ONE_HOUR
    wallet.next_hours = {asset: max(hours.get(asset, after), after) for asset in owed}


def _charge(wallets: Wallets, event: e.InterestAccrued, written: Written) -> None:
    """Remember the hours of interest lines as charged."""
    wallet = wallets.kept_to_write(event.wallet, written)
    if wallet is not None:
        hours = wallet.next_hours = wallet.next_hours.copy()
        for line in event.lines:
            after = line.first_hour + line.hours * ONE_HOUR
            hours[line.asset] = max(hours.get(line.asset, after), after)


def _trade(wallets: Wallets, event: e.TradeBooked, written: Written) -> None:
    """A fill in a margin wallet opens or closes a position, net of a fee taken in the base."""
    if event.wallet == SPOT:
        return
    wallet = wallets.to_write(event.wallet, written)
    traded = wallet.positions.get(event.pair, FLAT).traded(event.base_brought, event.price)
    wallet.positions = {**wallet.positions, event.pair: traded}


def _take_trade_back(wallets: Wallets, event: e.EventReversed, written: Written) -> None:
    """A reversed fill in a margin wallet takes what it brought out of the position."""
    trade = event.trade
    if trade is not None:
        wallet = wallets.to_write(trade.wallet, written)
        before = wallet.positions.get(trade.pair, FLAT)
        wallet.positions = {**wallet.positions, trade.pair: before.taken_back(trade.quantity, trade.price)}


def _start_closing(wallets: Wallets, event: e.LiquidationStarted, written: Written) -> None:
    prices = {base_of(pair): mark.price for pair, mark in event.prices.items() if _values(pair)}
    wallets.to_write(event.wallet, written).closing_prices = {VALUATION_ASSET: ONE, **prices}


def _close_by_fill(wallets: Wallets, event: e.LiquidationFilled, written: Written) -> None:
    wallet = wallets.kept_to_write(event.wallet, written)
    if wallet is not None and event.asset != event.debt_asset:
        wallet.closing_prices = event.closing_prices or wallet.closing_prices
        _close_longs(wallet, event.asset, event.taken)
        _close_shorts(wallet, event.debt_asset, event.interest + event.principal)


def _close_by_fee(wallets: Wallets, event: e.LiquidationCompleted, written: Written) -> None:
    wallet = wallets.kept_to_write(event.wallet, written)
    if wallet is not None:
        wallet.closing_prices = event.closing_prices or wallet.closing_prices
        for asset, amount in event.fee.items():
            _close_longs(wallet, asset, amount)
        wallet.closing_prices = {}


_BESIDE_POSTINGS: dict[type[e.Event], Callable[[Wallets, Any, Written], None]] = {
    e.InterestAccrued: _charge,
    e.TradeBooked: _trade,
    e.EventReversed: _take_trade_back,
    e.LiquidationStarted: _start_closing,
    e.LiquidationFilled: _close_by_fill,
    e.LiquidationCompleted: _close_by_fee,
}
"""What an event changes of wallets beside their balances."""


def _values(pair: str) -> bool:
    return quote_of(pair) == VALUATION_ASSET


def _close_longs(wallet: Wallet, asset: str, taken: Decimal) -> None:
    """Close longs in what a liquidation took, at its price; of several pairs, in order of their names."""
    for pair, position in sorted(wallet.positions.items()):
        if base_of(pair) == asset and position.quantity > 0:
            quantity = min(taken, position.quantity)
            _put(wallet, pair, _liquidated(wallet, pair, position, quantity))
            taken -= quantity


def _close_shorts(wallet: Wallet, asset: str, bought_back: Decimal) -> None:
    """Close shorts in what a liquidation bought back, at its price; of several pairs, in order of their names."""
    for pair, position in sorted(wallet.positions.items()):
        if base_of(pair) == asset and position.quantity < 0:
            quantity = min(bought_back, -position.quantity)
            _put(wallet, pair, _liquidated(wallet, pair, position, quantity))
            bought_back -= quantity


def _liquidated(wallet: Wallet, pair: str, position: Position, quantity: Decimal) -> Position:
    """Closed at the liquidation's price of the pair; left to be cut at its entry price where the quote has none."""
    prices, base, quote = wallet.closing_prices, base_of(pair), quote_of(pair)
    if base not in prices or quote not in prices:
        return position
    return position.closed(quantity, Ratio(prices[base], prices[quote]))


def _put(wallet: Wallet, pair: str, position: Position) -> None:
    """Positions are shared with the wallet before: they are replaced, never changed."""
    wallet.positions = {**wallet.positions, pair: position}


def _cut_positions(wallet: Wallet) -> None:
    for pair, position in wallet.positions.items():
        if position.quantity:
            cut = position.cut(wallet.balance(base_of(pair)).net)
            if cut is not position:
                _put(wallet, pair, cut)


def bucket_of(wallets: Wallets, pair: str) -> Wallet:
    """The bucket of a pair."""
    return wallets.wallet(isolated(pair))
