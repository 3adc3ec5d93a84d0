"""Examination, close-out by the house, and external execution in the model."""

from datetime import datetime, timedelta
from fractions import Fraction

from tests.simulation.model import (
    BORROWED,
    ENOUGH,
    FREE,
    INTEREST,
    LOCKED,
    MATCH,
    STATE,
    UNKNOWN,
    Holder,
    Refused,
    Running,
    World,
    base,
    down,
    forget_paid,
    pair_in,
    quote,
    up,
)
from tests.simulation.model_commands import Content
from tests.simulation.model_margin import band_of, limits_in, worth


def own_time(world: World, content: Content) -> datetime:
    """What the ledger does by itself is dated with the newest price vector."""
    return world.newest or world.now


def accrue_interest(world: World, content: Content, at: datetime) -> None:
    holder = world.holder(content["account_id"])
    if holder.closed:
        raise Refused(STATE, "closed")
    until = datetime.fromisoformat(content["hour"])
    # A wallet under liquidation is passed over.
    wallets = sorted({wallet for wallet, _ in holder.has} - set(holder.running))
    if not sum(world.charge(holder, wallet, until) for wallet in wallets):
        raise Refused(MATCH, "nothing to charge")


def examine(world: World, content: Content, at: datetime) -> None:
    holder, wallet = world.holder(content["account_id"]), content["wallet"]
    pair = pair_in(wallet)
    if pair:
        world.pair(pair)
    if holder.closed:
        raise Refused(STATE, "closed")
    holder.idle(wallet)
    charged = world.charge(holder, wallet, at)
    band = band_of(worth(world, holder, wallet, at)) if holder.owes(wallet) else "normal"
    if band == "liquidation":
        close_out(world, holder, wallet, Running("by house", limits_in(world, wallet).fee), at)
        return
    called = holder.called.get(wallet)
    due = band == "margin_call" and (called is None or at - called >= timedelta(hours=24))
    if due:
        holder.called[wallet] = at
    if not due and not charged:
        raise Refused(MATCH, "nothing to do")


def liquidate(world: World, content: Content, at: datetime) -> None:
    holder, wallet = world.holder(content["account_id"]), content["wallet"]
    pair = pair_in(wallet)
    if pair:
        world.pair(pair)
    if holder.closed:
        raise Refused(STATE, "closed")
    holder.idle(wallet)
    charged = world.charge(holder, wallet, at)
    if not holder.owes(wallet) or band_of(worth(world, holder, wallet, at)) != "liquidation":
        raise Refused(ENOUGH, "healthy")
    # Its id is ACCOUNT.VERSION, after one event of interest if any was due.
    name = f"{content['account_id']}.{holder.version + charged + 1}"
    running = Running(name, limits_in(world, wallet).fee)
    if content.get("execution") == "external":
        _release(holder, wallet)
        holder.running[wallet] = running
    else:
        close_out(world, holder, wallet, running, at)


def complete_liquidation(world: World, content: Content, at: datetime) -> None:
    """The house closes out what the fills left owed and takes its fee of all that was repaid since the start."""
    holder = world.holder(content["account_id"])
    named = [wallet for wallet, running in holder.running.items() if running.name == content["liquidation_id"]]
    if not named:
        raise Refused(UNKNOWN, "no such liquidation")
    (wallet,) = named
    world.charge(holder, wallet, at)
    running = holder.running.pop(wallet)
    close_out(world, holder, wallet, running, at)


def close_out(world: World, holder: Holder, wallet: str, running: Running, at: datetime) -> None:
    """The house closes a wallet out: it repays what it can, takes its fee, and the fund pays the rest."""
    needed = sorted({*holder.assets_in(wallet), *running.repaid})
    prices = {asset: world.price(asset, pair_in(wallet) or "cross", at) for asset in needed}
    worths = {asset: sum(holder.at(wallet, asset)[:2]) * price for asset, price in prices.items()}
    debts_by_value = {asset: holder.owed(wallet, asset) * price for asset, price in prices.items()}
    assets = sorted((asset for asset in prices if worths[asset]), key=lambda asset: (-worths[asset], asset))
    debts = sorted((asset for asset in prices if debts_by_value[asset]), key=lambda a: (-debts_by_value[a], a))
    _release(holder, wallet)
    for debt in debts:
        amount = min(holder.free(wallet, debt), holder.owed(wallet, debt))
        running.count(debt, amount)
        _pay(world, holder, wallet, (debt, amount), (debt, amount))
    for asset in assets:
        for debt in debts:
            held, owed = holder.free(wallet, asset), holder.owed(wallet, debt)
            if held and owed:
                taken = min(held, up(owed * prices[debt] / prices[asset], world.assets[asset].scale))
                credit = min(owed, down(taken * prices[asset] / prices[debt], world.assets[debt].scale))
                running.count(debt, credit)
                _pay(world, holder, wallet, (asset, taken), (debt, credit))
    repaid = sum((amount * prices[asset] for asset, amount in running.repaid.items()), Fraction(0))
    _charge_fee(world, holder, wallet, assets, repaid * running.fee, prices)
    for debt in debts:
        value = up(holder.owed(wallet, debt) * prices[debt], world.assets["USDT"].scale)
        world.insurance["USDT"] = world.insurance.get("USDT", Fraction(0)) - value
        holder.at(wallet, debt)[BORROWED] = holder.at(wallet, debt)[INTEREST] = Fraction(0)
        forget_paid(holder, wallet, debt)
        holder.cut(wallet)


def _release(holder: Holder, wallet: str) -> None:
    for hold_id, (name, asset, amount) in list(holder.holds.items()):
        if name == wallet:
            holder.at(wallet, asset)[LOCKED] -= amount
            holder.at(wallet, asset)[FREE] += amount
            del holder.holds[hold_id]


def _pay(world: World, holder: Holder, wallet: str, taken: tuple[str, Fraction], credit: tuple[str, Fraction]) -> None:
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


def _charge_fee(
    world: World, holder: Holder, wallet: str, assets: list[str], value: Fraction, prices: dict[str, Fraction]
) -> None:
    for asset in assets:
        fee = min(holder.free(wallet, asset), up(value / prices[asset], world.assets[asset].scale))
        if fee > 0:
            holder.at(wallet, asset)[FREE] -= fee
            world.insurance[asset] = world.insurance.get(asset, Fraction(0)) + fee
            value = max(Fraction(0), value - fee * prices[asset])
            _close(world, holder, wallet, (asset, fee), ("", Fraction(0)))
            holder.cut(wallet)
