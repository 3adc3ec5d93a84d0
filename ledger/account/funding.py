"""Deposits and two-phase withdrawals: what comes into spot from outside, and what leaves it."""

from ledger import commands as c
from ledger import events as e
from ledger.account.conditions import require_capability, require_free
from ledger.account.draft import Draft
from ledger.account.state import Account, Withdrawal
from ledger.errors import UnknownWithdrawal, WithdrawalExists, WithdrawalNotPending
from ledger.words import Capability, WithdrawalStatus


def deposit(draft: Draft, command: c.Deposit) -> None:
    """External funds come to spot."""
    require_capability(draft.account, Capability.DEPOSIT)
    draft.record(
        e.FundsDeposited,
        asset=command.asset,
        amount=command.amount,
        deposit_id=command.deposit_id,
        reference=command.reference,
        source_line=command.source_line,
    )


def request_withdrawal(draft: Draft, command: c.RequestWithdrawal) -> None:
    """Funds are locked in spot until the withdrawal is settled or cancelled."""
    known = draft.account.withdrawals.get(command.withdrawal_id)
    if known is not None:
        raise WithdrawalExists(
            f"withdrawal {command.withdrawal_id} of {known.amount:f} {known.asset} was requested before and is "
            f"{known.status}; a further one needs an id of its own"
        )
    require_capability(draft.account, Capability.WITHDRAW)
    asked = f"a withdrawal of {command.amount:f} {command.asset} was asked for"
    require_free(draft, draft.account.wallets.spot, command.asset, command.amount, asked)
    draft.record(
        e.WithdrawalRequested,
        withdrawal_id=command.withdrawal_id,
        asset=command.asset,
        amount=command.amount,
        source_line=command.source_line,
    )


def settle_withdrawal(draft: Draft, command: c.SettleWithdrawal) -> None:
    """The locked funds have left; no freeze stops it."""
    withdrawal = _pending(draft.account, command.withdrawal_id)
    draft.record(
        e.WithdrawalSettled,
        withdrawal_id=command.withdrawal_id,
        asset=withdrawal.asset,
        amount=withdrawal.amount,
        reference=command.reference,
        source_line=command.source_line,
    )


def cancel_withdrawal(draft: Draft, command: c.CancelWithdrawal) -> None:
    """The locked funds are given back to spot; no freeze stops it."""
    withdrawal = _pending(draft.account, command.withdrawal_id)
    draft.record(
        e.WithdrawalCancelled, withdrawal_id=command.withdrawal_id, asset=withdrawal.asset, amount=withdrawal.amount
    )


def known_withdrawal(account: Account, withdrawal_id: str) -> Withdrawal:
    """The withdrawal of that id, or UnknownWithdrawal."""
    withdrawal = account.withdrawals.get(withdrawal_id)
    if withdrawal is None:
        raise UnknownWithdrawal(f"account {account.id} has no withdrawal {withdrawal_id}")
    return withdrawal


def _pending(account: Account, withdrawal_id: str) -> Withdrawal:
    withdrawal = known_withdrawal(account, withdrawal_id)
    if withdrawal.status is not WithdrawalStatus.PENDING:
        raise WithdrawalNotPending(f"withdrawal {withdrawal_id} of account {account.id} is {withdrawal.status}")
    return withdrawal
