"""An account as decisions know it, put together from the projections."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.account import Account
from ledger.account.state import RunningLiquidation
from ledger.money import ONE, VALUATION_ASSET, base_of, quote_of
from ledger.words import AccountStatus, Capability, Execution, MarginMode
from projections.accounts import queries as accounts
from projections.projector import Connection
from projections.questions.dated_account import account_of, dated_account
from projections.questions.wallets import running_at, wallets_at


def account_at(
    connection: Connection, position: int, account_id: str, effective_at: datetime | None = None
) -> Account | None:
    """The account at a log position, from the states that the projections keep; None if it was not opened by then.

    Of holds, withdrawals and liquidations it has what decides on its wallets: the liquidations that run. As of a
    business time it has what is dated up to it, and may be below zero; None where nothing is.
    """
    if effective_at is not None:
        dated = dated_account(connection, position, account_id, effective_at)
        return None if dated is None else account_of(account_id, dated)
    row = accounts.account(connection, position, account_id)
    if row is None:
        return None
    account = Account(account_id, wallets_at(connection, position, account_id), version=row["version"])
    account.status = AccountStatus(row["status"])
    account.blocks = frozenset(map(Capability, row["blocks"]))
    account.modes = {pair: MarginMode(mode) for pair, mode in row["modes"].items()}
    account.leverages = accounts.leverages_of(row)
    running = running_at(connection, position, account_id)
    account.liquidations = {wallet: _running(one) for wallet, one in running.items()}
    for name, liquidation in running.items():
        account.wallets.wallet(name).closing_prices = _closing_prices(liquidation["started"])
    return account


def is_below_zero(account: Account) -> bool:
    """Whether a balance is below zero, as it may be of what is dated up to a business time."""
    return any(
        amount < 0 for wallet in account.wallets.all() for balance in wallet.balances.values() for amount in balance
    )


def _running(row: Mapping[str, Any]) -> RunningLiquidation:
    started, target = row["started"], row["started"].get("target")
    return RunningLiquidation(
        row["liquidation_id"],
        Execution(row["execution"]),
        Decimal(started["fee_rate"]),
        repaid={},
        sold={},
        target=None if target is None else Decimal(target),
        tier=started.get("tier"),
    )


def _closing_prices(started: Mapping[str, Any]) -> dict[str, Decimal]:
    """The prices that the fills of a running liquidation close positions at, by asset."""
    marks = {pair: mark for pair, mark in started["prices"].items() if quote_of(pair) == VALUATION_ASSET}
    return {VALUATION_ASSET: ONE, **{base_of(pair): Decimal(mark["price"]) for pair, mark in marks.items()}}
