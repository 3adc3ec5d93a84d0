"""How floats screen wallets, and why none that is at its line or below it is ever screened out.

A wallet is at its line c or below it where A <= c D, with A = sum h P over what it holds and D = sum o P over what it
owes. Screened is W = sum ((1 - s) h - (1 + s) c o) P with the slack s; so W = (A - c D) - s (A + c D), and where
A <= c D, W <= -s (A + c D). All terms h, o, P, c are at least zero, and with u = 2**-53:

- h and o come as a sum of two decimals, each rounded once: within 3 u of their own size. What is due of interest is put
  in at its bound from above, in at most 6 more operations: never more than 9 u too small.
- c, 1 - s, 1 + s, P and the products and the difference that make a term (weight x P) round at most 10 times more: the
  term is within 20 u of (h + c o) P.
- A sum of n terms, in whatever order, adds at most n u of the sum of their sizes (Higham, Accuracy and Stability of
  Numerical Algorithms, section 4.2), and that sum is at most (1 + s) (A + c D).

So the computed W is off by less than (n + 22) u (A + c D), which is below s (A + c D) for any wallet of up to four
million assets: where A <= c D it comes out at or below zero. A critical price -w_quote / w_base is one division more,
and its comparison with a rounded price two roundings more, of the price itself, of which A + c D is at least a half.
Amounts lie between 1e-18 and 1e38 and prices likewise, so nothing overflows, and nothing but an exact zero is zero.

What is not screened out is decided exactly. It costs nothing to be wide: a billionth of a level is one wallet in many
thousands.
"""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ledger.lines import Lines
from ledger.tiers import RiskTier

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

SLACK = 1e-9


def weights(held: Floats, owed: Floats, lines: Floats) -> Floats:
    """What each unit of price adds to W, by wallet and asset; `lines` by wallet."""
    return held * (1.0 - SLACK) - owed * (lines * (1.0 + SLACK))[:, None]


def acting_line(tier: RiskTier | Lines, calls: Flags) -> Floats:
    """The line at which an examination acts: the call line, or while no call may be made the liquidation line."""
    liquidation = float(tier.liquidation)
    return np.where(calls, max(float(tier.margin_call), liquidation), liquidation)


def lines_of_pools(tiers: Sequence[RiskTier], leverages: Floats, calls: Flags) -> Floats:
    """The acting line of each cross pool, from the row of its leverage."""
    lines = np.max([acting_line(tier, calls) for tier in tiers], axis=0)
    for tier in tiers:
        lines = np.where(leverages == float(tier.max_leverage), acting_line(tier, calls), lines)
    return np.asarray(lines)


def lines_of_buckets(tiers: Sequence[RiskTier], base: Floats, quote: Floats, calls: Flags) -> Floats:
    """The acting line of each bucket, by what it has borrowed; where floats cannot tell the tier, the higher line."""
    lines = acting_line(tiers[-1], calls)
    for tier in reversed(tiers[:-1]):
        own = acting_line(tier, calls)
        surely = _within(tier.base_limit, base, 1.0 - SLACK) & _within(tier.quote_limit, quote, 1.0 - SLACK)
        perhaps = _within(tier.base_limit, base, 1.0 + SLACK) & _within(tier.quote_limit, quote, 1.0 + SLACK)
        lines = np.where(surely, own, np.where(perhaps, np.maximum(own, lines), lines))
    return lines


def _within(limit: Decimal | None, borrowed: Floats, part: float) -> Flags:
    return np.ones(len(borrowed), bool) if limit is None else np.asarray(borrowed <= float(limit) * part)
