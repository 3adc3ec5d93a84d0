"""What each command of an account does in the model: life cycle, funding, margin settings and loans."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.simulation.model import (
    BORROWED,
    CAPABILITIES,
    FREE,
    HOUR,
    INTEREST,
    LOCKED,
    MATCH,
    STATE,
    UNKNOWN,
    Holder,
    Refused,
    World,
    base,
    forget_paid,
    hour_of,
    pair_in,
    quote,
)
from tests.simulation.model_margin import INFINITE, initial_of, require_borrowing, require_leaving, row_of, worth

Content = dict[str, Any]


def amount_of(content: Content) -> Fraction:
    return Fraction(content["amount"])


def open_account(world: World, content: Content, at: datetime) -> None:
    if content["account_id"] in world.holders:
        raise Refused(STATE, "open already")
    world.holders[content["account_id"]] = Holder()


def freeze_account(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    if holder.closed:
        raise Refused(STATE, "closed")
    # A further freeze adds to what is blocked.
    blocks = holder.blocks | set(content.get("blocks", CAPABILITIES))
    if holder.frozen and holder.blocks == blocks:
        raise Refused(MATCH, "nothing would change")
    holder.frozen, holder.blocks = True, blocks


def unfreeze_account(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    if holder.closed:
        raise Refused(STATE, "closed")
    if not holder.frozen:
        raise Refused(MATCH, "nothing would change")
    holder.frozen, holder.blocks = False, set()


def close_account(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    pending = any(status == "pending" for _, _, status in holder.withdrawals.values())
    pending = pending or any(status == "proposed" for _, _, _, status, _ in holder.adjustments.values())
    if holder.closed or pending or holder.running or any(any(four) for four in holder.has.values()):
        raise Refused(STATE, "closed already, or something is left or runs")
    holder.closed = True


def erase_texts(world: World, content: Content, at: datetime) -> None:
    """Also of an account that is closed."""
    world.holder(content["account_id"]).erasures += 1


def deposit(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    world.asset(content["asset"])
    holder.may("deposit")
    holder.give("spot", content["asset"], amount_of(content))
    world.do(holder, "funds.deposited", [("spot", content["asset"], FREE, amount_of(content))])


def request_withdrawal(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    world.asset(content["asset"])
    holder.may("withdraw")
    if content["withdrawal_id"] in holder.withdrawals:
        raise Refused(STATE, "requested before")
    holder.take("spot", content["asset"], amount_of(content))
    holder.at("spot", content["asset"])[LOCKED] += amount_of(content)
    holder.withdrawals[content["withdrawal_id"]] = [content["asset"], amount_of(content), "pending"]


def _end_withdrawal(world: World, content: Content, status: str) -> tuple[Holder, str, Fraction]:
    holder = world.holder(content["account_id"])
    if content["withdrawal_id"] not in holder.withdrawals:
        raise Refused(UNKNOWN, "no such withdrawal")
    asset, amount, before = holder.withdrawals[content["withdrawal_id"]]
    if before != "pending" or holder.closed:
        raise Refused(STATE, before)
    holder.at("spot", asset)[LOCKED] -= amount
    holder.withdrawals[content["withdrawal_id"]][2] = status
    return holder, asset, amount


def settle_withdrawal(world: World, content: Content, at: datetime) -> None:
    _end_withdrawal(world, content, "settled")


def cancel_withdrawal(world: World, content: Content, at: datetime) -> None:
    holder, asset, amount = _end_withdrawal(world, content, "cancelled")
    holder.give("spot", asset, amount)


def transfer(world: World, content: Content, at: datetime) -> None:
    move(world, content, content["from"], content["to"], at)


def add_margin(world: World, content: Content, at: datetime) -> None:
    world.pair(content["pair"])
    move(world, content, content.get("from", "spot"), f"isolated:{content['pair']}", at)


def remove_margin(world: World, content: Content, at: datetime) -> None:
    world.pair(content["pair"])
    move(world, content, f"isolated:{content['pair']}", content.get("to", "spot"), at)


def move(world: World, content: Content, source: str, target: str, at: datetime) -> None:
    """Funds between two wallets of one account."""
    holder, asset, amount = world.holder(content["account_id"]), content["asset"], amount_of(content)
    listing = world.asset(asset)
    pairs = [pair for pair in (pair_in(source), pair_in(target)) if pair]
    for pair in pairs:
        world.pair(pair)
    if holder.closed:
        raise Refused(STATE, "closed")
    if source == target or len(pairs) == 2:
        # A request that contradicts itself is seen before the account is looked at.
        raise Refused(MATCH, "between these wallets nothing moves")
    holder.may("transfer")
    holder.idle(source, target)
    if any(asset not in pair.split("/") for pair in pairs) or "transfer" not in listing.enabled:
        raise Refused(MATCH, "the asset does not fit")
    if ":" in target and holder.mode(pair_in(target) or "") != "isolated":
        raise Refused(MATCH, "the pair is not isolated")
    if target == "cross" and not listing.tiers[0][1]:
        raise Refused(MATCH, "no collateral")
    for wallet in (source, target):
        world.charge(holder, wallet, at)
    if target != "spot":
        world.price(asset, pair_in(target) or "cross", at)
    if source == "spot":
        holder.take(source, asset, amount)
    else:
        require_leaving(world, holder, source, asset, amount, at)
    holder.give(target, asset, amount)
    topic = "margin.added" if ":" in target else "margin.removed" if ":" in source else "funds.transferred"
    world.do(holder, topic, [(source, asset, FREE, -amount), (target, asset, FREE, amount)])
    holder.cut(source)
    holder.cut(target)


def send(world: World, content: Content, at: datetime) -> None:
    holder, other = world.holder(content["account_id"]), world.holder(content["to_account_id"])
    listing = world.asset(content["asset"])
    if holder.closed:
        raise Refused(STATE, "closed")
    if holder is other:
        # That both are one account is seen before either is looked at.
        raise Refused(MATCH, "to itself")
    holder.may("transfer")
    other.may("deposit")
    if "transfer" not in listing.enabled:
        raise Refused(MATCH, "not enabled")
    holder.take("spot", content["asset"], amount_of(content))
    other.give("spot", content["asset"], amount_of(content))
    sent = world.do(holder, "transfer.sent", [("spot", content["asset"], FREE, -amount_of(content))])
    received = world.do(other, "transfer.received", [("spot", content["asset"], FREE, amount_of(content))], other=sent)
    sent.other = received


def set_margin_mode(world: World, content: Content, at: datetime) -> None:
    holder, pair = world.holder(content["account_id"]), content["pair"]
    world.pair(pair)
    if holder.closed:
        raise Refused(STATE, "closed")
    holder.idle("cross", f"isolated:{pair}")
    if holder.mode(pair) == content["mode"]:
        raise Refused(MATCH, "nothing would change")
    bucket = f"isolated:{pair}"
    if holder.assets_in(bucket):
        raise Refused(MATCH, "the bucket is not empty")
    held, locked_in = "cross" if content["mode"] == "isolated" else bucket, pair.split("/")
    if any(holder.at(held, asset)[LOCKED] for asset in locked_in):
        raise Refused(MATCH, "something is locked")
    for wallet in ("cross", bucket):
        quantity = abs(holder.positions.get((wallet, pair), [Fraction(0)])[0])
        # Of a position of nothing no price is asked.
        scope = pair_in(wallet) or "cross"
        if quantity and quantity * world.price(base(pair), pair, None) > world.limits_of(scope).dust:
            raise Refused(MATCH, "a position is open")
    holder.modes[pair] = content["mode"]


def set_leverage(world: World, content: Content, at: datetime) -> None:
    holder, wallet, leverage = world.holder(content["account_id"]), content["wallet"], Fraction(content["leverage"])
    pair = pair_in(wallet)
    start = world.pair(pair).leverage if pair else Fraction(3)
    if holder.closed:
        raise Refused(STATE, "closed")
    holder.idle(wallet)
    if leverage == holder.leverages.get(wallet, start):
        raise Refused(MATCH, "nothing would change")
    if (leverage > start) if pair else leverage not in (3, 5):
        raise Refused(MATCH, "not a leverage of this wallet")
    world.charge(holder, wallet, at)
    holder.leverages[wallet] = leverage
    if holder.owes(wallet):
        there = worth(world, holder, wallet, at)
        line = row_of(world, holder, wallet) or there.row
        initial = initial_of(world, holder, wallet, line)
        level = there.collateral_level
        if initial is INFINITE or (level is not INFINITE and level <= initial):
            raise Refused(MATCH, "the level is not above the initial ratio")


def borrow(world: World, content: Content, at: datetime) -> None:
    holder, wallet, asset = world.holder(content["account_id"]), content["wallet"], content["asset"]
    listing, pair = world.asset(asset), pair_in(wallet)
    if pair:
        world.pair(pair)
    holder.may("borrow")
    holder.idle(wallet)
    if (pair and asset not in pair.split("/")) or "borrow" not in listing.enabled:
        raise Refused(MATCH, "the asset does not fit")
    if (pair and holder.mode(pair) != "isolated") or (not pair and not listing.tiers[0][1]):
        raise Refused(MATCH, "the mode or the collateral does not fit")
    world.charge(holder, wallet, at)
    world.price(asset, pair or "cross", at)
    lend(world, holder, wallet, asset, amount_of(content), at)


def lend(world: World, holder: Holder, wallet: str, asset: str, amount: Fraction, at: datetime) -> None:
    """Borrow and charge what is added for its own hour, and for the later ones that are already charged."""
    require_borrowing(world, holder, wallet, asset, amount, at)
    hour, charged = hour_of(at), holder.next_hour.get((wallet, asset), hour_of(at) + HOUR)
    holder.next_hour[wallet, asset] = charged
    while hour < charged:
        world.owe(holder, wallet, asset, world.cost_of_hour(asset, amount, hour))
        hour += HOUR
    holder.cut(wallet)


def repay(world: World, content: Content, at: datetime) -> None:
    holder, wallet, asset = world.holder(content["account_id"]), content["wallet"], content["asset"]
    world.asset(asset)
    pair = pair_in(wallet)
    if pair:
        world.pair(pair)
    if holder.closed:
        raise Refused(STATE, "closed")
    holder.idle(wallet)
    if pair and asset not in (base(pair), quote(pair)):
        raise Refused(MATCH, "the asset does not fit")
    world.charge(holder, wallet, at)
    owed = holder.owed(wallet, asset)
    amount = owed if content["amount"] == "all" else amount_of(content)
    if not owed or amount > owed:
        # Where nothing at all is owed, `all` may be told that nothing is to be done.
        raise Refused(MATCH if not owed and content["amount"] == "all" else 8, f"{owed} is owed")
    pay_back(world, holder, wallet, asset, amount)


def pay_back(world: World, holder: Holder, wallet: str, asset: str, amount: Fraction) -> None:
    """Interest first, then principal."""
    holder.take(wallet, asset, amount)
    four = holder.at(wallet, asset)
    interest = min(amount, four[INTEREST])
    four[INTEREST] -= interest
    four[BORROWED] -= amount - interest
    parts = [(FREE, amount), (INTEREST, interest), (BORROWED, amount - interest)]
    world.do(holder, "loan.repaid", [(wallet, asset, part, -paid) for part, paid in parts])
    if wallet in holder.running:
        holder.running[wallet].count(asset, amount)
    forget_paid(holder, wallet, asset)
    holder.cut(wallet)
    assert four[FREE] >= 0
