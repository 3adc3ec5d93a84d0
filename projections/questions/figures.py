"""How figures are written in answers: amounts plainly, levels at 8 decimals, profits at the quote asset's scale."""

from decimal import Decimal
from fractions import Fraction

from ledger.lines import Lines
from ledger.margin import show_level
from ledger.money import Ratio, plain
from ledger.wallets import Balance

ENTRY_PRICE_SCALE = 8


def balance_figures(balance: Balance, *, owes: bool) -> dict[str, str]:
    """Free and locked, and in a margin wallet also borrowed, interest and net."""
    held = {"free": plain(balance.free), "locked": plain(balance.locked)}
    if not owes:
        return held
    owed = {"borrowed": plain(balance.borrowed), "interest": plain(balance.interest)}
    return {**held, **owed, "net": plain(balance.net)}


def level_figure(level: Ratio) -> str | None:
    """A level at 8 decimals, down; None while nothing is owed."""
    return show_level(level) if level.denominator > 0 else None


def debt_ratio_figure(ratio: Ratio) -> str | None:
    """D / A at 8 decimals, down; "0" while nothing is owed, None where something is owed and nothing held."""
    return "0" if ratio.numerator <= 0 else level_figure(ratio)


def line_figures(lines: Lines) -> dict[str, str | None]:
    """The lines of a level, written as levels are; `initial` is None where nothing can be borrowed."""
    return {
        "transfer_out": level_figure(Ratio.of(lines.transfer_out)),
        "initial": level_figure(lines.initial),
        "margin_call": level_figure(Ratio.of(lines.margin_call)),
        "liquidation": level_figure(Ratio.of(lines.liquidation)),
    }


def rounded(value: Fraction, scale: int) -> str:
    """A figure at so many decimals, half to even, written plainly; only for show."""
    return plain(Decimal(round(value * 10**scale)).scaleb(-scale))
