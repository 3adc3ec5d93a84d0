"""Prices in the model: marked within the bound of their pair, else held until another source or an operator agrees."""

from datetime import datetime, timedelta
from fractions import Fraction

from tests.simulation.model import MATCH, PRICE, STATE, Held, Mark, Refused, World, quote
from tests.simulation.model_commands import Content


def mark_prices(world: World, content: Content, at: datetime) -> None:
    for pair in content["prices"]:
        world.pair(pair)
    source, stated = content["source"], {pair: (Fraction(text), at) for pair, text in content["prices"].items()}
    held = {pair: mark for pair, mark in stated.items() if not _counts(world, pair, mark, source)}
    marked = {pair: mark for pair, mark in stated.items() if pair not in held}
    if any(pair in world.prices and world.prices[pair][1] > at for pair in stated):
        raise Refused(PRICE, "older than what it would replace")
    own = {pair: there[source] for pair, there in world.held.items() if source in there}
    if any(pair in own and own[pair].at > at for pair in held):
        raise Refused(PRICE, "older than what is held of the same source")
    is_new = any(world.prices.get(pair) != mark for pair, mark in marked.items())
    if not is_new and all(pair in own and own[pair][:2] == mark for pair, mark in held.items()):
        raise Refused(MATCH, "nothing would change")
    for pair, (price, _) in held.items():
        world.turn += 1
        world.held.setdefault(pair, {})[source] = Held(price, at, world.turn, world.limits_of(pair).jump or Fraction(0))
    if is_new:
        _mark(world, marked, at)


def _counts(world: World, pair: str, mark: Mark, source: str) -> bool:
    """Whether a price lies near the last one, or near one that another source stated about then."""
    jump, (price, at) = world.limits_of(pair).jump, mark
    if jump is None or pair not in world.prices or _near(price, world.prices[pair][0], jump):
        return True
    age = world.limits_of(pair).age
    if quote(pair) == "USDT":
        age = min(age, world.limits_of("cross").age)
    return any(
        other != source and _near(price, one.price, jump) and timedelta(0) <= at - one.at <= timedelta(seconds=age)
        for other, one in world.held.get(pair, {}).items()
    )


def _near(price: Fraction, other: Fraction, jump: Fraction) -> bool:
    return other * (1 - jump) <= price <= other * (1 + jump)


def _mark(world: World, marked: dict[str, Mark], at: datetime) -> None:
    world.prices.update(marked)
    world.newest = at if world.newest is None else max(at, world.newest)
    for pair in marked:
        _keep(world, pair, {name: one for name, one in world.held.get(pair, {}).items() if one.at > at})


def _keep(world: World, pair: str, by_source: dict[str, Held]) -> None:
    world.held.pop(pair, None)
    if by_source:
        world.held[pair] = by_source


def confirm_price(world: World, content: Content, at: datetime) -> None:
    pair, word = content["pair"], Fraction(content["price"])
    world.pair(pair)
    jump = world.limits_of(pair).jump
    agreeing = [one for one in world.held.get(pair, {}).values() if _near(one.price, word, jump or one.jump)]
    if not agreeing:
        raise Refused(STATE, "nothing near it is held")
    newest = max(agreeing, key=lambda one: (one.at, one.turn))
    _mark(world, {pair: (newest.price, newest.at)}, newest.at)


def reject_price(world: World, content: Content, at: datetime) -> None:
    pair, source = content["pair"], content.get("source")
    world.pair(pair)
    there = world.held.get(pair, {})
    left = {name: one for name, one in there.items() if source not in (None, name)}
    if left == there:
        raise Refused(STATE, "nothing is held")
    _keep(world, pair, left)
