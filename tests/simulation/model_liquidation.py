"""Examination, the start of a liquidation and the end of an external execution in the model."""

from datetime import datetime, timedelta

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
    pair_in,
)
from tests.simulation.model_closing import close_out
from tests.simulation.model_commands import Content
from tests.simulation.model_margin import band_of, limits_in, row_of, worth


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
        external = limits_in(world, wallet).execution == "external"
        _start(world, content, holder, wallet, charged, at, external=external)
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
    _start(world, content, holder, wallet, charged, at, external=content.get("execution") == "external")


def _start(
    world: World, content: Content, holder: Holder, wallet: str, charged: bool, at: datetime, *, external: bool
) -> None:
    """Its id is ACCOUNT.VERSION, after one event of interest if any was due."""
    name, limits = f"{content['account_id']}.{holder.version + charged + 1}", limits_in(world, wallet)
    line = row_of(world, holder, wallet) or limits.rows[-1]
    tier = limits.rows.index(line) + 1 if pair_in(wallet) else None
    running = Running(name, limits.fee, limits.target, tier)
    release(holder, wallet)
    if external:
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


def release(holder: Holder, wallet: str) -> None:
    for hold_id, (name, asset, amount) in list(holder.holds.items()):
        if name == wallet:
            holder.at(wallet, asset)[LOCKED] -= amount
            holder.at(wallet, asset)[FREE] += amount
            del holder.holds[hold_id]
