"""The sums a trial balance consists of, by asset and kind of book."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache

from ledger.money import ZERO
from ledger.words import ISOLATED_PREFIX, Line, Part

STEP = 1000
"""Positions between two kept states: a question adds the lines of at most that many events."""

Sums = dict[tuple[str, str], Decimal]


@cache
def _kind_of(is_house: bool, name: str, part: Part) -> str:
    """The line of a book in the trial balance: accounts/spot, accounts/isolated/principal, fees."""
    if is_house:
        return str(name)
    wallet = "isolated" if name.startswith(ISOLATED_PREFIX) else name
    return f"accounts/{wallet}" if part is Part.FREE else f"accounts/{wallet}/{part}"


def add(sums: Sums, lines: Iterable[Line]) -> None:
    """Add posted lines to the sums."""
    for (account_id, name, part), asset, amount in lines:
        key = (asset, _kind_of(account_id is None, name, part))
        sums[key] = sums.get(key, ZERO) + amount
