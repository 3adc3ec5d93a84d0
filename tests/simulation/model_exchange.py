"""The exchange's own commands in the model, and the one way in for every command."""

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.simulation import model_commands, model_corrections, model_liquidation, model_prices, model_trading
from tests.simulation.model import ENOUGH, MATCH, STATE, VERSION, Asset, Limits, Pair, Refused, Row, World
from tests.simulation.model_commands import Content, amount_of
from tests.simulation.model_copy import copied


def list_asset(world: World, content: Content, at: datetime) -> None:
    if content["asset"] in world.assets:
        raise Refused(STATE, "listed before")
    listing = Asset(content["scale"], Fraction(content["daily_interest_rate"]))
    world.assets[content["asset"]] = listing
    _take_limits(listing, content)


def _take_limits(listing: Asset, content: Content) -> None:
    if "borrow_limit" in content:
        # What is left out stays; null lifts the limit.
        limit = content["borrow_limit"]
        listing.borrow_limit = None if limit is None else Fraction(limit)
    if content.get("collateral_tiers"):
        listing.tiers = [
            (Fraction(tier["up_to"]) if tier.get("up_to") else None, Fraction(tier["ratio"]))
            for tier in content["collateral_tiers"]
        ]
    if content.get("enabled") is not None:
        listing.enabled = set(content["enabled"])


def set_asset_limits(world: World, content: Content, at: datetime) -> None:
    before = copied(world.asset(content["asset"]))
    _take_limits(world.assets[content["asset"]], content)
    if before == world.assets[content["asset"]]:
        raise Refused(MATCH, "nothing would change")


def list_pair(world: World, content: Content, at: datetime) -> None:
    for asset in content["pair"].split("/"):
        world.asset(asset)
    if content["pair"] in world.pairs:
        raise Refused(STATE, "listed before")
    if Fraction(content["max_leverage"]) > 10:
        raise Refused(MATCH, "no row for such a leverage")
    world.pairs[content["pair"]] = Pair(Fraction(content["max_leverage"]))


def set_pair_status(world: World, content: Content, at: datetime) -> None:
    pair = world.pair(content["pair"])
    if pair.status == content["status"]:
        raise Refused(MATCH, "nothing would change")
    pair.status = content["status"]


def set_risk_limits(world: World, content: Content, at: datetime) -> None:
    scope = content["scope"]
    old = world.limits_of(scope)
    rows = [_row(tier) for tier in content.get("tiers") or []]
    if scope == "cross":
        known = {line.leverage: line for line in [*old.rows, *rows]}
        rows = [known[leverage] for leverage in sorted(known)]
    new = Limits(
        rows or old.rows,
        content.get("price_max_age_seconds", old.age),
        Fraction(content.get("liquidation_fee", old.fee)),
        Fraction(content.get("dust", old.dust)),
        _lifted_by_null(content, "price_jump_limit", old.jump),
        _lifted_by_null(content, "liquidation_target", old.target),
        content.get("liquidation_execution", old.execution),
        content.get("execution_time_limit_seconds", old.seconds),
    )
    if new == old:
        raise Refused(MATCH, "nothing would change")
    if new.target is not None and new.target <= max(line.liquidation for line in new.rows):
        raise Refused(MATCH, "the target is not above every line")
    world.limits[scope] = new


def _lifted_by_null(content: Content, name: str, old: Fraction | None) -> Fraction | None:
    """What is left out stays; null lifts it."""
    if name not in content:
        return old
    return None if content[name] is None else Fraction(content[name])


def _row(tier: dict[str, Any]) -> Row:
    base_limit, quote_limit = (tier.get(name) for name in ("base_limit", "quote_limit"))
    return Row(
        leverage=Fraction(tier["max_leverage"]),
        initial=Fraction(tier["initial"]),
        call=Fraction(tier["margin_call"]),
        liquidation=Fraction(tier["liquidation"]),
        out=Fraction(tier.get("transfer_out", 2)),
        base_limit=Fraction(base_limit) if base_limit else None,
        quote_limit=Fraction(quote_limit) if quote_limit else None,
    )


def set_interest_rate(world: World, content: Content, at: datetime) -> None:
    asset, rate = world.asset(content["asset"]), Fraction(content["daily_rate"])
    if asset.rate_at(at) == rate:
        raise Refused(MATCH, "the rate is that already")
    asset.changes.append((at, rate))


def fund_insurance(world: World, content: Content, at: datetime) -> None:
    world.asset(content["asset"])
    for book in (world.fund, world.insurance):
        book[content["asset"]] = book.get(content["asset"], Fraction(0)) + amount_of(content)


def withdraw_insurance(world: World, content: Content, at: datetime) -> None:
    world.asset(content["asset"])
    if amount_of(content) > world.fund.get(content["asset"], Fraction(0)):
        raise Refused(ENOUGH, "not funded, or withdrawn already")
    for book in (world.fund, world.insurance):
        book[content["asset"]] -= amount_of(content)


ROOMS = (model_commands, model_trading, model_liquidation, model_prices, model_corrections)
BY_ITSELF = {"examine", "liquidate", "complete_liquidation"}


def apply(world: World, content: Content, actor: str) -> int | None:
    """Carry a command of an actor out; the stage at which it is refused, when it then leaves no trace."""
    name = content["type"]
    rule: Callable[[World, Content, datetime], None] | None = globals().get(name)
    for room in ROOMS:
        rule = rule or getattr(room, name, None)
    assert rule is not None, name
    stated = content.get("effective_at")
    default = model_liquidation.own_time(world, content) if name in BY_ITSELF else world.now
    world.actor, world.done = actor, []
    before = copied(world)
    refused_at = None if _is_version(world, content) else VERSION
    try:
        rule(world, content, datetime.fromisoformat(stated) if stated else default)
    except Refused as refusal:
        refused_at = min(refused_at or refusal.stage, refusal.stage)
    if refused_at is not None:
        world.__dict__.update(before.__dict__)
    return refused_at


def _is_version(world: World, content: Content) -> bool:
    """Whether the version that a command states of its account, if it does, is the account's."""
    holder = world.holders.get(content.get("account_id", ""))
    return content.get("expected_version") in (None, holder.version if holder else 0)
