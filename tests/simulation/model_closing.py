"""Close-out by the house in the model: down the tiers, back to a target, or in full; the fee and the deficit."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil

from tests.simulation.model import (
    BORROWED,
    FREE,
    INTEREST,
    Holder,
    Row,
    Running,
    World,
    base,
    down,
    forget_paid,
    pair_in,
    quote,
    up,
)
from tests.simulation.model_margin import limits_in, row_of


@dataclass
class Closing:
    """A wallet while the house closes it out; debts and assets in order of their value at the start."""

    world: World
    holder: Holder
    wallet: str
    running: Running
    prices: dict[str, Fraction]
    debts: list[str]
    assets: list[str]

    def scale(self, asset: str) -> int:
        return self.world.assets[asset].scale

    def level(self, more: tuple[str, Fraction, str, Fraction] | None = None) -> Fraction | None:
        """The level with the fee taken, after so much more was taken and credited; None while nothing is owed."""
        held = {asset: self.holder.free(self.wallet, asset) for asset in self.assets}
        owed = sum((self.holder.owed(self.wallet, debt) * self.prices[debt] for debt in self.debts), Fraction(0))
        repaid = sum((amount * self.prices[asset] for asset, amount in self.running.repaid.items()), Fraction(0))
        if more:
            taken_of, taken, debt, credit = more
            held[taken_of] -= taken
            owed, repaid = owed - credit * self.prices[debt], repaid + credit * self.prices[debt]
        for asset, fee in self.fee(held, repaid * self.running.fee).items():
            held[asset] -= fee
        return (
            sum((amount * self.prices[asset] for asset, amount in held.items()), Fraction(0)) / owed if owed else None
        )

    def fee(self, held: dict[str, Fraction], value: Fraction) -> dict[str, Fraction]:
        fees = {}
        for asset in self.assets:
            fees[asset] = min(held[asset], up(value / self.prices[asset], self.scale(asset)))
            value = max(Fraction(0), value - fees[asset] * self.prices[asset])
        return fees

    def is_at_target(self, level: Fraction | None) -> bool:
        return self.running.target is not None and (level is None or level >= self.running.target)

    def row(self) -> tuple[int, Row]:
        """The tier that what is borrowed is in, counted from 1, past the last one the last."""
        rows = limits_in(self.world, self.wallet).rows
        line = row_of(self.world, self.holder, self.wallet) or rows[-1]
        return rows.index(line) + 1, line

    def amounts(self, asset: str, debt: str, wanted: Fraction) -> tuple[Fraction, Fraction]:
        """What is taken to repay so much, and what it repays."""
        held, price, debt_price = self.holder.free(self.wallet, asset), self.prices[asset], self.prices[debt]
        taken = min(held, up(wanted * debt_price / price, self.scale(asset)))
        return taken, min(self.holder.owed(self.wallet, debt), down(taken * price / debt_price, self.scale(debt)))

    def repay(self, asset: str, debt: str, wanted: Fraction) -> bool:
        """Repay that much, or what is enough for the target; whether it was."""
        if not self.holder.free(self.wallet, asset) or not wanted:
            return False
        least = self.least(asset, debt, wanted)
        taken, credit = self.amounts(asset, debt, wanted if least is None else least)
        self.running.count(debt, credit)
        pay(self.world, self.holder, self.wallet, (asset, taken), (debt, credit))
        return least is not None

    def least(self, asset: str, debt: str, wanted: Fraction) -> Fraction | None:
        """Enough for the target: from the bound that the formula gives strides double, then the last is halved."""
        target, fee = self.running.target, self.running.fee
        if target is None or target <= 1 + fee:
            return None
        holder, wallet, unit = self.holder, self.wallet, Fraction(1, 10 ** self.scale(debt))
        held = sum((holder.free(wallet, name) * self.prices[name] for name in self.assets), Fraction(0))
        owed = sum((holder.owed(wallet, name) * self.prices[name] for name in self.debts), Fraction(0))
        repaid = sum((amount * self.prices[name] for name, amount in self.running.repaid.items()), Fraction(0))
        bound = (target * owed - held + fee * repaid) / (target - 1 - fee) / self.prices[debt]
        room = holder.free(wallet, asset) * self.prices[asset] / self.prices[debt]
        low, most = max(1, ceil(bound / unit)), int(down(min(wanted, room), self.scale(debt)) / unit)

        def enough(count: int) -> bool:
            taken, credit = self.amounts(asset, debt, count * unit)
            return self.is_at_target(self.level((asset, taken, debt, credit)))

        below, stride = low - 1, 1
        while low < most and not enough(low):
            below, low, stride = low, min(low + stride, most), 2 * stride
        if low > most or not enough(low):
            return None
        while low - below > 1:
            middle = (low + below) // 2
            below, low = (below, middle) if enough(middle) else (middle, low)
        return low * unit


def close_out(world: World, holder: Holder, wallet: str, running: Running, at: datetime) -> None:
    """The house closes a wallet out as far as it must, takes its fee, and the fund pays what cannot be paid."""
    needed = sorted({*holder.assets_in(wallet), *running.repaid})
    prices = {asset: world.price(asset, pair_in(wallet) or "cross", at) for asset in needed}
    worths = {asset: sum(holder.at(wallet, asset)[:2]) * price for asset, price in prices.items()}
    owed = {asset: holder.owed(wallet, asset) * price for asset, price in prices.items()}
    assets = sorted((asset for asset in prices if worths[asset]), key=lambda asset: (-worths[asset], asset))
    debts = sorted((asset for asset in prices if owed[asset]), key=lambda asset: (-owed[asset], asset))
    closing = Closing(world, holder, wallet, running, prices, debts, assets)
    enough = closing.is_at_target(closing.level()) or _step_down(closing) or _repay_down_to(closing, {})
    repaid = sum((amount * prices[asset] for asset, amount in running.repaid.items()), Fraction(0))
    held = {asset: holder.free(wallet, asset) for asset in assets}
    for asset, fee in closing.fee(held, repaid * running.fee).items():
        if fee:
            holder.at(wallet, asset)[FREE] -= fee
            world.insurance[asset] = world.insurance.get(asset, Fraction(0)) + fee
            _close(world, holder, wallet, (asset, fee), ("", Fraction(0)))
            holder.cut(wallet)
    if not enough:
        _cover(closing)


def _repay_down_to(closing: Closing, limits: dict[str, Fraction | None]) -> bool:
    """Repay each debt down to a limit on what is borrowed (0 unless named); whether the target was met on the way."""
    for debt in closing.debts:
        if closing.repay(debt, debt, _excess(closing, debt, limits)):
            return True
    for debt in closing.debts:
        for asset in closing.assets:
            if asset != debt and closing.repay(asset, debt, _excess(closing, debt, limits)):
                return True
    return False


def _excess(closing: Closing, debt: str, limits: dict[str, Fraction | None]) -> Fraction:
    borrowed, interest = closing.holder.at(closing.wallet, debt)[BORROWED:]
    limit = limits.get(debt, Fraction(0))
    if debt not in limits:
        return borrowed + interest
    return borrowed - limit + interest if limit is not None and borrowed > limit else Fraction(0)


def _step_down(closing: Closing) -> bool:
    """A bucket of a higher tier steps down tier by tier; whether it is left at one of them."""
    pair, last = pair_in(closing.wallet), closing.running.tier
    while pair is not None:
        number, line = closing.row()
        level = closing.level()
        if closing.running.target is None and last is not None and number < last and level and level > line.liquidation:
            return True
        if number == 1:
            return False
        lower = limits_in(closing.world, closing.wallet).rows[number - 2]
        if _repay_down_to(closing, {base(pair): lower.base_limit, quote(pair): lower.quote_limit}):
            return True
        if closing.row()[0] == number:
            return False
        last = number
    return False


def _cover(closing: Closing) -> None:
    world, holder, wallet = closing.world, closing.holder, closing.wallet
    for debt in closing.debts:
        value = up(holder.owed(wallet, debt) * closing.prices[debt], world.assets["USDT"].scale)
        world.insurance["USDT"] = world.insurance.get("USDT", Fraction(0)) - value
        holder.at(wallet, debt)[BORROWED] = holder.at(wallet, debt)[INTEREST] = Fraction(0)
        forget_paid(holder, wallet, debt)
        holder.cut(wallet)


def pay(world: World, holder: Holder, wallet: str, taken: tuple[str, Fraction], credit: tuple[str, Fraction]) -> None:
    """Book what the house takes and what it pays of a debt."""
    holder.at(wallet, taken[0])[FREE] -= taken[1]
    four = holder.at(wallet, credit[0])
    interest = min(credit[1], four[INTEREST])
    four[INTEREST] -= interest
    four[BORROWED] -= credit[1] - interest
    if credit[1]:
        forget_paid(holder, wallet, credit[0])
    if taken[0] != credit[0]:
        _close(world, holder, wallet, taken, credit)
    holder.cut(wallet)


def _close(
    world: World, holder: Holder, wallet: str, taken: tuple[str, Fraction], bought: tuple[str, Fraction]
) -> None:
    """What a liquidation takes or buys back closes at its price; of several pairs, in order of their names."""
    (sold, to_sell), (back, to_buy) = taken, bought
    for (name, pair), (held, _, _) in sorted(holder.positions.items()):
        if name != wallet:
            continue
        price = world.price(base(pair), "cross", None) / world.price(quote(pair), "cross", None)
        if held > 0 and base(pair) == sold:
            holder.trade(wallet, pair, -min(to_sell, held), price)
            to_sell -= min(to_sell, held)
        if held < 0 and base(pair) == back:
            holder.trade(wallet, pair, min(to_buy, -held), price)
            to_buy -= min(to_buy, -held)
