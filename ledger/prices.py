"""Mark prices: those beyond a pair's bound are held, until another source or an operator says the same; pure rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, assert_never

from ledger import commands as c
from ledger import events as e
from ledger.errors import NothingToDo, PriceNotHeld, PriceOutOfOrder
from ledger.market import Market

Envelope = Mapping[str, Any]
"""What the first event of a decision states of it: stream, version, business time, actor, request."""


class Vector(NamedTuple):
    """A vector as its pairs' bounds judge it: what counts, the held prices that agree with it, and what is held."""

    marked: dict[str, Decimal]
    confirmed: dict[str, e.HeldPrice]
    held: dict[str, e.HeldPrice]


def mark_prices(market: Market, command: c.MarkPrices, envelope: Envelope) -> Sequence[e.PriceEvent]:
    """Hold the prices beyond their bounds, mark the others: one event for each of the two that there are.

    PriceOutOfOrder where one would replace a newer price, marked or held of the same source; NothingToDo where all are
    marked or held already.
    """
    at, source = envelope["effective_at"], command.source
    vector = _judged(market, command, at, envelope["version"])
    _require_in_order(market, vector, at, source)
    events: list[e.PriceEvent] = []
    if not all(_is_held(market, pair, held) for pair, held in vector.held.items()):
        events.append(e.made(e.PricesHeld, {**envelope, "prices": vector.held}))
    if not all(_is_marked(market, pair, price, at) for pair, price in vector.marked.items()):
        fields = {"version": envelope["version"] + len(events), "prices": vector.marked, "source": source}
        events.append(e.made(e.PricesMarked, {**envelope, **fields, "confirmed": vector.confirmed or None}))
    if not events:
        raise NothingToDo(f"these prices of {at.isoformat()} are {_known_as(vector)} already")
    return events


def _known_as(vector: Vector) -> str:
    return " and ".join(word for word, there in (("marked", vector.marked), ("held", vector.held)) if there)


def _judged(market: Market, command: c.MarkPrices, at: datetime, version: int) -> Vector:
    vector = Vector({}, {}, {})
    for pair, price in command.prices.items():
        limit, last = market.limits_of(pair).price_jump_limit, market.prices.get(pair)
        # Of a pair's first price nobody can say how far it jumps.
        if limit is None or last is None or is_within(price, last.price, limit):
            vector.marked[pair] = price
            continue
        witness = _witness(market, pair, price, at, command.source, limit)
        if witness is None:
            vector.held[pair] = _hold(price, at, version, command.source, last, limit)
        else:
            vector.marked[pair] = price
            vector.confirmed[pair] = witness
    return vector


def is_within(price: Decimal, other: Decimal, limit: Decimal) -> bool:
    """Whether a price lies no further from another one than the limit, a part of that other one, exactly."""
    return abs(price - other) <= limit * other


def _witness(
    market: Market, pair: str, price: Decimal, at: datetime, source: str, limit: Decimal
) -> e.HeldPrice | None:
    """The newest price held of another source that agrees with this one and is not too old to, nor of a later time."""
    oldest = at - timedelta(seconds=market.max_age_of(pair))
    agreeing = [
        held
        for held in market.held_prices.get(pair, {}).values()
        if _is_other(held.source, source) and oldest <= held.effective_at <= at and is_within(price, held.price, limit)
    ]
    return max(agreeing, key=_age_rank, default=None)


def _is_other(source: str, than: str) -> bool:
    """Sources that differ in spaces and case only are one, which cannot be its own witness."""
    return "".join(source.split()).casefold() != "".join(than.split()).casefold()


def _age_rank(held: e.HeldPrice) -> tuple[datetime, int]:
    return held.effective_at, held.version


def _hold(price: Decimal, at: datetime, version: int, source: str, last: e.MarkPrice, limit: Decimal) -> e.HeldPrice:
    stated = {"price": price, "effective_at": at, "version": version, "source": source}
    return e.made(e.HeldPrice, {**stated, "last": last, "price_jump_limit": limit})


