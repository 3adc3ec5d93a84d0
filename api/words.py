"""The domain's words as routes take them for parameters."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

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


def _in_digits(stated: Any) -> Any:
    """Parameters are texts, of which pydantic also takes `1.0` and `1_000` for whole numbers."""
    if isinstance(stated, str) and not re.fullmatch("-?[0-9]+", stated):
        raise ValueError("a whole number is needed, written in digits")
    return stated


Whole = Annotated[int, BeforeValidator(_in_digits)]
"""A whole number in digits."""
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
    "Whole",
    "WithdrawalStatus",
]
