"""What refuses a command that names a thing of its account which is not there."""

from collections.abc import Callable, Mapping
from typing import Any

from ledger import commands as c
from ledger.account.adjustments import known_adjustment
from ledger.account.conditions import running_wallet
from ledger.account.funding import known_withdrawal
from ledger.account.holds import known_hold
from ledger.account.state import Account
from ledger.account.trading import of_side
from ledger.errors import Refusal
from ledger.words import BUY, SELL


def _name_withdrawal(command: c.SettleWithdrawal | c.CancelWithdrawal, accounts: Mapping[str, Account]) -> None:
    known_withdrawal(accounts[command.account_id], command.withdrawal_id)


def _name_hold(command: c.ReleaseHold, accounts: Mapping[str, Account]) -> None:
    known_hold(accounts[command.account_id], command.hold_id)


def _name_liquidation(command: c.CompleteLiquidation, accounts: Mapping[str, Account]) -> None:
    running_wallet(accounts[command.account_id], command.liquidation_id)


def _name_adjustment(command: c.ApproveAdjustment | c.RejectAdjustment, accounts: Mapping[str, Account]) -> None:
    known_adjustment(accounts[command.account_id], command.adjustment_id)


def _name_in_fill(command: c.BookFill, accounts: Mapping[str, Account]) -> None:
    if command.hold_id is not None:
        known_hold(accounts[command.account_id], command.hold_id)
    if command.liquidation_id is not None:
        running_wallet(accounts[command.account_id], command.liquidation_id)


def _name_in_trade(command: c.BookTrade, accounts: Mapping[str, Account]) -> None:
    buyer, seller = command.buyer, command.seller
    if buyer.hold_id is None and seller.hold_id is None:
        return
    for side, terms in ((BUY, buyer), (SELL, seller)):
        if terms.hold_id is not None:
            try:
                known_hold(accounts[terms.account_id], terms.hold_id)
            except Refusal as refusal:
                raise of_side(refusal, side, terms.account_id) from refusal


REQUIRE_NAMED: dict[type[c.Command], Callable[[Any, Mapping[str, Account]], None]] = {
    c.SettleWithdrawal: _name_withdrawal,
    c.CancelWithdrawal: _name_withdrawal,
    c.ReleaseHold: _name_hold,
    c.CompleteLiquidation: _name_liquidation,
    c.ApproveAdjustment: _name_adjustment,
    c.RejectAdjustment: _name_adjustment,
    c.BookFill: _name_in_fill,
    c.BookTrade: _name_in_trade,
}
"""What refuses a command that names a withdrawal, hold, adjustment or liquidation that its account does not have."""
