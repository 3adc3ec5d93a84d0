"""Margin arithmetic of the model: what a wallet is worth, its lines, its band, and what they allow."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from tests.simulation.model import BORROWED, ENOUGH, Holder, Limits, Refused, Row, World, base, pair_in, quote

INFINITE = None
BANDS = ["normal", "transfer_blocked", "borrow_blocked", "margin_call", "liquidation"]


@dataclass
class Worth:
    assets: Fraction
    debt: Fraction
    collateral: Fraction
    row: Row
    initial: Fraction | None
    """None: nothing can be borrowed."""

    @property
    def level(self) -> Fraction | None:
        return self.assets / self.debt if self.debt else INFINITE

    @property
    def collateral_level(self) -> Fraction | None:
        return self.collateral / self.debt if self.debt else INFINITE


def counted(value: Fraction, tiers: list[tuple[Fraction | None, Fraction]]) -> Fraction:
    """What a value counts as collateral, bracket by bracket."""
    total, lower = Fraction(0), Fraction(0)
    for upper, ratio in tiers:
        top = value if upper is None else min(value, upper)
        if top > lower:
            total += (top - lower) * ratio
        lower = upper if upper is not None else value
    return total


def row_of(world: World, holder: Holder, wallet: str) -> Row | None:
    """The tier of a wallet; None where a bucket has borrowed past the last one."""
    pair = pair_in(wallet)
    if pair is None:
        leverage = holder.leverages.get("cross", Fraction(3))
        return next(line for line in world.limits_of("cross").rows if line.leverage == leverage)
    owed_base = holder.at(wallet, base(pair))[BORROWED]
    owed_quote = holder.at(wallet, quote(pair))[BORROWED]
    for line in world.limits_of(pair).rows:
        base_fits = line.base_limit is None or owed_base <= line.base_limit
        if base_fits and (line.quote_limit is None or owed_quote <= line.quote_limit):
            return line
    return None


def initial_of(world: World, holder: Holder, wallet: str, line: Row) -> Fraction | None:
    pair = pair_in(wallet)
    if pair is None:
        return line.initial
    leverage = holder.leverages.get(wallet, world.pair(pair).leverage)
    if leverage >= line.leverage:
        return line.initial
    return leverage / (leverage - 1) if leverage > 1 else INFINITE


def worth(world: World, holder: Holder, wallet: str, at: datetime) -> Worth:
    """What a wallet is worth at fresh prices; refused where one is not fresh."""
    scope = pair_in(wallet) or "cross"
    assets = debt = collateral = Fraction(0)
    for asset in holder.assets_in(wallet):
        price = world.price(asset, scope, at)
        four = holder.at(wallet, asset)
        value = (four[0] + four[1]) * price
        assets += value
        debt += holder.owed(wallet, asset) * price
        collateral += counted(value, world.asset(asset).tiers) if scope == "cross" else value
    line = row_of(world, holder, wallet) or world.limits_of(scope).rows[-1]
    return Worth(assets, debt, collateral, line, initial_of(world, holder, wallet, line))


def band_of(there: Worth) -> str:
    """A bound belongs to the worse band; in a bucket the transfer-out line comes first."""
    if there.level is INFINITE or there.collateral_level is INFINITE:
        return "normal"
    if there.level <= there.row.liquidation:
        return "liquidation"
    if there.level <= there.row.call:
        return "margin_call"
    if there.collateral_level > there.row.out:
        return "normal"
    if there.initial is INFINITE or there.collateral_level <= there.initial:
        return "borrow_blocked"
    return "transfer_blocked"


def require_leaving(world: World, holder: Holder, wallet: str, asset: str, amount: Fraction, at: datetime) -> None:
    """Take an amount out of a margin wallet, if its level allows."""
    if not holder.owes(wallet):
        holder.take(wallet, asset, amount)
        return
    world.price(asset, pair_in(wallet) or "cross", at)
    before = worth(world, holder, wallet, at)
    holder.take(wallet, asset, amount)
    there = worth(world, holder, wallet, at)
    assert there.collateral_level is not INFINITE
    if band_of(before) != "normal" or there.collateral_level < there.row.out:
        raise Refused(ENOUGH, f"level {there.collateral_level} after the transfer out")


def require_borrowing(world: World, holder: Holder, wallet: str, asset: str, amount: Fraction, at: datetime) -> None:
    """Borrow an amount into a margin wallet, if its level and the limits allow; the principal only."""
    before = worth(world, holder, wallet, at)
    holder.at(wallet, asset)[BORROWED] += amount
    holder.give(wallet, asset, amount)
    limit = world.asset(asset).borrow_limit
    total = sum((four[BORROWED] for (_, symbol), four in holder.has.items() if symbol == asset), Fraction(0))
    if limit is not None and total > limit:
        raise Refused(ENOUGH, "past the borrow limit")
    if row_of(world, holder, wallet) is None:
        raise Refused(ENOUGH, "past the last tier")
    there = worth(world, holder, wallet, at)
    assert there.collateral_level is not INFINITE
    if band_of(before) not in ("normal", "transfer_blocked"):
        raise Refused(ENOUGH, f"band {band_of(before)} before the loan")
    if there.initial is INFINITE or there.collateral_level < there.initial:
        raise Refused(ENOUGH, f"level {there.collateral_level} after the loan")


def limits_in(world: World, wallet: str) -> Limits:
    return world.limits_of(pair_in(wallet) or "cross")
