"""An account taken forward one event at a time beside the market that values it: what each event changed, and how."""

from collections.abc import Mapping
from typing import NamedTuple, cast

from ledger import exchange
from ledger.account import Account, evolve, leverage_of
from ledger.errors import Unknown
from ledger.events import AccountEvent, AnyEvent, ExchangeEvent, MarginModeSet, MarkPrice, TradeBooked
from ledger.log import RecordedEvent
from ledger.margin import Margin
from ledger.market import Market
from ledger.positions import FLAT, Position
from ledger.postings import postings
from ledger.wallets import NOTHING, Balance, Wallet
from ledger.words import EXCHANGE, PRICES, SPOT, Line, isolated
from projections.questions.margin_wallet import margin_at_last_prices


class BalanceChange(NamedTuple):
    wallet: str
    asset: str
    before: Balance
    after: Balance


class PositionChange(NamedTuple):
    wallet: str
    pair: str
    before: Position
    after: Position


class MarginChange(NamedTuple):
    """A margin wallet before and after an event at the prices of that moment; None where a price is lacking.

    `before_fee` is the wallet of a trade before its fee was taken, the one after where there is no fee.
    """

    before: Margin | None
    before_fee: Margin | None
    after: Margin | None


class Step(NamedTuple):
    """One event of the account and all it changed; `lines` are those of all books."""

    recorded: RecordedEvent
    lines: list[Line]
    before: Account
    after: Account
    margins: dict[str, MarginChange]

    @property
    def balances(self) -> list[BalanceChange]:
        """The balances that are not as before."""
        own = {(line.book.name, line.asset): None for line in self.lines if line.book.account_id == self.after.id}
        found = [BalanceChange(*key, _balance(self.before, *key), _balance(self.after, *key)) for key in own]
        return [change for change in found if change.before != change.after]

    @property
    def positions(self) -> list[PositionChange]:
        """The positions that are not as before."""
        found = []
        for name in self.margins:
            before, after = self.before.wallets.wallet(name).positions, self.after.wallets.wallet(name).positions
            found += [PositionChange(name, pair, before.get(pair, FLAT), now) for pair, now in after.items()]
        return [change for change in found if change.before != change.after]


class Walk:
    """An account and the market as they are at one point; `take` and `mark` lead to the next.

    The account and the market that it is given are changed. Events may come in any order, as those of a business time.
    """

    def __init__(self, account: Account, market: Market) -> None:
        self.account = account
        self.market = market

    def margin(self, wallet: str) -> Margin | None:
        """A margin wallet at the prices last marked; None where a price or a listing is lacking."""
        return self._valued(self.account.wallets.wallet(wallet))

    def mark(self, prices: Mapping[str, MarkPrice]) -> None:
        """The prices of some pairs are now these."""
        self.market.prices.update(prices)

    def take_setting(self, event: ExchangeEvent) -> None:
        """A listing, a limit or a price vector of the exchange is now in force."""
        exchange.evolve(self.market, event)

    def take(self, recorded: RecordedEvent) -> Step:
        """An event of the account happens."""
        event, before = recorded.event, self.account.copy()
        lines = postings(event)
        names = wallets_touched(event, lines) - {SPOT}
        margins_before = {name: self.margin(name) for name in sorted(names)}
        if event.account_id not in (EXCHANGE, PRICES):
            evolve(self.account, cast(AccountEvent, event))
        self.account.version = max(before.version, event.version)
        margins = {name: self._change(name, event, margin) for name, margin in margins_before.items()}
        return Step(recorded, lines, before, self.account.copy(), margins)

    def _change(self, name: str, event: AnyEvent, before: Margin | None) -> MarginChange:
        wallet = self.account.wallets.wallet(name)
        after = self._valued(wallet)
        if not isinstance(event, TradeBooked) or not event.fee:
            return MarginChange(before, after, after)
        balance = wallet.balance(event.fee_asset)
        whole = balance._replace(free=balance.free + event.fee)
        return MarginChange(
            before, self._valued(wallet.with_balances({**wallet.balances, event.fee_asset: whole})), after
        )

    def _valued(self, wallet: Wallet) -> Margin | None:
        try:
            margin = margin_at_last_prices(wallet, self.market, leverage_of(self.account, wallet.name, self.market))
        except Unknown:
            return None
        if margin is not None:
            # Both are kept once asked for, and the market that they are told from moves on.
            _ = margin.valuation, margin.lines
        return margin


def wallets_touched(event: AnyEvent, lines: list[Line]) -> set[str]:
    """The wallets of its account that an event posts to, acts on or sets."""
    touched = {line.book.name for line in lines if line.book.account_id == event.account_id}
    named = isolated(event.pair) if isinstance(event, MarginModeSet) else getattr(event, "wallet", None)
    return touched if named is None else touched | {named}


def _balance(account: Account, wallet: str, asset: str) -> Balance:
    return account.wallets.wallet(wallet).balances.get(asset, NOTHING)
