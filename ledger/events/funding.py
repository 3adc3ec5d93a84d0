"""Events of an account's life cycle and of the funds that came, went and moved."""

from ledger.events.event import Assessment, Event
from ledger.money import Exact
from ledger.private_texts import PrivateText
from ledger.words import Capability, ErasureReason


class AccountOpened(Event):
    TOPIC = "account.opened"


class AccountFrozen(Event):
    """`blocks` are all blocks in force from here on."""

    TOPIC = "account.frozen"
    blocks: list[Capability]


class AccountUnfrozen(Event):
    TOPIC = "account.unfrozen"


class AccountClosed(Event):
    TOPIC = "account.closed"


class TextsErased(Event):
    """Reasons and references recorded on the account before this are unreadable: their keys are destroyed with it.

    `erasure` counts these events of the account; texts that are recorded later have a key of their own.
    """

    TOPIC = "texts.erased"
    erasure: int
    reason_code: ErasureReason


class FundsDeposited(Event):
    TOPIC = "funds.deposited"
    asset: str
    amount: Exact
    deposit_id: str | None = None
    reference: PrivateText | None = None
    source_line: PrivateText | None = None


class WithdrawalRequested(Event):
    TOPIC = "withdrawal.requested"
    withdrawal_id: str
    asset: str
    amount: Exact
    source_line: PrivateText | None = None


class WithdrawalSettled(Event):
    TOPIC = "withdrawal.settled"
    withdrawal_id: str
    asset: str
    amount: Exact
    reference: PrivateText | None = None
    source_line: PrivateText | None = None


class WithdrawalCancelled(Event):
    TOPIC = "withdrawal.cancelled"
    withdrawal_id: str
    asset: str
    amount: Exact


class FundsTransferred(Event):
    TOPIC = "funds.transferred"
    source: str
    target: str
    asset: str
    amount: Exact
    assessment: Assessment | None = None


class TransferSent(Event):
    TOPIC = "transfer.sent"
    to_account_id: str
    asset: str
    amount: Exact


class TransferReceived(Event):
    TOPIC = "transfer.received"
    from_account_id: str
    asset: str
    amount: Exact


class MarginAdded(Event):
    """`assessment` is of the bucket, `source_assessment` of the pool the margin left."""

    TOPIC = "margin.added"
    pair: str
    asset: str
    amount: Exact
    source: str
    assessment: Assessment | None = None
    source_assessment: Assessment | None = None


class MarginRemoved(Event):
    """`assessment` is of the bucket, `target_assessment` of the pool the margin came to."""

    TOPIC = "margin.removed"
    pair: str
    asset: str
    amount: Exact
    target: str
    assessment: Assessment | None = None
    target_assessment: Assessment | None = None
