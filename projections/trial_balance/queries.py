"""The trial balance at any position: the last state kept, and the lines of the log since."""

from decimal import Decimal
from typing import Any

from ledger.log import read_log, read_positions
from ledger.money import ZERO
from ledger.postings import postings
from projections.dating import Dated
from projections.projector import Connection
from projections.trial_balance.sums import STEP, Sums, add


def sums_at(connection: Connection, position: int) -> Sums:
    """What every kind of book held at a position, by asset and book; exact."""
    kept = position - position % STEP
    rows = connection.execute("select asset, book, amount from trial_balance_states where position = %s", [kept])
    sums: Sums = {(asset, book): amount for asset, book, amount in rows}
    for recorded in read_log(connection, kept, STEP, until=position):
        add(sums, postings(recorded.event))
    return sums


def trial_balance(connection: Connection, position: int | Dated) -> dict[str, dict[str, Any]]:
    """By asset its `total`, which is zero, and its `books` with their sums, of the events known."""
    assets: dict[str, dict[str, Decimal]] = {}
    known = Dated.of(position)
    sums = sums_at(connection, known.through)
    for start in range(0, len(known.beyond), STEP):
        for recorded in read_positions(connection, known.beyond[start : start + STEP]):
            add(sums, postings(recorded.event))
    for (asset, book), amount in sorted(sums.items()):
        assets.setdefault(asset, {})[book] = amount
    return {asset: {"total": sum(books.values(), ZERO), "books": books} for asset, books in assets.items()}


def current(connection: Connection) -> Sums:
    """What every kind of book holds where the projection stands."""
    rows = connection.execute("select asset, book, amount from trial_balance")
    return {(asset, book): amount for asset, book, amount in rows}
