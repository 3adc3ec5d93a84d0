"""What shocked prices would do to all wallets that owe: gone through once, for many shocks at the same time."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ledger import events as e
from ledger.account import Account, leverage_of
from ledger.interest import charged, due_lines
from ledger.margin import Margin, show_level, valued_assets
from ledger.market import Market
from ledger.money import ZERO, base_of
from ledger.wallets import Wallet
from ledger.words import Band
from projections.margin_levels.queries import OwingWallet
from projections.questions.margin_wallet import UNPRICED, lacking_prices, margin_at_fresh_prices
from projections.questions.what_if_examination import Amounts, account_of, close_out_of, examined
from projections.questions.what_if_kept import Acted, FundUse, Outcome, Seen, Worst

MOST_UNPRICED = 100
ASKING = (Band.MARGIN_CALL, Band.LIQUIDATION)


@dataclass
class Tally:
    """What one shocked market would do: how many wallets in each band, and what became of those acted on.

    `moved` are the assets whose prices differ; a wallet without any of them stands as it stood. `acted` is by name of
    wallet; only of those that `worst` takes is more kept than sums and what the fund goes through.
    """

    market: Market
    moved: frozenset[str]
    worst: Worst | None = None
    bands: Counter[str] = field(default_factory=Counter)
    acted: dict[str, Acted] = field(default_factory=dict)
    fund_use: FundUse = field(default_factory=FundUse)

    def take(self, account: Account, wallet: Wallet, before: Margin, *, is_running: bool) -> None:
        """Take one priced wallet in; one that is being liquidated already takes no examination."""
        after = before
        if not self.moved.isdisjoint(valued_assets(wallet)):
            shocked = margin_at_fresh_prices(wallet, self.market, before.leverage)
            assert shocked is not None, "a shocked price is as fresh as the one it takes the place of"
            after = shocked
        self.bands[after.band] += 1
        if after.band in ASKING and not is_running:
            events = examined(account, wallet.name, self.market)
            close_out = close_out_of(events)
            if close_out is not None or any(isinstance(event, e.MarginCalled) for event in events):
                self._keep(Outcome(account.id, wallet.name, _seen(before), _seen(after), close_out))

    def _keep(self, outcome: Outcome) -> None:
        self.acted.setdefault(outcome.wallet, Acted()).take(outcome.close_out)
        if outcome.close_out is not None:
            self.fund_use.take(outcome.place, outcome.close_out.fund)
        if self.worst is not None:
            self.worst.take(outcome)

    @property
    def whole(self) -> Acted:
        """The sums over all wallets."""
        whole = Acted()
        for acted in self.acted.values():
            whole.add(acted)
        return whole

    def value_of(self, amounts: Amounts) -> Decimal:
        """Amounts in the valuation asset, at the shocked prices."""
        prices = self.market.last_prices(amounts).of
        return sum((amount * prices[asset] for asset, amount in amounts.items()), ZERO)


@dataclass
class Weighed:
    """All wallets that owe, weighed at the prices as they are and at shocked ones.

    `unpriced` are the first that lack a fresh price, in order of account and wallet; `backdated` how many have
    something below zero as of a business time. Neither is in any band, nor guessed at.
    """

    tallies: list[Tally]
    bands: Counter[str] = field(default_factory=Counter)
    unpriced: list[tuple[str, str, list[str]]] = field(default_factory=list)
    running: int = 0
    backdated: int = 0


def tally_of(before: Market, after: Market, worst: Worst | None = None) -> Tally:
    """An empty tally of a market with other prices; those acted on are listed by what is given for it."""
    moved = [pair for pair, mark in after.prices.items() if mark.price != before.prices[pair].price]
    return Tally(after, frozenset(base_of(pair) for pair in moved), worst)


def weigh(wallets: Iterable[OwingWallet], market: Market, tallies: Sequence[Tally]) -> Weighed:
    """Weigh each wallet once, with the interest due by the newest prices, and take it into every tally.

    The wallets are gone through once, and none of them is kept, however many there are: see Tally. A
    screen may leave wallets out that stay above their call lines in all the markets; it then counts their bands.
    """
    weighed = Weighed(list(tallies))
    for one in wallets:
        if any(min(balance) < ZERO for balance in one.wallet.balances.values()):
            weighed.backdated += 1
        else:
            _weigh_one(one, market, weighed)
    return weighed


def _weigh_one(one: OwingWallet, market: Market, weighed: Weighed) -> None:
    at, account = market.newest_prices_at, account_of(one)
    wallet = one.wallet if at is None else charged(one.wallet, due_lines(one.wallet, market, at))
    before = margin_at_fresh_prices(wallet, market, leverage_of(account, wallet.name, market))
    if before is None:
        weighed.bands[UNPRICED] += 1
        if len(weighed.unpriced) < MOST_UNPRICED:
            weighed.unpriced.append((one.account_id, wallet.name, lacking_prices(wallet, market)))
        return
    is_running = one.liquidation_id is not None
    weighed.running += is_running
    weighed.bands[before.band] += 1
    for tally in weighed.tallies:
        tally.take(account, wallet, before, is_running=is_running)


def _seen(margin: Margin) -> Seen:
    level = show_level(margin.valuation.level)
    assert level is not None, "only wallets that owe are weighed"
    return Seen(margin.band, level, margin.valuation.equity)
