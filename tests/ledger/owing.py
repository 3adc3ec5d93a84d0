"""Accounts that own and owe what a test says, published at a checkpoint: for tests of liabilities."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ledger.liabilities import BALANCES, LOANS, Gross, liabilities_of, publish, standing_checkpoint
from ledger.postgres import connect
from ledger.sealer import open_sealing
from tests.databases import unguard
from tests.ledger.sealed import KEY, seal_again

MASTER = b"m" * 32
OPEN = (
    "insert into events select coalesce((select max(notification_id) from events), 0) + number, 1, now(), account, "
    "'account.opened', '{}' from unnest(%s::text[]) with ordinality as opened (account, number)"
)
UNPUBLISH = ("delete from liabilities", "delete from liability_leaves", "delete from liability_nodes")


def owning(account_id: str, amount: str, asset: str = "BTC", debt: str = "0") -> Gross:
    return Gross(account_id, asset, Decimal(amount), Decimal(debt))


def totals_of(accounts: Iterable[Gross]) -> dict[tuple[str, str], Decimal]:
    """What books would say of these accounts."""
    totals: dict[tuple[str, str], Decimal] = {}
    for one in accounts:
        for kind, amount in ((BALANCES, one.balance), (LOANS, one.debt)):
            totals[kind, one.asset] = totals.get((kind, one.asset), Decimal(0)) + amount
    return totals


def open_and_seal(url: str, account_ids: Iterable[str]) -> None:
    """Opens accounts, and signs a checkpoint of all that is in the log then."""
    with connect(url) as connection:
        connection.execute(OPEN, [sorted(set(account_ids))])
    seal_again(url, KEY)


def published(
    url: str, accounts: list[Gross], totals: dict[tuple[str, str], Decimal] | None = None, size: int | None = None
) -> dict[str, Any]:
    """Publishes what these accounts own and owe at a checkpoint, the latest unless told."""
    with open_sealing(url) as connection, connection.transaction():
        standing = standing_checkpoint(connection, size)
        publish(connection, standing, KEY, MASTER, accounts, totals_of(accounts) if totals is None else totals)
        return liabilities_of(connection, standing.size)


def unpublish(url: str) -> None:
    """Takes back what nobody may take back."""
    with connect(url) as connection:
        unguard(connection)
        for statement in UNPUBLISH:
            connection.execute(statement.encode())
