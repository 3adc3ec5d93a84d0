"""Reversals and adjustments of the model: what each event did is kept as a deed, and undone or not."""

from datetime import datetime
from fractions import Fraction

from tests.simulation.model import (
    BORROWED,
    ENOUGH,
    HOUR,
    INTEREST,
    MATCH,
    STATE,
    UNKNOWN,
    Holder,
    Refused,
    World,
    hour_of,
    pair_in,
)
from tests.simulation.model_commands import Content, amount_of
from tests.simulation.model_deeds import Deed
from tests.simulation.model_margin import band_of, worth


def reverse_event(world: World, content: Content, at: datetime) -> None:
    holder, version = world.holder(content["account_id"]), content["version"]
    if version > holder.version:
        raise Refused(UNKNOWN, "no such event")
    deed = holder.deeds.get(version)
    if deed is None or deed.of_liquidation:
        raise Refused(STATE, "not reversible")
    parts = [(holder, deed)]
    if deed.other is not None:
        parts.append((world.holders[deed.other.name], deed.other))
    for who, one in parts:
        if who.closed or one.reversed:
            raise Refused(STATE, "closed, or reversed before")
        who.idle(*one.wallets)
    for who, one in parts:
        _require_modes(who, one)
    for who, one in parts:
        _undo(world, who, one, at)


def _require_modes(holder: Holder, deed: Deed) -> None:
    if any(":" in wallet and holder.mode(pair_in(wallet) or "") != "isolated" for wallet in deed.wallets):
        raise Refused(MATCH, "the pair is not isolated")
    if deed.trade and deed.trade[0] == "cross" and holder.mode(deed.trade[1]) != "cross":
        raise Refused(MATCH, "the pair is not cross")


def _undo(world: World, holder: Holder, deed: Deed, at: datetime) -> None:
    for wallet in deed.wallets:
        if wallet != "spot":
            world.charge(holder, wallet, at)
    bear(world, holder, [(wallet, asset, part, -amount) for wallet, asset, part, amount in deed.changes], at)
    for wallet in deed.wallets:
        for asset in holder.assets_in(wallet):
            if wallet != "spot" and holder.at(wallet, asset)[BORROWED]:
                # A debt that comes back owes for the hours after this one.
                coming = hour_of(at) + HOUR
                holder.next_hour[wallet, asset] = max(holder.next_hour.get((wallet, asset), coming), coming)
    if deed.trade:
        _take_trade_back(holder, *deed.trade)
    for wallet in deed.wallets:
        holder.cut(wallet)
    deed.reversed = True


def bear(world: World, holder: Holder, changes: list[tuple[str, str, int, Fraction]], at: datetime) -> None:
    """Make changes if nothing falls below zero, and no margin wallet that loses or owes more comes to its call line."""
    before = {(wallet, asset): _standing(holder, wallet, asset) for wallet, asset, _, _ in changes}
    priced = {wallet: holder.assets_in(wallet) for wallet, _, _, _ in changes}
    for wallet, asset, part, amount in changes:
        holder.at(wallet, asset)[part] += amount
    worse = set()
    for (wallet, asset), (net, owed) in before.items():
        net_now, owed_now = _standing(holder, wallet, asset)
        if wallet != "spot" and (net_now < net or owed_now > owed):
            worse.add(wallet)
    judged = [wallet for wallet in sorted(worse) if holder.owes(wallet)]
    for wallet in judged:
        for asset in {*priced[wallet], *holder.assets_in(wallet)}:
            world.price(asset, pair_in(wallet) or "cross", at)
    if any(min(holder.at(wallet, asset)) < 0 for wallet, asset, _, _ in changes):
        raise Refused(ENOUGH, "below zero")
    for wallet in judged:
        if band_of(worth(world, holder, wallet, at)) in ("margin_call", "liquidation"):
            raise Refused(ENOUGH, "at the call line")


def _standing(holder: Holder, wallet: str, asset: str) -> tuple[Fraction, Fraction]:
    """What there is of an asset less what is owed of it, and what is owed."""
    at = holder.at(wallet, asset)
    return holder.net(wallet, asset), at[BORROWED] + at[INTEREST]


def _take_trade_back(holder: Holder, wallet: str, pair: str, quantity: Fraction, price: Fraction) -> None:
    """What is still open of what it opened leaves at its price; what it closed is opened again at its price."""
    held, cost, profit = holder.positions.get((wallet, pair), [Fraction(0)] * 3)
    rest, left = held - quantity, cost - quantity * price
    if held * quantity > 0 and rest * quantity > 0 and rest * left > 0:
        holder.positions[wallet, pair] = [rest, left, profit]
    else:
        holder.trade(wallet, pair, -quantity, price)


def propose_adjustment(world: World, content: Content, at: datetime) -> None:
    holder, wallet, pair = world.holder(content["account_id"]), content["wallet"], pair_in(content["wallet"])
    world.asset(content["asset"])
    if pair:
        world.pair(pair)
    if holder.closed or content["adjustment_id"] in holder.adjustments:
        raise Refused(STATE, "closed, or proposed before")
    if pair and content["asset"] not in pair.split("/"):
        raise Refused(MATCH, "the asset does not fit")
    terms = [wallet, content["asset"], amount_of(content), "proposed", world.actor]
    holder.adjustments[content["adjustment_id"]] = terms


def approve_adjustment(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    wallet, asset, amount = _pending(world, holder, content, is_approval=True)
    pair = pair_in(wallet)
    if pair and holder.mode(pair) != "isolated":
        raise Refused(MATCH, "the pair is not isolated")
    if amount > 0 and wallet == "cross" and not world.asset(asset).tiers[0][1]:
        raise Refused(MATCH, "no collateral")
    if wallet != "spot":
        world.charge(holder, wallet, at)
        if amount > 0:
            world.price(asset, pair or "cross", at)
    bear(world, holder, [(wallet, asset, 0, amount)], at)
    holder.cut(wallet)
    holder.adjustments[content["adjustment_id"]][3] = "posted"
    world.do(holder, "adjustment.posted", [(wallet, asset, 0, amount)])


def reject_adjustment(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    _pending(world, holder, content, is_approval=False)
    holder.adjustments[content["adjustment_id"]][3] = "rejected"


def _pending(world: World, holder: Holder, content: Content, *, is_approval: bool) -> tuple[str, str, Fraction]:
    if content["adjustment_id"] not in holder.adjustments:
        raise Refused(UNKNOWN, "no such adjustment")
    wallet, asset, amount, status, proposed_by = holder.adjustments[content["adjustment_id"]]
    if holder.closed or status != "proposed":
        raise Refused(STATE, status)
    if is_approval:
        holder.idle(wallet)
    if proposed_by == world.actor:
        raise Refused(MATCH, "who proposed it does not decide")
    return wallet, asset, amount
