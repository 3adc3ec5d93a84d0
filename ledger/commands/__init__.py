"""What may be asked of the ledger, in the imperative: one class a command, its fields as clients send them."""

from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from ledger.commands.command import AccountCommand, Command
from ledger.commands.corrections import ApproveAdjustment, ProposeAdjustment, RejectAdjustment, ReverseEvent
from ledger.commands.exchange import (
    ConfirmPrice,
    FundInsurance,
    ListAsset,
    ListPair,
    MarkPrices,
    RejectPrice,
    SetAssetLimits,
    SetInterestRate,
    SetPairStatus,
    SetRiskLimits,
    WithdrawInsurance,
)
from ledger.commands.funding import (
    AddMargin,
    CancelWithdrawal,
    CloseAccount,
    Deposit,
    EraseTexts,
    FreezeAccount,
    OpenAccount,
    RemoveMargin,
    RequestWithdrawal,
    Send,
    SettleWithdrawal,
    Transfer,
    UnfreezeAccount,
)
from ledger.commands.lending import (
    AccrueInterest,
    Borrow,
    Repay,
    SetLeverage,
    SetMarginMode,
)
from ledger.commands.trading import (
    BookFill,
    BookTrade,
    CompleteLiquidation,
    Examine,
    FillTerms,
    Liquidate,
    PlaceHold,
    ReleaseHold,
    TradeSide,
)
from ledger.errors import Malformed
from ledger.misfits import misfits
from ledger.private_texts import parted, private_fields

AnyCommand = (
    OpenAccount
    | FreezeAccount
    | UnfreezeAccount
    | CloseAccount
    | EraseTexts
    | Deposit
    | RequestWithdrawal
    | SettleWithdrawal
    | CancelWithdrawal
    | Transfer
    | AddMargin
    | RemoveMargin
    | Send
    | SetMarginMode
    | SetLeverage
    | Borrow
    | Repay
    | AccrueInterest
    | PlaceHold
    | ReleaseHold
    | BookFill
    | BookTrade
    | Examine
    | Liquidate
    | CompleteLiquidation
    | ReverseEvent
    | ProposeAdjustment
    | ApproveAdjustment
    | RejectAdjustment
    | ListAsset
    | SetAssetLimits
    | ListPair
    | SetPairStatus
    | SetRiskLimits
    | SetInterestRate
    | MarkPrices
    | ConfirmPrice
    | RejectPrice
    | FundInsurance
    | WithdrawInsurance
)
COMMANDS: dict[str, type[Command]] = {kind.model_fields["type"].default: kind for kind in get_args(AnyCommand)}
_ADAPTERS: dict[str, TypeAdapter[Command]] = {name: TypeAdapter(kind) for name, kind in COMMANDS.items()}


def parse_command(content: Any) -> Command:
    """Read one command from the object a client sent; Malformed names every field that is wrong and why."""
    if not isinstance(content, dict):
        raise Malformed("a command is a JSON object with a type")
    name = content.get("type")
    if not isinstance(name, str) or name not in COMMANDS:
        found = f"type {name!r} is not a command" if "type" in content else "a command states its type"
        raise Malformed(f"{found}; the commands are {', '.join(COMMANDS)}")
    try:
        return _ADAPTERS[name].validate_python(content, by_alias=True, by_name=False)
    except ValidationError as error:
        # What is wrong with a text that may hold personal data is told, but not the text.
        found = misfits(error.errors(include_url=False), hidden=private_fields(COMMANDS[name]))
        raise Malformed(f"{name} is malformed: {found}") from None


def parse_kept(content: dict[str, Any], key: str | None) -> Command:
    """Read a command as it is kept with its key, sealed texts as they are; Malformed if it is no longer taken."""
    stated, sealed = parted(content)
    command = parse_command({**stated, "idempotency_key": key})
    return command.model_copy(update=sealed) if sealed else command


__all__ = [
    "COMMANDS",
    "AccountCommand",
    "AccrueInterest",
    "AddMargin",
    "AnyCommand",
    "ApproveAdjustment",
    "BookFill",
    "BookTrade",
    "Borrow",
    "CancelWithdrawal",
    "CloseAccount",
    "Command",
    "CompleteLiquidation",
    "ConfirmPrice",
    "Deposit",
    "EraseTexts",
    "Examine",
    "FillTerms",
    "FreezeAccount",
    "FundInsurance",
    "Liquidate",
    "ListAsset",
    "ListPair",
    "MarkPrices",
    "OpenAccount",
    "PlaceHold",
    "ProposeAdjustment",
    "RejectAdjustment",
    "RejectPrice",
    "ReleaseHold",
    "RemoveMargin",
    "Repay",
    "RequestWithdrawal",
    "ReverseEvent",
    "Send",
    "SetAssetLimits",
    "SetInterestRate",
    "SetLeverage",
    "SetMarginMode",
    "SetPairStatus",
    "SetRiskLimits",
    "SettleWithdrawal",
    "TradeSide",
    "Transfer",
    "UnfreezeAccount",
    "WithdrawInsurance",
    "parse_command",
    "parse_kept",
]
