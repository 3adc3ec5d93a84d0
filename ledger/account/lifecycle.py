"""Opening, freezing, unfreezing and closing an account, and erasing its texts."""

from ledger import commands as c
from ledger import events as e
from ledger.account.conditions import require_no_liquidation
from ledger.account.draft import Draft
from ledger.errors import AccountExists, AccountNotEmpty, NothingToDo
from ledger.words import AccountStatus, AdjustmentStatus, Capability, WithdrawalStatus


def open_account(draft: Draft, command: c.OpenAccount) -> None:
    """An account is opened once."""
    if draft.account.version:
        raise AccountExists(
            f"account {command.account_id} was opened before; it is {draft.account.status}, at version "
            f"{draft.account.version}"
        )
    draft.record(e.AccountOpened)


def freeze_account(draft: Draft, command: c.FreezeAccount) -> None:
    """A freeze adds what it names to what is blocked already."""
    blocks = draft.account.blocks | set(command.blocks)
    if blocks == draft.account.blocks:
        raise NothingToDo(f"account {command.account_id} is already frozen for {', '.join(sorted(blocks))}")
    draft.record(e.AccountFrozen, blocks=[capability for capability in Capability if capability in blocks])


def unfreeze_account(draft: Draft, _: c.UnfreezeAccount) -> None:
    """Lifts every block."""
    if draft.account.status is not AccountStatus.FROZEN:
        raise NothingToDo(f"account {draft.account.id} is not frozen")
    draft.record(e.AccountUnfrozen)


def close_account(draft: Draft, _: c.CloseAccount) -> None:
    """An account closes only with nothing held, owed, locked or pending."""
    account = draft.account
    require_no_liquidation(account, *account.liquidations)
    left = [
        f"{balance.held:f} {asset} held and {balance.owed:f} {asset} owed in {wallet.name}"
        for wallet in account.wallets.all()
        for asset, balance in wallet.balances.items()
        if any(balance)
    ]
    left += [f"hold {hold_id}" for hold_id in account.holds]
    left += [
        f"withdrawal {withdrawal_id} pending"
        for withdrawal_id, withdrawal in account.withdrawals.items()
        if withdrawal.status is WithdrawalStatus.PENDING
    ]
    left += [
        f"adjustment {adjustment_id} proposed"
        for adjustment_id, adjustment in account.adjustments.items()
        if adjustment.status is AdjustmentStatus.PROPOSED
    ]
    if left:
        raise AccountNotEmpty(f"account {account.id} cannot close, it still has {'; '.join(left)}; clear these first")
    draft.record(e.AccountClosed)


def erase_texts(draft: Draft, command: c.EraseTexts) -> None:
    """Whatever the account's state: it is most often a closed one. Nothing of it is needed to make a decision."""
    draft.record(e.TextsErased, erasure=draft.account.erasures + 1, reason_code=command.reason_code)