def _require_in_order(market: Market, vector: Vector, at: datetime, source: str) -> None:
    late = [
        f"{pair} is marked at {mark.price:f} of {mark.effective_at.isoformat()}"
        for pair in (*vector.marked, *vector.held)
        if (mark := market.prices.get(pair)) and mark.effective_at > at
    ]
    late += [
        f"{pair} is held at {own.price:f} of {own.effective_at.isoformat()} by {source}"
        for pair in vector.held
        if (own := market.held_prices.get(pair, {}).get(source)) and own.effective_at > at
    ]
    if late:
        raise PriceOutOfOrder(f"prices of {at.isoformat()} would replace newer ones: {'; '.join(late)}")


def _is_marked(market: Market, pair: str, price: Decimal, at: datetime) -> bool:
    mark = market.prices.get(pair)
    return mark is not None and (mark.price, mark.effective_at) == (price, at)


def _is_held(market: Market, pair: str, held: e.HeldPrice) -> bool:
    own = market.held_prices.get(pair, {}).get(held.source)
    return own is not None and (own.price, own.effective_at) == (held.price, held.effective_at)


def confirm_price(market: Market, command: c.ConfirmPrice, envelope: Envelope) -> e.PricesMarked:
    """Mark the newest held price that agrees with what an operator vouches for, of the time it was stated for.

    PriceNotHeld where none lies within the bound, the one in force or, if that was lifted, the one it was held by.
    """
    pair, there = command.pair, market.held_prices.get(command.pair, {}).values()
    limit = market.limits_of(pair).price_jump_limit
    agreeing = [held for held in there if is_within(held.price, command.price, limit or held.price_jump_limit)]
    if not agreeing:
        raise PriceNotHeld(
            f"a price of {pair} near {command.price:f} was to be confirmed, {_told(pair, there)}; "
            "confirm one of these, or have mark_prices state the price"
        )
    held = max(agreeing, key=_age_rank)
    fields = {"effective_at": held.effective_at, "prices": {pair: held.price}, "source": held.source}
    return e.made(e.PricesMarked, {**envelope, **fields, "confirmed": {pair: held}, "vouched_price": command.price})


def reject_price(market: Market, command: c.RejectPrice, envelope: Envelope) -> e.PriceRejected:
    """Drop what is held of a pair, of all sources or of the one named; PriceNotHeld where there is none."""
    there = market.held_prices.get(command.pair, {}).values()
    rejected = [held for held in there if command.source in (None, held.source)]
    if not rejected:
        of_whom = "" if command.source is None else f" of {command.source}"
        raise PriceNotHeld(
            f"the held price of {command.pair}{of_whom} was to be rejected, {_told(command.pair, there)}; "
            "what is held already counts for nothing, and a price that was marked is replaced by the next one"
        )
    return e.made(e.PriceRejected, {**envelope, "pair": command.pair, "rejected": rejected})


def _told(pair: str, there: Any) -> str:
    held = [f"{one.price:f} of {one.effective_at.isoformat()} by {one.source}" for one in there]
    return f"held of it is {'; '.join(held)}" if held else f"nothing of {pair} is held"


def evolve(market: Market, event: e.PriceEvent) -> None:
    """Take an event of the prices into the market; never refused. Held prices are put anew, never changed in place."""
    market.prices_version = event.version
    match event:
        case e.PricesMarked():
            _evolve_marks(market, event)
        case e.PricesHeld():
            for pair, held in event.prices.items():
                _put_held(market, pair, {**market.held_prices.get(pair, {}), held.source: held})
        case e.PriceRejected():
            there = market.held_prices.get(event.pair, {})
            left = {source: held for source, held in there.items() if held not in event.rejected}
            _put_held(market, event.pair, left)
        case _:
            assert_never(event)


def _evolve_marks(market: Market, event: e.PricesMarked) -> None:
    """A mark ends what is held of its pair up to its time."""
    at = event.effective_at
    when = {"effective_at": at, "version": event.version}
    for pair, price in event.prices.items():
        market.prices[pair] = e.made(e.MarkPrice, {"price": price, **when})
        if (there := market.held_prices.get(pair)) is not None:
            _put_held(market, pair, {source: held for source, held in there.items() if held.effective_at > at})
    newest = market.newest_prices_at
    market.newest_prices_at = at if newest is None else max(newest, at)


def _put_held(market: Market, pair: str, by_source: dict[str, e.HeldPrice]) -> None:
    others = {name: there for name, there in market.held_prices.items() if name != pair}
    market.held_prices = {**others, pair: by_source} if by_source else others
