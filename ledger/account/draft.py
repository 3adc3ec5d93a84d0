"""One account while a decision is made on it: the state so far, the market, and the events decided."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger import events as e
from ledger.account.evolve import evolve
from ledger.account.state import CROSS_START_LEVERAGE, Account
from ledger.decision import Envelope
from ledger.margin import Margin, margin_of, show_level, valued_assets
from ledger.market import Market, Prices
from ledger.wallets import Wallet
from ledger.words import CROSS, pair_of


@dataclass(slots=True)
class Draft:
    """`account` is the decision's own copy; each recorded event is evolved into it at once."""

    account: Account
    market: Market
    envelope: Envelope
    events: list[e.AccountEvent]

    @property
    def at(self) -> datetime:
        """When the decision counts."""
        return self.envelope["effective_at"]

    def record(self, kind: type[e.AccountEvent], **numbers: Any) -> None:
        """Add the next event of the account."""
        account = self.account
        numbers["account_id"], numbers["version"] = account.id, account.version + 1
        event = e.made_event(kind, self.envelope, numbers)
        evolve(account, event)
        self.events.append(event)

    def wallet(self, name: str) -> Wallet:
        return self.account.wallets.wallet(name)

    def leverage(self, wallet: str) -> Decimal:
        """The leverage in force: the one set, else 3 in cross and the pair's highest in a bucket."""
        return leverage_of(self.account, wallet, self.market)

    def fresh_prices(self, wallet: Wallet, *also: str) -> Prices:
        """Prices of all that a margin wallet holds or owes, and of further assets; PriceStale if one is not fresh."""
        return self.market.fresh_prices(valued_assets(wallet, also), pair_of(wallet.name) or CROSS, self.at)

    def margin(self, wallet: Wallet, prices: Prices) -> Margin:
        return margin_of(wallet, prices.of, self.market, self.leverage(wallet.name))


def leverage_of(account: Account, wallet: str, market: Market) -> Decimal:
    """The leverage of a margin wallet: the one set, else 3 in cross and the pair's highest in a bucket."""
    leverage = account.leverages.get(wallet)
    if leverage is not None:
        return leverage
    pair = pair_of(wallet)
    return CROSS_START_LEVERAGE if pair is None else market.pair(pair).max_leverage


def assess(prices: Prices, before: Margin, after: Margin) -> e.Assessment:
    """What a decision saw and left, for its event."""
    then, now = before.valuation, after.valuation
    is_pool = before.wallet.name == CROSS
    stated = {
        "prices": prices.used,
        "level_before": show_level(then.collateral_level),
        "level_after": show_level(now.collateral_level),
        "margin_level_before": show_level(then.level) if is_pool else None,
        "margin_level_after": show_level(now.level) if is_pool else None,
        "tier": None if is_pool else after.lines.tier,
    }
    return e.made(e.Assessment, stated)
