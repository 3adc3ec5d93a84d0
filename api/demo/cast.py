"""The people of the demo: who they are, what they put in, when they trade and how far they reach."""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Any, NamedTuple

from api.demo.scenario import Listing, Scenario
from api.demo.script import Script, quantity_of
from ledger.words import CROSS, MarginMode, Side, isolated

# Parts of the play: everybody has joined in its first fifth, and who leaves early is gone before half of it.
JOINED_BY, LEFT_BY = Decimal("0.2"), Decimal("0.45")


class Style(StrEnum):
    """How a trader trades."""

    SPOT = "spot"
    CROSS_LONG = "cross long"
    CROSS_SHORT = "cross short"
    ISOLATED_LONG = "isolated long"
    ISOLATED_SHORT = "isolated short"

    @property
    def is_isolated(self) -> bool:
        return self in (Style.ISOLATED_LONG, Style.ISOLATED_SHORT)

    @property
    def side(self) -> Side:
        return Side.SELL if self in (Style.CROSS_SHORT, Style.ISOLATED_SHORT) else Side.BUY


WEIGHTS = {
    Style.SPOT: 15,
    Style.CROSS_LONG: 32,
    Style.CROSS_SHORT: 8,
    Style.ISOLATED_LONG: 33,
    Style.ISOLATED_SHORT: 12,
}
# What is traded in hundredths of the margin put up, by style: least and most.
REACH = {
    Style.SPOT: (20, 90),
    Style.CROSS_LONG: (120, 270),
    Style.CROSS_SHORT: (50, 140),
    Style.ISOLATED_LONG: (150, 440),
    Style.ISOLATED_SHORT: (100, 330),
}


class Trader(NamedTuple):
    """One account: `stake` of the valuation asset is put in, `margin` of it up; steps are numbers of vectors."""

    account_id: str
    style: Style
    listing: Listing
    stake: Decimal
    margin: Decimal
    reach: Decimal
    joins_at: int
    leaves_at: int | None
    answers_calls: bool

    @property
    def wallet(self) -> str:
        """The wallet that the trader trades in."""
        if self.style is Style.SPOT:
            return "spot"
        return isolated(self.listing.pair) if self.style.is_isolated else CROSS

    def quantity(self, price: Decimal) -> Decimal:
        """How much is traded at a price; at least the smallest amount there is."""
        scale = self.listing.quantity_scale
        return max(quantity_of(self.margin * self.reach, price, scale), Decimal(1).scaleb(-scale))

    def open(self, script: Script) -> None:
        """Opens the account and puts its stake in."""
        script.write("open_account", self.account_id)
        deposit_id = f"deposit-{self.account_id}"
        script.write("deposit", self.account_id, asset=self.listing.quote, amount=self.stake, deposit_id=deposit_id)

    def join(self, script: Script, price: Decimal) -> None:
        """Puts margin up and trades, borrowing what is short."""
        if self.style is Style.SPOT:
            self._buy_with_a_hold(script, price)
            return
        if self.style.is_isolated:
            script.write("set_margin_mode", self.account_id, pair=self.listing.pair, mode=MarginMode.ISOLATED)
        self._put_up(script, self.margin)
        terms: dict[str, Any] = {
            "auto_borrow": True,
            "expected_mode": "isolated" if self.style.is_isolated else "cross",
        }
        quantity = self.quantity(price)
        if self.style is Style.CROSS_SHORT:
            script.write("borrow", self.account_id, wallet=CROSS, asset=self.listing.base, amount=quantity)
            terms["auto_borrow"] = False
        script.trade(self.account_id, self.style.side, self.listing, quantity, price, **terms)

    def _buy_with_a_hold(self, script: Script, price: Decimal) -> None:
        quantity, hold_id = self.quantity(price), f"hold-{self.account_id}"
        quote = self.listing.quote
        script.write(
            "place_hold", self.account_id, hold_id=hold_id, wallet="spot", asset=quote, amount=quantity * price
        )
        script.trade(self.account_id, Side.BUY, self.listing, quantity, price, wallet="spot", hold_id=hold_id)

    def _put_up(self, script: Script, amount: Decimal) -> None:
        script.write("transfer", self.account_id, from_="spot", to=self.wallet, asset=self.listing.quote, amount=amount)

    def leave(self, script: Script, joined_price: Decimal, price: Decimal) -> None:
        """Trades the other way, repays from what comes in, and takes some money out."""
        other = Side.BUY if self.style.side is Side.SELL else Side.SELL
        wallet: dict[str, Any] = {"wallet": "spot"} if self.style is Style.SPOT else {"auto_repay": True}
        script.trade(self.account_id, other, self.listing, self.quantity(joined_price), price, **wallet)
        withdrawal_id = f"withdrawal-{self.account_id}"
        amount = quantity_of(self.stake, Decimal(20), 2)
        script.write(
            "request_withdrawal", self.account_id, withdrawal_id=withdrawal_id, asset=self.listing.quote, amount=amount
        )
        script.write("settle_withdrawal", self.account_id, withdrawal_id=withdrawal_id, reference="paid out")

    def answer_call(self, script: Script) -> None:
        """Puts up half of what was kept back."""
        self._put_up(script, quantity_of(self.stake - self.margin, Decimal(4), 2))


def people(scenario: Scenario, count: int, random: Random) -> Iterator[Trader]:
    """That many traders, each drawn from the same seed."""
    styles, weights = list(WEIGHTS), list(WEIGHTS.values())
    for number in range(1, count + 1):
        style = random.choices(styles, weights)[0]
        stake = Decimal(random.randrange(500, 20_001, 50))
        joins_at = scenario.full_step(random.randint(0, scenario.step_at(JOINED_BY)))
        leaves = random.random() < 0.15
        leaves_at = random.randint(joins_at + 1, max(joins_at + 1, scenario.step_at(LEFT_BY)))
        yield Trader(
            account_id=f"trader-{number:04}",
            style=style,
            listing=random.choice(scenario.listings),
            stake=stake,
            margin=quantity_of(stake * random.randint(50, 80), Decimal(100), 2),
            reach=Decimal(random.randint(*REACH[style])).scaleb(-2),
            joins_at=joins_at,
            leaves_at=scenario.full_step(leaves_at) if leaves and leaves_at < len(scenario.vectors) else None,
            answers_calls=random.random() < 0.3,
        )
