"""Events to loans: principal, interest, the first uncharged hour and the interest charged so far."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, NamedTuple

from ledger import events as e
from ledger.money import ZERO
from ledger.postings import postings
from ledger.wallets import Balance, Wallet, Wallets
from ledger.words import Line, Part
from projections.folding import wallet_to_write
from projections.projector import Batch, Connection, RecordedEvent
from projections.writing import append, put

COLUMNS = {
    "account_id": "text",
    "wallet": "text",
    "asset": "text",
    "position": "bigint",
    "principal": "numeric",
    "interest": "numeric",
    "next_hour": "timestamptz",
    "charged": "numeric",
}
DEBTS = (Part.PRINCIPAL, Part.INTEREST)


class Key(NamedTuple):
    account_id: str
    wallet: str
    asset: str


class Loan(NamedTuple):
    """What is owed after an event at a position; `next_hour` is the first that is not charged."""

    position: int
    principal: Decimal
    interest: Decimal
    next_hour: datetime | None
    charged: Decimal


Lent = tuple[RecordedEvent, list[Line]]


class LoansProjector:
    """Keeps nothing in memory: each batch reads the loans it touches."""

    name: ClassVar[str] = "loans"
    tables: ClassVar[tuple[str, ...]] = ("loans", "loan_states")

    def project(self, connection: Connection, batch: Batch) -> None:
        lent = list(_lines_of_debts(batch))
        if not lent:
            return
        keys = {_key(line) for _, lines in lent for line in lines}
        loans = _read(connection, keys)
        states = [(*key, *loan) for key, loan in _fold(loans, lent)]
        append(connection, "loan_states", COLUMNS, states)
        put(connection, "loans", COLUMNS, list({row[:3]: row for row in states}.values()), key=Key._fields)

    def forget(self) -> None:
        pass


def _lines_of_debts(batch: Batch) -> Iterator[Lent]:
    """The events that change a debt, each with its lines on debts only."""
    for recorded in batch:
        lines = [line for line in postings(recorded.event) if line.book.account_id and line.book.part in DEBTS]
        if lines:
            yield recorded, lines


def _key(line: Line) -> Key:
    return Key(line.book.account_id or "", line.book.name, line.asset)


def _read(connection: Connection, keys: Iterable[Key]) -> dict[Key, Loan]:
    """The loans of these keys before the batch."""
    columns = [list(column) for column in zip(*sorted(keys), strict=True)]
    rows = connection.execute(
        "select account_id, wallet, asset, position, principal, interest, next_hour, charged"
        " from loans join unnest(%s::text[], %s::text[], %s::text[])"
        " as asked (account_id, wallet, asset) using (account_id, wallet, asset)",
        columns,
    )
    return {Key(*row[:3]): Loan(*row[3:]) for row in rows}


def _fold(loans: dict[Key, Loan], lent: Iterable[Lent]) -> Iterator[tuple[Key, Loan]]:
    """The loans after each event, in log order; `charged` counts what interest events charged."""
    accounts = _debts_of(loans)
    charged = {key: loan.charged for key, loan in loans.items()}
    for recorded, lines in lent:
        wallets = accounts.setdefault(recorded.event.account_id, Wallets(recorded.event.account_id))
        wallets.apply(recorded.event, lines)
        for key in dict.fromkeys(map(_key, lines)):
            charged[key] = charged.get(key, ZERO) + _charge(recorded.event, key.asset)
            yield key, _loan(recorded.position, wallets.wallet(key.wallet), key.asset, charged[key])


def _debts_of(loans: dict[Key, Loan]) -> dict[str, Wallets]:
    """Wallets by account that hold nothing but what is owed."""
    accounts: dict[str, Wallets] = {}
    for (account_id, name, asset), loan in loans.items():
        wallets = accounts.setdefault(account_id, Wallets(account_id))
        wallet = wallet_to_write(wallets, name)
        wallet.balances[asset] = Balance(borrowed=loan.principal, interest=loan.interest)
        if loan.next_hour is not None:
            wallet.next_hours[asset] = loan.next_hour
    return accounts


def _charge(event: e.AnyEvent, asset: str) -> Decimal:
    if not isinstance(event, e.InterestAccrued):
        return ZERO
    return sum((line.amount for line in event.lines if line.asset == asset), ZERO)


def _loan(position: int, wallet: Wallet, asset: str, charged: Decimal) -> Loan:
    balance = wallet.balance(asset)
    return Loan(position, balance.borrowed, balance.interest, wallet.next_hours.get(asset), charged)
