"""Folds accounts by the rules of the write side, and compares them with what the projections say of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any, cast

from ledger.account import Account, fold
from ledger.errors import EventUnreadable
from ledger.events import AccountEvent
from ledger.log import RecordedEvent, read_streams
from ledger.money import ZERO, plain
from ledger.postgres import Connection
from ledger.wallets import Balance
from ledger.words import SPOT, WithdrawalStatus
from projections.accounts import queries as accounts
from projections.accounts.hold_queries import holds
from projections.balances import queries as balances
from projections.positions import queries as positions

ACCOUNTS_AT_ONCE = 100
EVERY = 2**31
STATE_FIELDS = ("version", "status", "blocks", "modes", "leverages")


class AccountCheck:
    """Checks accounts as of one position; `net` sums what all checked accounts hold, by asset, as projected."""

    def __init__(self, connection: Connection, position: int) -> None:
        self._connection = connection
        self._position = position
        self.net: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.differences: list[str] = []

    def take(self, account_ids: Sequence[str]) -> None:
        """Checks these accounts, whose streams are read and folded now."""
        try:
            recorded = read_streams(self._connection, account_ids, self._position)
        except EventUnreadable as unreadable:
            told = f"accounts {account_ids[0]} to {account_ids[-1]} cannot all be read"
            self.differences.append(f"{told}: {unreadable}")
            return
        rows = balances.balances_of(self._connection, self._position, account_ids)
        projected = {key: list(group) for key, group in groupby(rows, key=lambda row: row["account_id"])}
        folded = {key: list(group) for key, group in groupby(recorded, key=lambda one: one.event.account_id)}
        for row in rows:
            self.net[row["asset"]] += _balance_of(row).net
        for account_id in account_ids:
            self._check(account_id, folded.get(account_id, []), projected.get(account_id, []))

    def _check(self, account_id: str, recorded: Sequence[RecordedEvent], rows: Sequence[dict[str, Any]]) -> None:
        try:
            account = fold(account_id, [cast(AccountEvent, one.event) for one in recorded])
        except Exception as error:
            self.differences.append(f"account {account_id} cannot be folded: {type(error).__name__}: {error}")
            return
        found = [*_balances(account, rows), *_locked(account), *self._state(account), *self._positions(account)]
        self.differences += [f"account {account_id}: {difference}" for difference in found]

    def _state(self, account: Account) -> Iterator[str]:
        row = accounts.account(self._connection, self._position, account.id)
        told = {} if row is None else {name: row[name] for name in STATE_FIELDS}
        folded = {
            "version": account.version,
            "status": account.status.value,
            "blocks": sorted(block.value for block in account.blocks),
            "modes": {pair: mode.value for pair, mode in account.modes.items()},
            "leverages": {wallet: plain(leverage) for wallet, leverage in account.leverages.items()},
        }
        told["leverages"] = {wallet: plain(Decimal(one)) for wallet, one in told.get("leverages", {}).items()}
        if told != folded:
            yield f"folding gives {folded}, accounts has {told}"
        yield from self._held(account)

    def _held(self, account: Account) -> Iterator[str]:
        rows = holds(self._connection, self._position, account_id=account.id, limit=EVERY)
        held = {row["hold_id"]: (row["wallet"], row["asset"], row["amount"]) for row in rows}
        if held != {hold_id: tuple(hold) for hold_id, hold in account.holds.items()}:
            yield f"folding gives holds {account.holds}, accounts has {held}"
        rows = accounts.withdrawals(self._connection, self._position, account_id=account.id, limit=EVERY)
        withdrawals = {row["withdrawal_id"]: (row["asset"], row["amount"], row["status"]) for row in rows}
        if withdrawals != {one: tuple(withdrawal) for one, withdrawal in account.withdrawals.items()}:
            yield f"folding gives withdrawals {account.withdrawals}, accounts has {withdrawals}"

    def _positions(self, account: Account) -> Iterator[str]:
        rows = positions.positions(self._connection, self._position, account.id)
        told = {(row["wallet"], row["pair"]): (row["quantity"], row["cost"], row["realised_profit"]) for row in rows}
        folded = {
            (wallet.name, pair): tuple(position)
            for wallet in account.wallets.all()
            for pair, position in wallet.positions.items()
        }
        for wallet, pair in sorted(told.keys() | folded.keys()):
            one, other = folded.get((wallet, pair)), told.get((wallet, pair))
            if one != other:
                yield f"folding gives the position in {pair} of {wallet} as {one}, positions has {other}"


def _balances(account: Account, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Where balances and uncharged hours are not what folding gives."""
    told = {(row["wallet"], row["asset"]): (_balance_of(row), row["next_hour"]) for row in rows}
    folded = {
        (wallet.name, asset): (balance, wallet.next_hours.get(asset))
        for wallet in account.wallets.all()
        for asset, balance in wallet.balances.items()
    }
    for wallet, asset in sorted(told.keys() | folded.keys()):
        one, other = folded.get((wallet, asset)), told.get((wallet, asset))
        if one != other:
            yield f"folding gives {asset} of {wallet} as {_shown(one)}, balances has {_shown(other)}"


def _locked(account: Account) -> Iterator[str]:
    """Where what is locked is not the sum of holds and pending withdrawals."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for hold in account.holds.values():
        sums[hold.wallet, hold.asset] += hold.amount
    for withdrawal in account.withdrawals.values():
        if withdrawal.status is WithdrawalStatus.PENDING:
            sums[SPOT, withdrawal.asset] += withdrawal.amount
    for wallet in account.wallets.all():
        for asset, balance in wallet.balances.items():
            claimed = sums.pop((wallet.name, asset), ZERO)
            if balance.locked != claimed:
                yield (
                    f"{plain(balance.locked)} {asset} is locked in {wallet.name}, "
                    f"holds and pending withdrawals sum to {plain(claimed)}"
                )


def _balance_of(row: dict[str, Any]) -> Balance:
    return Balance(row["free"], row["locked"], row["borrowed"], row["interest"])


def _shown(state: tuple[Balance, Any] | None) -> str:
    if state is None:
        return "nothing"
    balance, next_hour = state
    amounts = ", ".join(f"{name} {plain(amount)}" for name, amount in balance._asdict().items())
    return amounts if next_hour is None else f"{amounts}, charged up to {next_hour.isoformat()}"
