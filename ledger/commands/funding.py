"""Commands of an account's life cycle and of the funds that come, go and move."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ledger.commands.command import AccountCommand
from ledger.commands.fields import PrivateText, SourceLine, distinct
from ledger.money import Amount
from ledger.words import AssetSymbol, Capability, ErasureReason, Identifier, PairName, WalletName


class OpenAccount(AccountCommand):
    KEY_MAY_BE_LEFT_OUT = True
    type: Literal["open_account"] = "open_account"


class FreezeAccount(AccountCommand):
    type: Literal["freeze_account"] = "freeze_account"
    blocks: Annotated[list[Capability], Field(min_length=1), AfterValidator(distinct)] = Field(
        default_factory=lambda: list(Capability)
    )


class UnfreezeAccount(AccountCommand):
    type: Literal["unfreeze_account"] = "unfreeze_account"


class CloseAccount(AccountCommand):
    type: Literal["close_account"] = "close_account"


class EraseTexts(AccountCommand):
    """Makes reasons and references recorded on the account so far unreadable for ever; balances stay as they are."""

    type: Literal["erase_texts"] = "erase_texts"
    reason_code: ErasureReason

    @model_validator(mode="after")
    def _says_nothing_more(self) -> Self:
        if self.reason is not None:
            raise ValueError("reason is left out: what is erased would be told anew; reason_code says why")
        return self


class Deposit(AccountCommand):
    OWN_ID = "deposit_id"
    type: Literal["deposit"] = "deposit"
    asset: AssetSymbol
    amount: Amount
    deposit_id: Identifier | None = None
    reference: PrivateText | None = None
    source_line: SourceLine | None = None

    @property
    def further_key(self) -> str | None:
        return None if self.deposit_id is None else f"deposit_id {self.deposit_id}"


class RequestWithdrawal(AccountCommand):
    OWN_ID = "withdrawal_id"
    type: Literal["request_withdrawal"] = "request_withdrawal"
    withdrawal_id: Identifier
    asset: AssetSymbol
    amount: Amount
    source_line: SourceLine | None = None


class SettleWithdrawal(AccountCommand):
    OWN_ID = "withdrawal_id"
    type: Literal["settle_withdrawal"] = "settle_withdrawal"
    withdrawal_id: Identifier
    reference: PrivateText | None = None
    source_line: SourceLine | None = None


class CancelWithdrawal(AccountCommand):
    OWN_ID = "withdrawal_id"
    type: Literal["cancel_withdrawal"] = "cancel_withdrawal"
    withdrawal_id: Identifier


class Transfer(AccountCommand):
    type: Literal["transfer"] = "transfer"
    source: WalletName = Field(alias="from")
    target: WalletName = Field(alias="to")
    asset: AssetSymbol
    amount: Amount


class AddMargin(AccountCommand):
    type: Literal["add_margin"] = "add_margin"
    pair: PairName
    asset: AssetSymbol
    amount: Amount
    source: Literal["spot", "cross"] = Field(default="spot", alias="from")


class RemoveMargin(AccountCommand):
    type: Literal["remove_margin"] = "remove_margin"
    pair: PairName
    asset: AssetSymbol
    amount: Amount
    target: Literal["spot", "cross"] = Field(default="spot", alias="to")


class Send(AccountCommand):
    type: Literal["send"] = "send"
    to_account_id: Identifier
    asset: AssetSymbol
    amount: Amount

    @property
    def streams(self) -> tuple[str, ...]:
        return (self.account_id, self.to_account_id)
