"""The traders of a backtest, drawn from a seed: what each puts in, in which wallets, and how far it reaches."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from api.backtest.falls import Fall
from api.demo.scenario import Listing
from api.demo.script import Script, quantity_of
from ledger.account.state import CROSS_START_LEVERAGE
from ledger.words import CROSS, MarginMode, Side, isolated

# In which modes a trader's legs are, each leg in a pair of its own, and how often that is so of a hundred traders.
PLANS = {
    (MarginMode.CROSS,): 35,
    (MarginMode.ISOLATED,): 35,
    (MarginMode.ISOLATED, MarginMode.CROSS): 20,
    (MarginMode.ISOLATED, MarginMode.ISOLATED): 10,
}
LEVERAGES = {
    MarginMode.CROSS: [Decimal(3), Decimal(5)],
    MarginMode.ISOLATED: [Decimal(2), Decimal(3), Decimal(5), Decimal(10)],
}
# The largest trade that a cross pool can open, in units of its margin: bought assets and lent ones count at 0.95.
MOST_OF_A_POOL = {
    (Side.BUY, Decimal(3)): Decimal("2.7"),
    (Side.BUY, Decimal(5)): Decimal("4.1"),
    (Side.SELL, Decimal(3)): Decimal("1.8"),
    (Side.SELL, Decimal(5)): Decimal("3.3"),
}
# How far traders reach, in hundredths of the most they may: the lowest are safe, the highest fall first.
LEAST_REACH, MOST_REACH = 40, 97
PARTS_OF_LONGS, PARTS_OF_TRADERS_THAT_ANSWER = 0.8, 0.3
LEAST_MARGIN, MOST_MARGIN, MARGIN_STEP = 500, 40_001, 50
SCALE = 8


class Leg(NamedTuple):
    """A position in one pair: `margin` of the valuation asset is put up, `reach` times that is traded."""

    listing: Listing
    mode: MarginMode
    side: Side
    leverage: Decimal
    margin: Decimal
    reach: Decimal

    @property
    def wallet(self) -> str:
        """The wallet that the leg trades in."""
        return isolated(self.listing.pair) if self.mode is MarginMode.ISOLATED else CROSS

    def quantity(self, price: Decimal, part: Decimal) -> Decimal:
        """A part of what is traded at a price; at least the smallest amount there is."""
        scale = self.listing.quantity_scale
        return max(quantity_of(self.margin * self.reach * part, price, scale), Decimal(1).scaleb(-scale))

    def open(self, script: Script, account_id: str, price: Decimal) -> None:
        """Sets mode and leverage where they differ from those at the start, puts margin up and trades on credit."""
        start = CROSS_START_LEVERAGE if self.mode is MarginMode.CROSS else self.listing.max_leverage
        if self.mode is MarginMode.ISOLATED:
            script.write("set_margin_mode", account_id, pair=self.listing.pair, mode=self.mode)
        if self.leverage != start:
            script.write("set_leverage", account_id, wallet=self.wallet, leverage=self.leverage)
        self.put_up(script, account_id, self.margin)
        self.trade(script, account_id, self.side, price, Decimal(1))

    def put_up(self, script: Script, account_id: str, amount: Decimal) -> None:
        """Moves that much of the valuation asset from spot into the leg's wallet."""
        script.write("transfer", account_id, from_="spot", to=self.wallet, asset=self.listing.quote, amount=amount)

    def trade(self, script: Script, account_id: str, side: Side, price: Decimal, part: Decimal) -> None:
        """Trades that part of the leg: on the leg's side with a loan, on the other one what comes in repays."""
        credit = "auto_borrow" if side is self.side else "auto_repay"
        terms: dict[str, Any] = {credit: True, "expected_mode": self.mode}
        script.trade(account_id, side, self.listing, self.quantity(price, part), price, **terms)


class Trader(NamedTuple):
    """One account of a fall; `spare` stays in spot beside savings, `joins_at` is the number of a vector."""

    account_id: str
    legs: Sequence[Leg]
    spare: Decimal
    joins_at: int
    answers_calls: bool

    @property
    def stake(self) -> Decimal:
        """What the trader puts in of the valuation asset."""
        return sum((leg.margin for leg in self.legs), self.spare)

    def open(self, script: Script, prices: dict[str, Decimal]) -> None:
        """Opens the account; beside its stake it saves a tenth of that in the base asset of its first leg."""
        listing = self.legs[0].listing
        savings = quantity_of(self.stake, 10 * prices[listing.pair], SCALE)
        script.write("open_account", self.account_id)
        for asset, amount in ((listing.quote, self.stake), (listing.base, savings)):
            deposit_id = f"deposit-{self.account_id}-{asset}"
            script.write("deposit", self.account_id, asset=asset, amount=amount, deposit_id=deposit_id)

    def join(self, script: Script, prices: dict[str, Decimal]) -> None:
        """Opens every leg."""
        for leg in self.legs:
            leg.open(script, self.account_id, prices[leg.listing.pair])

    def trade_a_little(self, script: Script, prices: dict[str, Decimal], random: Random) -> None:
        """Makes one leg up to a fifth larger or smaller."""
        leg, side = random.choice(self.legs), random.choice(list(Side))
        leg.trade(script, self.account_id, side, prices[leg.listing.pair], Decimal(random.randint(2, 20)).scaleb(-2))

    def answer_call(self, script: Script) -> None:
        """Shares half of what was kept back out to all legs."""
        for leg in self.legs:
            leg.put_up(script, self.account_id, quantity_of(self.spare, Decimal(2 * len(self.legs)), 2))


def people(fall: Fall, count: int, random: Random) -> Iterator[Trader]:
    """That many traders, drawn one after the other; where there are fewer pairs than legs, the legs end there."""
    plans, weights = list(PLANS), list(PLANS.values())
    for number in range(1, count + 1):
        modes = random.choices(plans, weights)[0]
        listings = random.sample(fall.scenario.listings, min(len(modes), len(fall.scenario.listings)))
        legs = [_leg(mode, listing, random) for mode, listing in zip(modes, listings, strict=False)]
        margin = sum((leg.margin for leg in legs), Decimal(0))
        yield Trader(
            account_id=f"{fall.name}.trader-{number:05}",
            legs=legs,
            spare=quantity_of(margin * random.randint(10, 60), Decimal(100), 2),
            joins_at=fall.scenario.full_step(random.randint(0, fall.joined_by)),
            answers_calls=random.random() < PARTS_OF_TRADERS_THAT_ANSWER,
        )


def _leg(mode: MarginMode, listing: Listing, random: Random) -> Leg:
    leverages = LEVERAGES[mode]
    if mode is MarginMode.ISOLATED:
        leverages = [leverage for leverage in leverages if leverage <= listing.max_leverage]
    leverage = random.choice(leverages)
    side = Side.BUY if random.random() < PARTS_OF_LONGS else Side.SELL
    return Leg(
        listing=listing,
        mode=mode,
        side=side,
        leverage=leverage,
        margin=Decimal(random.randrange(LEAST_MARGIN, MOST_MARGIN, MARGIN_STEP)),
        reach=_most(mode, side, leverage) * Decimal(random.randint(LEAST_REACH, MOST_REACH)).scaleb(-2),
    )


def _most(mode: MarginMode, side: Side, leverage: Decimal) -> Decimal:
    """The largest trade that may be opened in units of the margin: a bucket of leverage L owes at most L - 1 of it."""
    if mode is MarginMode.CROSS:
        return MOST_OF_A_POOL[side, leverage]
    return leverage if side is Side.BUY else leverage - 1
