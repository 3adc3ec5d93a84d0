"""Holds, fills and trades of the model."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.simulation.model import (
    ENOUGH,
    FREE,
    LOCKED,
    MATCH,
    STATE,
    UNKNOWN,
    Holder,
    Refused,
    Running,
    World,
    base,
    pair_in,
    quote,
)
from tests.simulation.model_commands import Content, amount_of, lend, pay_back
from tests.simulation.model_deeds import Deed
from tests.simulation.model_margin import band_of, worth


def place_hold(world: World, content: Content, at: datetime) -> None:
    holder, wallet, asset = world.holder(content["account_id"]), content["wallet"], content["asset"]
    listing, pair = world.asset(asset), pair_in(wallet)
    if pair:
        world.pair(pair)
    holder.may("trade")
    holder.idle(wallet)
    if content["hold_id"] in holder.holds:
        raise Refused(STATE, "placed before")
    if (pair and asset not in pair.split("/")) or "trade" not in listing.enabled:
        raise Refused(MATCH, "the asset does not fit")
    if pair and world.pair(pair).status == "halted":
        raise Refused(MATCH, "the pair is halted")
    if wallet != "spot":
        world.price(asset, pair or "cross", at)
    require_trading(world, holder, wallet, at)
    holder.take(wallet, asset, amount_of(content))
    holder.at(wallet, asset)[LOCKED] += amount_of(content)
    holder.holds[content["hold_id"]] = [wallet, asset, amount_of(content)]


def require_trading(world: World, holder: Holder, wallet: str, at: datetime) -> None:
    """A margin wallet trades above its liquidation line, at fresh prices."""
    if wallet == "spot":
        return
    world.charge(holder, wallet, at)
    if band_of(worth(world, holder, wallet, at)) == "liquidation":
        raise Refused(ENOUGH, "in the liquidation band")


def release_hold(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    if content["hold_id"] not in holder.holds:
        raise Refused(UNKNOWN, "no such hold")
    wallet, asset, amount = holder.holds.pop(content["hold_id"])
    world.charge(holder, wallet, at)
    holder.at(wallet, asset)[LOCKED] -= amount
    holder.give(wallet, asset, amount)


def book_fill(world: World, content: Content, at: datetime) -> None:
    fill(world, content["account_id"], content, content, content["side"], at)


def book_trade(world: World, content: Content, at: datetime) -> None:
    buyer, seller = content["buyer"], content["seller"]
    world.holder(buyer["account_id"]), world.holder(seller["account_id"])
    if buyer["account_id"] == seller["account_id"]:
        raise Refused(MATCH, "both sides are one account")
    bought = fill(world, buyer["account_id"], content, buyer, "buy", at)
    sold = fill(world, seller["account_id"], content, seller, "sell", at)
    bought.other, sold.other = sold, bought


@dataclass
class Fill:
    """One side of a trade: what it pays, what it receives, and its fee."""

    pair: str
    side: str
    quantity: Fraction
    price: Fraction
    amount: Fraction
    fee: Fraction
    fee_asset: str

    @property
    def paid(self) -> tuple[str, Fraction]:
        return (quote(self.pair), self.amount) if self.side == "buy" else (base(self.pair), self.quantity)

    @property
    def received(self) -> tuple[str, Fraction]:
        return (base(self.pair), self.quantity) if self.side == "buy" else (quote(self.pair), self.amount)

    @property
    def signed(self) -> Fraction:
        return self.quantity if self.side == "buy" else -self.quantity

    def fee_in(self, asset: str) -> Fraction:
        return self.fee if self.fee_asset == asset else Fraction(0)


def fill(world: World, name: str, trade: Content, terms: Content, side: str, at: datetime) -> Deed:
    """One side of a trade: borrow what is missing, swap, pay the fee, repay."""
    holder, pair = world.holder(name), trade["pair"]
    world.pair(pair)
    quantity, price = Fraction(trade["quantity"]), Fraction(trade["price"])
    amount = Fraction(trade.get("quote_amount") or quantity * price)
    one = Fill(pair, side, quantity, price, amount, Fraction(terms["fee"]), terms["fee_asset"])
    by_mode = "cross" if holder.mode(pair) == "cross" else f"isolated:{pair}"
    hold = _hold_of(holder, terms, by_mode, one.paid[0])
    wallet = hold[0] if hold else terms.get("wallet") or by_mode
    liquidation = _liquidation_of(holder, terms, wallet)
    is_vouched = hold is not None or liquidation is not None
    if not is_vouched:
        holder.may("trade")
    if ":" in wallet and one.fee_asset not in pair.split("/"):
        raise Refused(MATCH, "the bucket does not hold the fee's asset")
    if not is_vouched:
        _require_match(world, holder, trade, terms, wallet)
        _require_collateral(world, wallet, one)
        _require_status(world, holder, wallet, pair, one.signed)
    if wallet != "spot":
        world.charge(holder, wallet, at)
    if not is_vouched:
        for asset in () if wallet == "spot" else (*pair.split("/"), one.fee_asset):
            world.price(asset, pair_in(wallet) or "cross", at)
        require_trading(world, holder, wallet, at)
    # A fee in the asset that is paid comes out of the hold too; a rebate leaves none of the hold unused.
    used = min(one.paid[1] + max(one.fee_in(one.paid[0]), Fraction(0)), hold[2]) if hold else Fraction(0)
    missing = one.paid[1] + one.fee_in(one.paid[0]) - used - holder.free(wallet, one.paid[0])
    # Spot borrows nothing, nor does a wallet under liquidation.
    if terms.get("auto_borrow") and missing > 0 and wallet != "spot" and liquidation is None:
        _require_lending(world, holder, wallet, one.paid[0])
        lend(world, holder, wallet, one.paid[0], missing, at)
    _settle(holder, wallet, one, used)
    deed = _done(world, holder, wallet, one, of_liquidation=liquidation is not None)
    if hold:
        _use(holder, terms["hold_id"], used)
    if terms.get("auto_repay") and wallet != "spot":
        _repay(world, holder, wallet, one)
    return deed


def _done(world: World, holder: Holder, wallet: str, one: Fill, *, of_liquidation: bool) -> Deed:
    """The fill as it may be reversed: what a hold gave of it comes back free."""
    (paid, amount), (received, gain) = one.paid, one.received
    changes = [(wallet, paid, FREE, -amount), (wallet, received, FREE, gain), (wallet, one.fee_asset, FREE, -one.fee)]
    trade = (wallet, one.pair, one.signed - one.fee_in(base(one.pair)), one.price)
    position = None if wallet == "spot" else trade
    return world.do(holder, "trade.booked", changes, trade=position, of_liquidation=of_liquidation)


def _repay(world: World, holder: Holder, wallet: str, one: Fill) -> None:
    """What is received after the fee first repays its own debt."""
    asset, gain = one.received
    back = min(gain - one.fee_in(asset), holder.owed(wallet, asset))
    if back > 0:
        pay_back(world, holder, wallet, asset, back)


def _settle(holder: Holder, wallet: str, one: Fill, used: Fraction) -> None:
    """Swap what is paid, the hold's part first, for what is received; take the fee; keep the position."""
    (paid, amount), (received, gain) = one.paid, one.received
    holder.at(wallet, paid)[LOCKED] -= used
    holder.give(wallet, paid, used - amount)
    holder.give(wallet, received, gain)
    holder.give(wallet, one.fee_asset, -one.fee)
    if min(holder.free(wallet, asset) for asset in (paid, one.fee_asset)) < 0:
        raise Refused(ENOUGH, "the amount paid or the fee is not covered")
    if wallet != "spot":
        holder.trade(wallet, one.pair, one.signed - one.fee_in(base(one.pair)), one.price)
        holder.cut(wallet)


