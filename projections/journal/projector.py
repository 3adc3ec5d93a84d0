"""Events to journal lines, of the house's books too, each with the balance it leaves its book at."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, ClassVar

from ledger.money import ZERO
from ledger.postings import postings
from ledger.words import Line
from projections.projector import Batch, Connection, RecordedEvent
from projections.writing import append, put

COLUMNS = (
    "position",
    "line",
    "account_id",
    "wallet",
    "part",
    "book",
    "asset",
    "amount",
    "balance",
    "topic",
    "effective_at",
    "recorded_at",
)
BOOKS = {"book": "text", "asset": "text", "balance": "numeric"}
KEY = ("book", "asset")
Key = tuple[str, str]


class JournalProjector:
    """Keeps nothing in memory: each batch reads the balances of the books it touches, and writes them back."""

    name: ClassVar[str] = "journal"
    tables: ClassVar[tuple[str, ...]] = ("journal", "journal_books")

    def project(self, connection: Connection, batch: Batch) -> None:
        posted = [(recorded, postings(recorded.event)) for recorded in batch]
        keys = {(line.book.path, line.asset) for _, lines in posted for line in lines}
        if keys:
            balances = _read_balances(connection, keys)
            append(connection, "journal", COLUMNS, list(_rows(posted, balances)))
            put(connection, "journal_books", BOOKS, [(*key, balance) for key, balance in balances.items()], key=KEY)

    def forget(self) -> None:
        pass


def _rows(
    posted: Iterable[tuple[RecordedEvent, list[Line]]], balances: dict[Key, Decimal]
) -> Iterator[tuple[Any, ...]]:
    """The rows of all lines in log order; `balances` follow them."""
    for (position, recorded_at, event), lines in posted:
        for number, (book, asset, amount) in enumerate(lines, start=1):
            path = book.path
            balance = balances[path, asset] = balances[path, asset] + amount
            owner = (book.account_id, book.name, str(book.part)) if book.account_id is not None else (None, None, None)
            sums = (asset, amount, balance)
            yield (position, number, *owner, path, *sums, event.TOPIC, event.effective_at, recorded_at)


def _read_balances(connection: Connection, keys: Iterable[Key]) -> dict[Key, Decimal]:
    """The balances of these books before the batch; a book that is new is at zero."""
    ordered = sorted(keys)
    balances = dict.fromkeys(ordered, ZERO)
    rows = connection.execute(
        "select book, asset, balance from journal_books join unnest(%s::text[], %s::text[]) as asked (book, asset)"
        " using (book, asset)",
        [[book for book, _ in ordered], [asset for _, asset in ordered]],
    )
    balances.update({(book, asset): balance for book, asset, balance in rows})
    return balances
