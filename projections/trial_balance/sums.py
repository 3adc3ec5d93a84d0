"""The sums a trial balance consists of, by asset and kind of book."""

from collections.abc import Iterable
from decimal import Decimal

from ledger.money import ZERO
from ledger.words import ISOLATED_PREFIX, Book, Line, Part

STEP = 1000
"""Positions between two kept states: a question adds the lines of at most that many events."""

Sums = dict[tuple[str, str], Decimal]


def kind_of(book: Book) -> str:
    """The line of a book in the trial balance: accounts/spot, accounts/isolated/principal, fees."""
    if book.account_id is None:
        return str(book.name)
    wallet = "isolated" if book.name.startswith(ISOLATED_PREFIX) else book.name
    return f"accounts/{wallet}" if book.part is Part.FREE else f"accounts/{wallet}/{book.part}"


def add(sums: Sums, lines: Iterable[Line]) -> None:
    """Add posted lines to the sums."""
    for book, asset, amount in lines:
        key = (asset, kind_of(book))
        sums[key] = sums.get(key, ZERO) + amount
