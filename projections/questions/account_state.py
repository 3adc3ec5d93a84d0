"""An account as decisions know it, put together from the projections, or as of a business time from its events."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger import events as e
from ledger.account import Account
from ledger.account.state import Hold, RunningLiquidation
from ledger.log import read_stream
from ledger.money import ONE, VALUATION_ASSET, base_of, quote_of
from ledger.persistent import PersistentMap
from ledger.positions import Position
from ledger.postings import postings
from ledger.wallets import Wallets
from ledger.words import AccountStatus, Capability, Execution, MarginMode
from projections.accounts import queries as accounts
from projections.balances import queries as balances
from projections.liquidations import queries as liquidations
from projections.positions import queries as positions
from projections.projector import Connection


def account_at(connection: Connection, position: int, account_id: str) -> Account | None:
    """The account at a log position, from the states that the projections keep; None if it was not opened by then.

    Of holds, withdrawals and liquidations it has what decides on its wallets: the liquidations that run.
    """
    row = accounts.account(connection, position, account_id)
    if row is None:
        return None
    account = Account(account_id, wallets_at(connection, position, account_id), version=row["version"])
    account.status = AccountStatus(row["status"])
    account.blocks = frozenset(map(Capability, row["blocks"]))
    account.modes = {pair: MarginMode(mode) for pair, mode in row["modes"].items()}
    account.leverages = {wallet: Decimal(leverage) for wallet, leverage in row["leverages"].items()}
    account.holds = PersistentMap({hold["hold_id"]: _hold(hold) for hold in _holds(connection, position, account_id)})
    running = liquidations.running(connection, position, account_id)
    account.liquidations = {wallet: _running(liquidation) for wallet, liquidation in running.items()}
    for name, liquidation in running.items():
        account.wallets.wallet(name).closing_prices = _closing_prices(liquidation["started"])
    return account


def wallets_at(connection: Connection, position: int, account_id: str) -> Wallets:
    """The account's balances, uncharged hours and positions at a log position."""
    wallets = balances.wallets_of(connection, position, [account_id])[account_id]
    for row in positions.positions(connection, position, account_id):
        traded = Position(row["quantity"], row["cost"], row["realised_profit"])
        wallets.wallet(row["wallet"]).positions[row["pair"]] = traded
    return wallets


def _holds(connection: Connection, position: int, account_id: str) -> list[dict[str, Any]]:
    return accounts.holds(connection, position, account_id=account_id, limit=10_000)


def _hold(row: Mapping[str, Any]) -> Hold:
    return Hold(row["wallet"], row["asset"], row["amount"])


def _running(row: Mapping[str, Any]) -> RunningLiquidation:
    started = row["started"]
    return RunningLiquidation(
        row["liquidation_id"], Execution(row["execution"]), Decimal(started["fee_rate"]), repaid={}, sold={}
    )


def _closing_prices(started: Mapping[str, Any]) -> dict[str, Decimal]:
    """The prices that the fills of a running liquidation close positions at, by asset."""
    marks = {pair: mark for pair, mark in started["prices"].items() if quote_of(pair) == VALUATION_ASSET}
    return {VALUATION_ASSET: ONE, **{base_of(pair): Decimal(mark["price"]) for pair, mark in marks.items()}}


def account_as_of_effective(
    connection: Connection, position: int, account_id: str, effective_at: datetime
) -> Account | None:
    """What the events dated up to a business time, of those known at the position, made of the account.

    They are folded by (effective_at, position); what they leave may be below zero. None where no event is so old.
    """
    known = read_stream(connection, account_id, until_position=position)
    dated = [recorded for recorded in known if recorded.event.effective_at <= effective_at]
    if not dated:
        return None
    account = Account.unopened(account_id)
    for recorded in sorted(dated, key=lambda recorded: (recorded.event.effective_at, recorded.position)):
        event = recorded.event
        account.version = max(account.version, event.version)
        account.wallets.apply(event, postings(event))
        _set(account, event)
    return account


def _set(account: Account, event: e.AnyEvent) -> None:
    """What an event sets of the account, in whatever order events come."""
    match event:
        case e.AccountOpened() | e.AccountUnfrozen():
            account.status, account.blocks = AccountStatus.OPEN, frozenset()
        case e.AccountFrozen():
            account.status, account.blocks = AccountStatus.FROZEN, frozenset(event.blocks)
        case e.AccountClosed():
            account.status = AccountStatus.CLOSED
        case e.MarginModeSet():
            account.modes = {**account.modes, event.pair: event.mode}
        case e.LeverageSet():
            account.leverages = {**account.leverages, event.wallet: event.leverage}
        case _:
            pass
