"""Longs and shorts by pair: what is open over all accounts, in the base asset and in value."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ledger.account import is_position_open
from ledger.errors import PriceStale
from ledger.market import Market
from ledger.money import ZERO, base_of, plain
from ledger.wallets import Wallets
from ledger.words import CROSS
from projections.positions.queries import Openness, open_interest
from projections.projector import Connection


@dataclass(slots=True)
class Side:
    """The longs or the shorts of a pair: how many, and their quantity of the base asset, above zero."""

    positions: int = 0
    quantity: Decimal = ZERO

    def add(self, positions: int, quantity: Decimal) -> None:
        self.positions += positions
        self.quantity += quantity


@dataclass(slots=True)
class Interest:
    """Both sides of a pair."""

    long: Side = field(default_factory=Side)
    short: Side = field(default_factory=Side)


def pairs_answer(
    connection: Connection, position: int, market: Market, apart: Iterable[Wallets], without: Iterable[str] = ()
) -> dict[str, Any]:
    """By pair the longs, the shorts and the net of both; positions within dust are not open (domain, section 2).

    `apart` are wallets to be counted in place of those of the accounts `without`. Values are at the prices last marked,
    None where one was never marked.
    """
    found: dict[str, Interest] = {}
    terms = [_openness(market, pair) for pair in sorted(market.pairs)]
    for row in open_interest(connection, position, terms, without):
        sides = found.setdefault(row["pair"], Interest())
        (sides.long if row["is_long"] else sides.short).add(row["positions"], row["quantity"])
    for wallets in apart:
        _add_open(found, wallets, market)
    return {pair: _figures(found[pair], base_price(market, pair)) for pair in sorted(found)}


def base_price(market: Market, pair: str) -> Decimal | None:
    """The price of a pair's base asset in the valuation asset; None where it was never marked."""
    base = base_of(pair)
    try:
        return market.last_prices([base]).of[base]
    except PriceStale:
        return None


def _openness(market: Market, pair: str) -> Openness:
    return Openness(pair, base_price(market, pair), market.limits_of(pair).dust, market.limits_of(CROSS).dust)


def _add_open(found: dict[str, Interest], wallets: Wallets, market: Market) -> None:
    for wallet in wallets.all():
        for pair, position in wallet.positions.items():
            if is_position_open(wallet, pair, market):
                sides = found.setdefault(pair, Interest())
                (sides.long if position.quantity > 0 else sides.short).add(1, abs(position.quantity))


def _figures(sides: Interest, price: Decimal | None) -> dict[str, Any]:
    net = sides.long.quantity - sides.short.quantity
    return {
        "long": {"positions": sides.long.positions, **_valued(sides.long.quantity, price)},
        "short": {"positions": sides.short.positions, **_valued(sides.short.quantity, price)},
        "net": _valued(net, price),
    }


def _valued(quantity: Decimal, price: Decimal | None) -> dict[str, str | None]:
    return {"quantity": plain(quantity), "value": None if price is None else plain(quantity * price)}
