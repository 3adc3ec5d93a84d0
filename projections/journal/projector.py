"""Events to journal lines, of the house's books too, each with the balance it leaves its book at."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from ledger.account.state import Account
from ledger.money import ZERO
from ledger.words import FREE, LOCKED, PRINCIPAL, Book
from projections.folding import Step
from projections.projector import Batch, Tables, Writes
from projections.writing import copied_text, copied_time

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
        lines: list[str] = []
        for recorded, step in zip(batch.events, batch.steps, strict=True):
            if step.lines:
                _post_others(house, others, step.position)
                lines += _lines(step, house, recorded.recorded_at)
        _post_others(house, others, batch.last)
        changed = [(*key, balance) for key, balance in house.items() if before.get(key) != balance]
        writes = Writes()
        writes.append_lines("journal", COLUMNS, lines)
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


def _lines(step: Step, house: HouseBooks, recorded_at: datetime) -> Iterator[str]:
    """The rows of an event's lines, as COPY takes them; the books of the house follow them."""
    event, position, null = step.event, str(step.position), copied_text(None)
    ending = f"{copied_text(event.TOPIC)}\t{copied_time(event.effective_at)}\t{copied_time(recorded_at)}"
    own: list[tuple[Book, str, Decimal]] = []
    for number, (book, asset, amount) in enumerate(step.lines, start=1):
        account_id, name, part = book
        if account_id is None:
            balance = house[name, asset] = house.get((name, asset), ZERO) + amount
            place = (null, null, null, copied_text(name))
        else:
            balance = _last_balance(own, step.before, book, asset) + amount
            own.append((book, asset, balance))
            place = (copied_text(account_id), copied_text(name), part, null)
        yield "\t".join((position, str(number), *place, copied_text(asset), str(amount), str(balance), ending))


def _last_balance(own: Sequence[tuple[Book, str, Decimal]], account: Account | None, book: Book, asset: str) -> Decimal:
    """What a book of an account holds after an event's lines so far, of which few are of the same book."""
    for of_book, of_asset, balance in reversed(own):
        if of_asset == asset and of_book == book:
            return balance
    return _balance(account, book, asset)


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
