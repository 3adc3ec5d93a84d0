"""What every event carries, and the parts that events share."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from ledger.money import Exact


class Fact(BaseModel):
    """A part of an event; never changed once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MarkPrice(Fact):
    """The price of a pair, its business time, and the version of the @prices stream that marked it."""

    price: Exact
    effective_at: datetime
    version: int


class Assessment(Fact):
    """What a decision saw and left: prices used, levels (8 decimals, down; None without debt) and the tier (from 1).

    Levels are the collateral margin level in the cross pool, which states its margin level beside, and the margin
    level in a bucket.
    """

    prices: dict[str, MarkPrice]
    level_before: str | None = None
    level_after: str | None = None
    margin_level_before: str | None = None
    margin_level_after: str | None = None
    tier: int | None = None


class Event(Fact):
    """What every event carries; its log position and recorded_at stand beside its bytes, not inside."""

    TOPIC: ClassVar[str]

    account_id: str
    version: int
    effective_at: datetime
    actor: str
    correlation_id: str
    idempotency_key: str | None = None
    reason: str | None = None

    @property
    def originator_id(self) -> str:
        """The stream of the event, as the event-sourcing library calls it."""
        return self.account_id

    @property
    def originator_version(self) -> int:
        """The version of the event, as the event-sourcing library calls it."""
        return self.version
