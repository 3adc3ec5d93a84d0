"""Events to loans: principal, interest, the first uncharged hour and the interest charged so far."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from ledger import events as e
from ledger.account.state import Account
from ledger.money import ZERO
from ledger.wallets import NOTHING, Wallet
from ledger.words import INTEREST, SPOT
from projections.folding import Step
from projections.keeping import Kept
from projections.projector import Batch, Connection, Tables, Writes
from projections.writing import History

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
HISTORY = History("loan_states", "loans", COLUMNS, COLUMNS, ("account_id", "wallet", "asset"))

Charged = dict[tuple[str, str], Decimal]
"""All interest ever charged, and not taken back by a reversal, on an account's debts, by wallet and asset."""


class LoansProjector:
    """Keeps what was charged; all else is the account's."""

    name: ClassVar[str] = "loans"
    tables: ClassVar[tuple[str, ...]] = ("loans", "loan_states")

    def __init__(self) -> None:
        self._kept: Kept[Charged] = Kept(_load, dict, _never_owed)

    def project(self, batch: Batch, tables: Tables) -> Writes:
        changed = [(step, debts) for step in batch.margin_steps if (debts := _changed(step))]
        charged = self._kept.bring(tables, [step for step, _ in changed])
        states = [
            _state(step, wallet, asset, charged[step.event.account_id])
            for step, debts in changed
            for wallet, asset in debts
        ]
        writes = Writes()
        writes.add_states(HISTORY, states)
        return writes

    def forget(self) -> None:
        self._kept.forget()


def _changed(step: Step) -> list[tuple[Wallet, str]]:
    """The debts that an event changed, or the hours charged of them."""
    changed: list[tuple[Wallet, str]] = []
    for before, wallet in step.written:
        if wallet.name == SPOT:
            continue
        if wallet.owes or (before is not None and before.owes):
            old, hours = ({}, {}) if before is None else (before.balances, before.next_hours)
            for asset, balance in wallet.balances.items():
                was = old.get(asset, NOTHING)
                owed, owed_before = (balance.borrowed, balance.interest), (was.borrowed, was.interest)
                if owed != owed_before or wallet.next_hours.get(asset) != hours.get(asset):
                    changed.append((wallet, asset))
    return changed


def _state(step: Step, wallet: Wallet, asset: str, charged: Charged) -> tuple[Any, ...]:
    event, key, balance = step.event, (wallet.name, asset), wallet.balance(asset)
    if isinstance(event, e.InterestAccrued):
        charged[key] = sum((line.amount for line in event.lines if line.asset == asset), charged.get(key, ZERO))
    elif isinstance(event, e.EventReversed) and event.reversed_topic == e.InterestAccrued.TOPIC:
        charged[key] = charged.get(key, ZERO) - _taken_back(event, *key)
    owed = (balance.borrowed, balance.interest, wallet.next_hours.get(asset))
    return (event.account_id, *key, step.position, *owed, charged.get(key, ZERO))


def _taken_back(event: e.EventReversed, wallet: str, asset: str) -> Decimal:
    """What the reversal of interest takes off what was charged of an asset in a wallet."""
    lines = [line for line in event.lines if (line.wallet, line.part, line.asset) == (wallet, INTEREST, asset)]
    return sum((line.amount for line in lines), ZERO)


def _never_owed(account: Account) -> bool:
    """An account that never used a margin wallet cannot have owed."""
    return not (account.wallets.isolated or account.wallets.cross.balances)


def _load(connection: Connection, account_ids: Sequence[str]) -> dict[str, Charged]:
    """What the table `loans` says was charged."""
    rows = connection.execute(
        "select account_id, wallet, asset, charged from loans where account_id = any(%s)", [list(account_ids)]
    )
    accounts: dict[str, Charged] = {}
    for account_id, wallet, asset, charged in rows:
        accounts.setdefault(account_id, {})[wallet, asset] = charged
    return accounts
