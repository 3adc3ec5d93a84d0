"""Exact amounts: decimals that are never rounded behind anyone's back, and the only divisions the ledger knows."""

import decimal
import re
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import core_schema

AMOUNT_DIGITS = 38
VALUATION_ASSET = "USDT"
ZERO = Decimal(0)
ONE = Decimal(1)

# Every thread of a process that imports this module calculates in this one context: results are exact or an
# error, never rounded. 1,000 digits hold any product of four amounts of 38 digits and any sum of such products.
EXACT = decimal.Context(
    prec=1000,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    traps=[decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow, decimal.FloatOperation],
)


def calculate_exactly() -> None:
    """Make EXACT the context of this thread and the default of every thread that starts later."""
    default = decimal.DefaultContext
    default.prec, default.Emin, default.Emax = EXACT.prec, EXACT.Emin, EXACT.Emax
    for signal, trapped in EXACT.traps.items():
        default.traps[signal] = trapped
    decimal.setcontext(EXACT.copy())


calculate_exactly()


class Ratio(NamedTuple):
    """A quotient kept as its two terms, both at least zero; a denominator of zero stands for infinity."""

    numerator: Decimal
    denominator: Decimal

    @classmethod
    def of(cls, value: Decimal) -> "Ratio":
        """The ratio value / 1."""
        return cls(value, ONE)


def compare_ratio(left: Ratio, right: Ratio) -> int:
    """Return -1, 0 or 1 as `left` is below, equal to or above `right`, exactly (terms are cross-multiplied)."""
    difference = left.numerator * right.denominator - right.numerator * left.denominator
    return (difference > 0) - (difference < 0)


def divide_down(numerator: Decimal, denominator: Decimal, scale: int) -> Decimal:
    """Return numerator / denominator rounded towards minus infinity at `scale` decimals; what may be taken."""
    steps, rest = _whole_steps(numerator, denominator, scale)
    return (steps - ONE if rest < ZERO else steps) * step_of(scale)


def divide_up(numerator: Decimal, denominator: Decimal, scale: int) -> Decimal:
    """Return numerator / denominator rounded towards plus infinity at `scale` decimals; what is owed."""
    steps, rest = _whole_steps(numerator, denominator, scale)
    return (steps + ONE if rest > ZERO else steps) * step_of(scale)


@cache
def step_of(scale: int) -> Decimal:
    """One step at a scale: 0.01 at two decimals."""
    return ONE.scaleb(-scale)


def _whole_steps(numerator: Decimal, denominator: Decimal, scale: int) -> tuple[Decimal, Decimal]:
    """How many whole steps of 10**-scale the quotient has, towards zero, and what is left, with the quotient's sign.

    Both are exact: the division is one of integers, or InvalidOperation beyond the digits of EXACT.
    """
    if denominator < ZERO:
        numerator, denominator = -numerator, -denominator
    steps, rest = divmod(numerator, denominator * step_of(scale))
    return steps or ZERO, rest


def round_down(amount: Decimal, scale: int) -> Decimal:
    """Cut an amount to `scale` decimals, towards minus infinity."""
    return divide_down(amount, ONE, scale)


def round_up(amount: Decimal, scale: int) -> Decimal:
    """Raise an amount to `scale` decimals, towards plus infinity."""
    return divide_up(amount, ONE, scale)


def decimals_of(amount: Decimal) -> int:
    """How many decimals an amount has when trailing zeros are left out."""
    text = str(amount)
    # Most amounts are written without an exponent, and this is the quickest way to write them.
    _, _, fraction = (text if "E" not in text else f"{amount:f}").partition(".")
    return len(fraction.rstrip("0"))


def fits(amount: Decimal, scale: int) -> bool:
    """Whether an amount has at most so many decimals, trailing zeros left out."""
    return not amount % step_of(scale)


def plain(amount: Decimal) -> str:
    """Write an amount without exponent and without trailing zeros: what answers carry."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


_PLAIN_NOTATION = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


def parse_amount(value: Any) -> Decimal:
    """Read an exact decimal from its plain notation; a float, a boolean, an exponent or over 38 digits is refused."""
    if isinstance(value, Decimal):
        value = f"{value:f}"
    if not isinstance(value, str):
        raise ValueError('an amount is a string in plain notation, such as "12.50", never a JSON number or boolean')
    if len(value) > 2 * AMOUNT_DIGITS:
        raise ValueError(f"an amount has at most {AMOUNT_DIGITS} digits, this text has {len(value)} characters")
    if not _PLAIN_NOTATION.fullmatch(value):
        raise ValueError(
            'an amount is written in plain notation, such as "12.50": no leading zero, no exponent, one point at most'
        )
    if len(value) > AMOUNT_DIGITS and len(value.lstrip("-0.").replace(".", "")) > AMOUNT_DIGITS:
        raise ValueError(f"an amount has at most {AMOUNT_DIGITS} digits")
    return Decimal(value)


def parse_positive(value: Any) -> Decimal:
    """Read an amount greater than zero."""
    amount = parse_amount(value)
    if amount <= ZERO:
        raise ValueError("must be greater than zero")
    return amount


def parse_not_negative(value: Any) -> Decimal:
    """Read an amount of zero or more."""
    amount = parse_amount(value)
    if amount < ZERO:
        raise ValueError("must not be below zero")
    return amount


def _decimal_schema(description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "decimal", "description": description, "examples": ["12.5"]})


class _WrittenPlainly:
    """Has an amount written in plain notation by `format` itself, not by a function of ours that calls it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return {**handler(source), "serialization": core_schema.format_ser_schema("f", when_used="json")}


_written_plainly = _WrittenPlainly()
SignedAmount = Annotated[Decimal, BeforeValidator(parse_amount), _written_plainly, _decimal_schema("a signed decimal")]
Amount = Annotated[
    Decimal, BeforeValidator(parse_positive), _written_plainly, _decimal_schema("a decimal greater than zero")
]
NotNegative = Annotated[
    Decimal, BeforeValidator(parse_not_negative), _written_plainly, _decimal_schema("a decimal of zero or more")
]
# What events hold: any finite decimal, with as many digits as exact arithmetic gave it.
Exact = Annotated[Decimal, _written_plainly]


@lru_cache(maxsize=4096)
def base_of(pair: str) -> str:
    """The asset a pair trades: BTC of BTC/USDT."""
    return pair.partition("/")[0]


@lru_cache(maxsize=4096)
def quote_of(pair: str) -> str:
    """The asset a pair is paid in: USDT of BTC/USDT."""
    return pair.partition("/")[2]


@lru_cache(maxsize=4096)
def valuation_pair(asset: str) -> str:
    """The pair whose mark price values an asset: BTC/USDT of BTC."""
    return f"{asset}/{VALUATION_ASSET}"
