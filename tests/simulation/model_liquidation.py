"""Examination and close-out by the house in the model."""

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
    Holder,
    Refused,
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
    wallets = sorted({wallet for wallet, _ in holder.has})
    if not sum(world.charge(holder, wallet, until) for wallet in wallets):
        raise Refused(MATCH, "nothing to charge")


def examine(world: World, content: Content, at: datetime) -> None:
    holder, wallet = world.holder(content["account_id"]), content["wallet"]
    pair = pair_in(wallet)
    if pair:
        world.pair(pair)
    if holder.closed:
        raise Refused(STATE, "closed")
    charged = world.charge(holder, wallet, at)
    band = band_of(worth(world, holder, wallet, at)) if holder.owes(wallet) else "normal"
    if band == "liquidation":
        close_out(world, holder, wallet, at)
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
    world.charge(holder, wallet, at)
    if not holder.owes(wallet) or band_of(worth(world, holder, wallet, at)) != "liquidation":
        raise Refused(ENOUGH, "healthy")
    close_out(world, holder, wallet, at)


def close_out(world: World, holder: Holder, wallet: str, at: datetime) -> None:
    """The house closes a wallet out: it repays what it can, takes its fee, and the fund pays the rest."""
    prices = {asset: world.price(asset, pair_in(wallet) or "cross", at) for asset in holder.assets_in(wallet)}
    worths = {asset: sum(holder.at(wallet, asset)[:2]) * price for asset, price in prices.items()}
    debts_by_value = {asset: holder.owed(wallet, asset) * price for asset, price in prices.items()}
    assets = sorted((asset for asset in prices if worths[asset]), key=lambda asset: (-worths[asset], asset))
    debts = sorted((asset for asset in prices if debts_by_value[asset]), key=lambda a: (-debts_by_value[a], a))
    _release(holder, wallet)
    repaid = Fraction(0)
    for debt in debts:
        amount = min(holder.free(wallet, debt), holder.owed(wallet, debt))
        repaid += _pay(holder, wallet, (debt, amount), (debt, amount), prices)
    for asset in assets:
        for debt in debts:
            held, owed = holder.free(wallet, asset), holder.owed(wallet, debt)
            if held and owed:
                taken = min(held, up(owed * prices[debt] / prices[asset], world.assets[asset].scale))
                credit = min(owed, down(taken * prices[asset] / prices[debt], world.assets[debt].scale))
                repaid += _pay(holder, wallet, (asset, taken), (debt, credit), prices)
    _charge_fee(world, holder, wallet, assets, repaid * limits_in(world, wallet).fee, prices)
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


def _pay(
    holder: Holder,
    wallet: str,
    taken: tuple[str, Fraction],
    credit: tuple[str, Fraction],
    prices: dict[str, Fraction],
) -> Fraction:
    """Book what the house takes and what it pays of a debt; the value paid."""
    holder.at(wallet, taken[0])[FREE] -= taken[1]
    four = holder.at(wallet, credit[0])
    interest = min(credit[1], four[INTEREST])
    four[INTEREST] -= interest
    four[BORROWED] -= credit[1] - interest
    if credit[1]:
        forget_paid(holder, wallet, credit[0])
    if taken[0] != credit[0]:
        _close(holder, wallet, taken, credit, prices)
    holder.cut(wallet)
    return credit[1] * prices[credit[0]]


def _close(
    holder: Holder, wallet: str, taken: tuple[str, Fraction], bought: tuple[str, Fraction], prices: dict[str, Fraction]
) -> None:
    """What a liquidation takes or buys back closes at its price."""
    (sold, to_sell), (back, to_buy) = taken, bought
    for (name, pair), (held, _, _) in sorted(holder.positions.items()):
        if name != wallet or base(pair) not in prices:
            continue
        price = prices[base(pair)] / prices.get(quote(pair), Fraction(1))
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
            _close(holder, wallet, (asset, fee), ("", Fraction(0)), prices)
            holder.cut(wallet)
