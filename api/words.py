"""The domain's words as routes take them for parameters."""

from typing import Annotated

from pydantic import StringConstraints

from ledger.commands.fields import Time
from ledger.words import (
    AccountStatus,
    AdjustmentReason,
    AdjustmentStatus,
    AssetSymbol,
    Band,
    Capability,
    Identifier,
    MarginWalletName,
    PairName,
    WalletName,
    WithdrawalStatus,
)

Stream = Annotated[str, StringConstraints(strict=True, pattern=r"^(@exchange|@prices|[A-Za-z0-9_.:\-]{1,64})$")]
"""An account, or one of the exchange's own streams."""
Topic = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$")]
Actor = Annotated[str, StringConstraints(strict=True, pattern=r"^[!-~]{1,200}$")]

__all__ = [
    "AccountStatus",
    "Actor",
    "AdjustmentReason",
    "AdjustmentStatus",
    "AssetSymbol",
    "Band",
    "Capability",
    "Identifier",
    "MarginWalletName",
    "PairName",
    "Stream",
    "Time",
    "Topic",
    "WalletName",
    "WithdrawalStatus",
]
