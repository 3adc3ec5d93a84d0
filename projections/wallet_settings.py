"""What events set of a margin wallet as a whole, beside what they post to it."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ledger import events as e
from ledger.words import MarginMode


class WalletSettings(NamedTuple):
    """The settings of the cross pool or of a bucket; None is the start value, or none yet.

    `tier` is the one that the last decision on a bucket used, counted from 1.
    """

    leverage: Decimal | None = None
    mode: str = MarginMode.CROSS.value
    tier: int | None = None
    liquidation_id: str | None = None
    called_at: datetime | None = None
    called_level: str | None = None

    def after(self, event: e.AnyEvent, wallet: str) -> "WalletSettings":
        """These settings after an event of their wallet, which is named."""
        match event:
            case e.LeverageSet():
                return self._replace(leverage=event.leverage)._assessed(event.assessment)
            case e.MarginModeSet():
                return self._replace(mode=event.mode.value)
            case e.LoanBorrowed() | e.MarginAdded() | e.MarginRemoved() | e.FundsHeld() | e.TradeBooked():
                return self._assessed(event.assessment)
            case e.AdjustmentPosted():
                return self._assessed(event.assessment)
            case e.EventReversed():
                return self._assessed((event.assessments or {}).get(wallet))
            case e.MarginCalled():
                return self._replace(called_at=event.effective_at, called_level=event.level, tier=event.tier)
            case e.LiquidationStarted():
                return self._replace(liquidation_id=event.liquidation_id, tier=event.tier)
            case e.LiquidationCompleted():
                return self._replace(liquidation_id=None, tier=event.tier or self.tier)
            case _:
                return self

    def _assessed(self, assessment: e.Assessment | None) -> "WalletSettings":
        return self if assessment is None or assessment.tier is None else self._replace(tier=assessment.tier)
