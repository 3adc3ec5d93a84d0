"""What the house owes its customers as of a position: account by account, and what the books say of all."""

from collections.abc import Iterator
from decimal import Decimal

from ledger.liabilities import BALANCES, LOANS, Gross, LiabilitiesDiffer
from ledger.money import ZERO, plain
from ledger.words import Part
from projections.balances.gross import gross_amounts
from projections.projector import Connection
from projections.trial_balance.queries import sums_at

READS = ("balances", "trial_balance")
"""The projections that these questions are asked of."""


def gross_accounts(connection: Connection, position: int) -> Iterator[Gross]:
    """Every account that has or owes anything, asset by asset; spot, cross and buckets together, nothing netted.

    LiabilitiesDiffer where any part of any wallet is below zero, for in a sum another wallet would hide it.
    """
    for account_id, asset, balance, debt, lowest in gross_amounts(connection, position):
        if lowest < ZERO:
            raise LiabilitiesDiffer(
                f"a wallet of account {account_id} has {plain(lowest)} {asset} at position {position}, which no sum "
                "may hide; nothing is published: `ledger verify` finds what differs"
            )
        yield Gross(account_id, asset, balance, debt)


def gross_totals(connection: Connection, position: int) -> dict[tuple[str, str], Decimal]:
    """What the trial balance says of the same: by kind and asset, both kinds of every asset that an account ever had.

    The books of the house (insurance, fees, clearing and so on) are not owed to any customer and not counted.
    """
    totals: dict[tuple[str, str], Decimal] = {}
    for (asset, book), amount in sums_at(connection, position).items():
        owner, _, rest = book.partition("/")
        if owner != "accounts":
            continue
        is_debt = rest.rpartition("/")[2] in (Part.PRINCIPAL, Part.INTEREST)
        for kind, counted in ((BALANCES, not is_debt), (LOANS, is_debt)):
            # Debts are negative in the books.
            totals[kind, asset] = totals.get((kind, asset), ZERO) + (abs(amount) if counted else ZERO)
    return totals
