"""Commands of corrections: reversing one event, and adjustments that two people agree on."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ledger.commands.command import AccountCommand
from ledger.commands.fields import PrivateText, SourceLine
from ledger.money import SignedAmount
from ledger.words import AdjustmentReason, AssetSymbol, Identifier, WalletName


def _not_nothing(amount: Decimal) -> Decimal:
    if not amount:
        raise ValueError("an adjustment of nothing would change nothing; state an amount above or below zero")
    return amount


class ReverseEvent(AccountCommand):
    """`version` is that of the event to be reversed, on this account."""

    type: Literal["reverse_event"] = "reverse_event"
    version: Annotated[int, Field(strict=True, ge=1, le=2**62)]


class ProposeAdjustment(AccountCommand):
    """The amount is signed: above zero it is given to the wallet, below zero taken from what is free in it.

    With a `source_line` it is dated by that line: an approval that states no time counts when the proposal does.
    """

    OWN_ID = "adjustment_id"
    type: Literal["propose_adjustment"] = "propose_adjustment"
    adjustment_id: Identifier
    wallet: WalletName
    asset: AssetSymbol
    amount: Annotated[SignedAmount, AfterValidator(_not_nothing)]
    reason_code: AdjustmentReason
    reference: PrivateText | None = None
    source_line: SourceLine | None = None

    @model_validator(mode="after")
    def _tells_other_reasons(self) -> Self:
        if self.reason_code is AdjustmentReason.OTHER and self.reason is None:
            raise ValueError("reason is needed where reason_code is other, so that it can be understood later")
        return self


class ApproveAdjustment(AccountCommand):
    OWN_ID = "adjustment_id"
    type: Literal["approve_adjustment"] = "approve_adjustment"
    adjustment_id: Identifier


class RejectAdjustment(AccountCommand):
    OWN_ID = "adjustment_id"
    type: Literal["reject_adjustment"] = "reject_adjustment"
    adjustment_id: Identifier