def _hold_of(holder: Holder, terms: Content, by_mode: str, asset: str) -> list[Any] | None:
    """The hold that a fill names: of the asset it pays, in spot or in the wallet that the pair's mode names."""
    hold_id = terms.get("hold_id")
    if hold_id is None:
        return None
    if hold_id not in holder.holds:
        raise Refused(UNKNOWN, "no such hold")
    if holder.closed:
        raise Refused(STATE, "closed")
    wallet, held, _ = holder.holds[hold_id]
    if held != asset or wallet not in ("spot", by_mode) or terms.get("wallet", wallet) != wallet:
        raise Refused(MATCH, "the hold is of another wallet or asset")
    return holder.holds[hold_id]


def _liquidation_of(holder: Holder, terms: Content, wallet: str) -> Running | None:
    """The liquidation that a fill names, which runs on its wallet; a fill of none finds none running there."""
    named = terms.get("liquidation_id")
    if named is None:
        holder.idle(wallet)
        return None
    if named not in [running.name for running in holder.running.values()]:
        raise Refused(UNKNOWN, "no such liquidation")
    if wallet not in holder.running or holder.running[wallet].name != named:
        raise Refused(MATCH, "the liquidation is of another wallet")
    return holder.running[wallet]


def _require_match(world: World, holder: Holder, trade: Content, terms: Content, wallet: str) -> None:
    pair = trade["pair"]
    if wallet != "spot" and terms.get("expected_mode") not in (None, holder.mode(pair)):
        raise Refused(MATCH, "another margin mode")
    if any("trade" not in world.asset(asset).enabled for asset in pair.split("/")):
        raise Refused(MATCH, "an asset is not traded")


def _require_collateral(world: World, wallet: str, one: Fill) -> None:
    """Into the pool comes only what counts as collateral; a rebate comes in too."""
    for asset in {*one.pair.split("/"), one.fee_asset} if wallet == "cross" else ():
        gained = one.received[1] if asset == one.received[0] else -one.paid[1] if asset == one.paid[0] else Fraction(0)
        if gained > one.fee_in(asset) and not world.asset(asset).tiers[0][1]:
            raise Refused(MATCH, "no collateral")


def _require_status(world: World, holder: Holder, wallet: str, pair: str, quantity: Fraction) -> None:
    """A pair that only reduces takes what closes a position and no more; in spot, a sale."""
    status = world.pair(pair).status
    position = holder.positions.get((wallet, pair), [Fraction(0)])[0]
    reduces = quantity < 0 if wallet == "spot" else position * quantity < 0 and abs(quantity) <= abs(position)
    if status == "halted" or (status == "reduce_only" and not reduces):
        raise Refused(MATCH, f"the pair is {status}")


def _require_lending(world: World, holder: Holder, wallet: str, asset: str) -> None:
    holder.may("borrow")
    if "borrow" not in world.asset(asset).enabled:
        raise Refused(MATCH, "the asset is not lent")
    if wallet == "cross" and not world.asset(asset).tiers[0][1]:
        raise Refused(MATCH, "no collateral")


def _use(holder: Holder, hold_id: str, used: Fraction) -> None:
    holder.holds[hold_id][2] -= used
    if not holder.holds[hold_id][2]:
        del holder.holds[hold_id]
