"""Figures of an account that its pages work out from answers: prices of pairs, distances, levels as they are shown."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from api.console.writing import Markup, amount, joined, tag, text

VALUATION_ASSET = "USDT"
"""What answers value wallets in: a price of an asset is that of ASSET/USDT."""
LEVEL_DECIMALS = 4
WORTH_DECIMALS = 2
QUOTIENT_DECIMALS = 8

Prices = Mapping[str, Mapping[str, Any]]


def level_shown(level: str | None) -> Markup:
    """A level at four decimals, down; all of them on hover."""
    if level is None:
        return text(None)
    return tag("span", level_cut(level), title=level, class_="amount")


def level_cut(level: str) -> str:
    """A level cut after four decimals, never rounded up over a line that it is below."""
    whole, point, decimals = level.partition(".")
    return f"{whole}{point}{decimals[:LEVEL_DECIMALS]}"


def price_of(pair: str, prices: Prices) -> Fraction | None:
    """The price of a pair by the prices of an account's answer, for a quote of its own the quotient of both."""
    base, _, quote = pair.partition("/")
    of_base, of_quote = _value_of(base, prices), _value_of(quote, prices)
    return None if of_base is None or of_quote is None else of_base / of_quote


def _value_of(asset: str, prices: Prices) -> Fraction | None:
    if asset == VALUATION_ASSET:
        return Fraction(1)
    found = prices.get(f"{asset}/{VALUATION_ASSET}")
    return None if found is None else Fraction(found["price"])


def price_shown(pair: str, prices: Prices) -> Markup:
    """The price of a pair now: as it was marked, a quotient of two at eight decimals."""
    price = price_of(pair, prices)
    if price is None:
        return text(None)
    marked = prices.get(pair)
    return amount(str(marked["price"]) if marked else written(price, QUOTIENT_DECIMALS))


def share_in_percent(part: Fraction, whole: Fraction | None) -> Markup:
    """A part of a whole in per cent, with its sign, at two decimals; a dash where there is no whole."""
    if not whole:
        return text(None)
    share = part / whole * 100
    sign = "−" if share < 0 else "+" if share > 0 else ""
    return tag("span", f"{sign}{written(abs(share), 2)} %", class_="amount")


def distance(price: str, now: Fraction | None) -> Markup:
    """How far a price is from the one now, in per cent of that; below zero it lies beneath."""
    return share_in_percent(Fraction(price) - (now or 0), now)


def written(value: Fraction, decimals: int) -> str:
    """A figure of the page's own at so many decimals, half to even; amounts of the ledger are never rounded."""
    return f"{Decimal(round(value * 10**decimals)).scaleb(-decimals):f}"


def signed(value: str | None, asset: str | None = None, *, owed: bool = False) -> Markup:
    """A change with its sign, coloured as gain or loss: more that is owed is a loss. A dash where there is none."""
    if value is None or not value.strip("-0."):
        return text(None)
    is_less = value.startswith("-")
    changed = joined("" if is_less else "+", amount(value, asset))
    return tag("span", changed, class_="gain" if is_less is owed else "loss")


def worth(value: str | None) -> Markup:
    """A sum in the valuation asset, cut after two decimals; all of them on hover."""
    if value is None:
        return text(None)
    whole, point, decimals = value.partition(".")
    written_cut = f"{whole}{point}{decimals[:WORTH_DECIMALS]}"
    # What is cut to nothing is neither above nor below zero.
    cut = amount(written_cut if written_cut.strip("-0.") else written_cut.removeprefix("-"))
    return tag("span", cut, title=f"{value} {VALUATION_ASSET}")
