"""Shocks to prices: what a what-if asks for, read strictly, and the market as it would be after them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from ledger.errors import Malformed, PriceStale, TooManyDecimals
from ledger.market import Market
from ledger.money import (
    VALUATION_ASSET,
    decimals_of,
    divide_down,
    divide_up,
    parse_amount,
    parse_positive,
    plain,
    quote_of,
    valuation_pair,
)

ALL = "all"
"""Names every pair that values an asset and is not shocked by itself."""
MOST_STEPS = 201
HUNDRED = Decimal(100)
SHAPE = 'a shock is a change such as "-20%" or "+5%", or a price such as "48000"'
_CHANGE = re.compile(r"[+-][0-9.]{1,76}%")
_LONGEST_NAME = 60


class Shock(NamedTuple):
    """What a pair's price is, what it is shocked to, and the shock as it was stated."""

    stated: str
    price: Decimal
    shocked: Decimal


class Sweep(NamedTuple):
    """One shock after the other to what `name` names: the changes in order, as they would be stated."""

    name: str
    changes: tuple[str, ...]


def read_shocks(market: Market, stated: Mapping[str, Any]) -> dict[str, Shock]:
    """The shocks by pair, of what is stated by pair (`BTC/USDT`), by asset (`BTC`), or of `all`.

    A change counts from the price last marked, and is rounded at the pair's price scale away from it: a fall down, a
    rise up, so that no shock is milder than it was asked. Refuses with UnknownPair and UnknownAsset what is not listed,
    with PriceStale what was never marked, with TooManyDecimals a price beyond the price scale, with Malformed the rest.
    """
    shocks: dict[str, Shock] = {}
    for name, shock in stated.items():
        if name != ALL:
            pair = _pair_named(market, name)
            if pair in shocks:
                raise Malformed(f"{pair} is shocked twice, by its own name and by its asset's; state one of them")
            shocks[pair] = _shock(market, pair, shock)
    if ALL in stated:
        if not isinstance(stated[ALL], str) or not stated[ALL].endswith("%"):
            raise Malformed(f"{_short(stated[ALL])} was asked for {ALL}, which takes a change only, such as -20%")
        others = [pair for pair in sorted(market.prices) if quote_of(pair) == VALUATION_ASSET and pair not in shocks]
        shocks |= {pair: _shock(market, pair, stated[ALL]) for pair in others}
    return shocks


def shocked_market(market: Market, shocks: Mapping[str, Shock]) -> Market:
    """The market with shocked prices; each is as old as the price it takes the place of."""
    marks = {pair: market.prices[pair].model_copy(update={"price": shock.shocked}) for pair, shock in shocks.items()}
    return replace(market, prices={**market.prices, **marks})


def read_sweep(name: str, first: Any, last: Any, step: Any) -> Sweep:
    """A sweep from one change to another (`-50%`, `+50%`) in steps (`5%`); at most MOST_STEPS changes."""
    start, end, width = _change(first, name), _change(last, name), _width(step, name)
    if end < start:
        raise Malformed(f"the sweep of {_short(name)} goes from {first} down to {last}; state the lower end first")
    steps = int((end - start) // width) + 1
    if steps > MOST_STEPS:
        raise Malformed(
            f"the sweep of {_short(name)} from {first} to {last} by {step} has {steps} steps, at most {MOST_STEPS} "
            "are made; state a wider step"
        )
    return Sweep(name, tuple(_written(start + number * width) for number in range(steps)))


def _pair_named(market: Market, name: str) -> str:
    """The pair that values what is named."""
    if "/" not in name:
        if name == VALUATION_ASSET:
            raise Malformed(f"{name} is what everything is valued in, its price is 1; shock the other assets instead")
        market.asset(name[:_LONGEST_NAME])
        name = valuation_pair(name)
    market.pair(name[:_LONGEST_NAME])
    if quote_of(name) != VALUATION_ASSET:
        raise Malformed(f"no wallet is valued by {name}, but by prices in {VALUATION_ASSET}; shock those of its assets")
    return name


def _shock(market: Market, pair: str, stated: Any) -> Shock:
    mark = market.prices.get(pair)
    if mark is None:
        raise PriceStale(
            f"a shock of {_short(stated)} to {pair} was asked for, whose price was never marked by then; "
            "mark_prices marks it"
        )
    scale = market.pair(pair).price_scale
    if isinstance(stated, str) and stated.endswith("%"):
        return Shock(stated, mark.price, _changed(pair, mark.price, stated, scale))
    try:
        price = parse_positive(stated)
    except ValueError as error:
        raise Malformed(f"{_short(stated)} is no shock to {pair}: {error}; {SHAPE}") from None
    if decimals_of(price) > scale:
        raise TooManyDecimals(
            f"a shocked price of {stated} has {decimals_of(price)} decimals, {pair} keeps {scale}; state it with fewer"
        )
    return Shock(stated, mark.price, price)


def _changed(pair: str, price: Decimal, stated: str, scale: int) -> Decimal:
    change = _change(stated, pair)
    divide = divide_down if change < 0 else divide_up
    shocked = divide(price * (HUNDRED + change), HUNDRED, scale)
    if shocked <= 0:
        raise Malformed(
            f"{stated} of {price:f} leaves {pair} no price above zero at its {scale} decimals; state a smaller fall"
        )
    return shocked


def _change(stated: Any, name: str) -> Decimal:
    """A change in percent, with its sign."""
    if not isinstance(stated, str) or not _CHANGE.fullmatch(stated):
        raise Malformed(f"{_short(stated)} is no change of {_short(name)}: write it with its sign, such as -20% or +5%")
    return _percent(stated[1:-1], stated, name) * (-1 if stated[0] == "-" else 1)


def _width(stated: Any, name: str) -> Decimal:
    """The step of a sweep in percent, above zero."""
    text = stated.removeprefix("+").removesuffix("%") if isinstance(stated, str) and stated.endswith("%") else ""
    width = _percent(text, stated, name)
    if width <= 0:
        raise Malformed(f"the sweep of {_short(name)} has steps of {_short(stated)}; state one above zero, such as 5%")
    return width


def _percent(text: str, stated: Any, name: str) -> Decimal:
    try:
        return parse_amount(text)
    except ValueError as error:
        raise Malformed(f"{_short(stated)} of {_short(name)} is no percentage such as 20%: {error}") from None


def _written(change: Decimal) -> str:
    return f"{'-' if change < 0 else '+'}{plain(abs(change))}%"


def _short(stated: Any) -> str:
    """What was stated, as far as a refusal quotes it."""
    return ascii(stated)[:_LONGEST_NAME]
