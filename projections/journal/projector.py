"""Events to journal lines, of the house's books too, each with the balance it leaves its book at."""

from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, ClassVar

from ledger.account.state import Account
from ledger.money import ZERO
from ledger.words import FREE, LOCKED, PRINCIPAL, Book
from projections.folding import Step
from projections.projector import Batch, Tables, Writes

COLUMNS = {
    "position": "bigint",
    "line": "integer",
    "account_id": "text",
    "wallet": "text",
    "part": "text",
    "house_book": "text",
    "asset": "text",
    "amount": "numeric",
    "balance": "numeric",
    "topic": "text",
    "effective_at": "timestamptz",
    "recorded_at": "timestamptz",
}
BOOKS = {"book": "text", "asset": "text", "balance": "numeric"}
HouseBooks = dict[tuple[str, str], Decimal]
"""What each book of the house holds, by its name and asset."""


class JournalProjector:
    """Keeps the books of the house; those of an account are in its wallets."""

    name: ClassVar[str] = "journal"
    tables: ClassVar[tuple[str, ...]] = ("journal", "journal_house_books")

    def __init__(self) -> None:
        self._house: HouseBooks | None = None

    def project(self, batch: Batch, tables: Tables) -> Writes:
        if self._house is None:
            rows = tables.connection.execute("select book, asset, balance from journal_house_books")
            self._house = {(book, asset): balance for book, asset, balance in rows}
        house, before = self._house, self._house.copy()
        others = deque(batch.of_others(self.name, _lines_of_house(batch.steps)))
        lines: list[tuple[Any, ...]] = []
        for recorded, step in zip(batch.events, batch.steps, strict=True):
            if step.lines:
                _post_others(house, others, step.position)
                lines += _rows(step, house, recorded.recorded_at)
        _post_others(house, others, batch.last)
        changed = [(*key, balance) for key, balance in house.items() if before.get(key) != balance]
        writes = Writes()
        writes.append("journal", COLUMNS, lines)
        if batch.writes_sums:
            writes.put("journal_house_books", BOOKS, changed, key=("book", "asset"))
        return writes

    def forget(self) -> None:
        self._house = None


HouseLine = tuple[int, str, str, str]
"""Position, book, asset and amount, as text, of a line of the house."""


def _post_others(house: HouseBooks, others: deque[HouseLine], until: int) -> None:
    """Posts what the other half of the accounts posted to the house up to a position."""
    while others and others[0][0] <= until:
        _, book, asset, amount = others.popleft()
        house[book, asset] = house.get((book, asset), ZERO) + Decimal(amount)


def _lines_of_house(steps: Iterable[Step]) -> Iterator[HouseLine]:
    for step in steps:
        for (account_id, name, _), asset, amount in step.lines:
            if account_id is None:
                yield step.position, name, asset, str(amount)


def _rows(step: Step, house: HouseBooks, recorded_at: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of an event's lines; the books of the house follow them."""
    position, event = step.position, step.event
    topic, effective_at, number = event.TOPIC, event.effective_at, 0
    own: dict[tuple[Book, str], Decimal] = {}
    for book, asset, amount in step.lines:
        number += 1
        account_id, name, part = book
        if account_id is None:
            balance = house[name, asset] = house.get((name, asset), ZERO) + amount
            yield (position, number, None, None, None, name, asset, amount, balance, topic, effective_at, recorded_at)
            continue
        key = (book, asset)
        before = own.get(key)
        balance = own[key] = (_balance(step.before, book, asset) if before is None else before) + amount
        figures = (asset, amount, balance, topic, effective_at, recorded_at)
        yield (position, number, account_id, name, part, None, *figures)


def _balance(account: Account | None, book: Book, asset: str) -> Decimal:
    """What a book of an account holds; debts are negative."""
    assert account is not None
    free, locked, borrowed, interest = account.wallets.wallet(book.name).balance(asset)
    part = book.part
    if part is FREE:
        return free
    if part is LOCKED:
        return locked
    return -borrowed if part is PRINCIPAL else -interest
