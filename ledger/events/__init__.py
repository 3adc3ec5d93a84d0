"""What has happened, in the past tense: immutable events, stored for ever under their topics."""

from typing import get_args

from ledger.events.corrections import (
    AdjustmentPosted,
    AdjustmentProposed,
    AdjustmentRejected,
    EventReversed,
    PostedLine,
    ReversedTrade,
)
from ledger.events.event import (
    Assessment,
    Event,
    Fact,
    MarkPrice,
    made,
    made_event,
)
from ledger.events.exchange import (
    AssetLimitsSet,
    AssetListed,
    HeldPrice,
    InsuranceFunded,
    InsuranceWithdrawn,
    InterestRateSet,
    PairListed,
    PairStatusSet,
    PriceRejected,
    PricesHeld,
    PricesMarked,
    RiskLimitsSet,
)
from ledger.events.funding import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    FundsDeposited,
    FundsTransferred,
    MarginAdded,
    MarginRemoved,
    TextsErased,
    TransferReceived,
    TransferSent,
    WithdrawalCancelled,
    WithdrawalRequested,
    WithdrawalSettled,
)
from ledger.events.lending import (
    InterestAccrued,
    InterestLine,
    LeverageSet,
    LoanBorrowed,
    LoanRepaid,
    MarginModeSet,
)
from ledger.events.liquidation import (
    AssetState,
    DeficitCovered,
    LiquidationCompleted,
    LiquidationFilled,
    LiquidationStarted,
    MarginCalled,
    ReleasedHold,
)
from ledger.events.trading import (
    FundsHeld,
    HoldReleased,
    TradeBooked,
)

LifeEvent = AccountOpened | AccountFrozen | AccountUnfrozen | AccountClosed
WithdrawalEvent = WithdrawalRequested | WithdrawalSettled | WithdrawalCancelled
MoveEvent = FundsTransferred | TransferSent | TransferReceived | MarginAdded | MarginRemoved
FundingEvent = FundsDeposited | WithdrawalEvent | MoveEvent
SettingEvent = MarginModeSet | LeverageSet
LendingEvent = LoanBorrowed | LoanRepaid | InterestAccrued
TradingEvent = FundsHeld | HoldReleased | TradeBooked
LiquidationEvent = LiquidationStarted | LiquidationFilled | DeficitCovered | LiquidationCompleted
PriceEvent = PricesMarked | PricesHeld | PriceRejected
ListingEvent = AssetListed | AssetLimitsSet | PairListed | PairStatusSet | RiskLimitsSet | InterestRateSet | PriceEvent
AdjustmentEvent = AdjustmentProposed | AdjustmentPosted | AdjustmentRejected
CorrectionEvent = EventReversed | AdjustmentEvent
AccountEvent = (
    LifeEvent
    | FundingEvent
    | SettingEvent
    | LendingEvent
    | TradingEvent
    | MarginCalled
    | LiquidationEvent
    | CorrectionEvent
    | TextsErased
)
InsuranceEvent = InsuranceFunded | InsuranceWithdrawn
ExchangeEvent = ListingEvent | InsuranceEvent
AnyEvent = AccountEvent | ExchangeEvent
EVENTS: dict[str, type[Event]] = {kind.TOPIC: kind for kind in get_args(AnyEvent)}


def write_event(event: Event) -> bytes:
    """The bytes of an event as they are stored: JSON, amounts as plain strings, absent fields left out."""
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


def read_event(topic: str, state: bytes) -> AnyEvent:
    """The event that was stored under a topic as these bytes."""
    return EVENTS[topic].__pydantic_validator__.validate_json(state)  # type: ignore[no-any-return]


__all__ = [
    "EVENTS",
    "AccountClosed",
    "AccountEvent",
    "AccountFrozen",
    "AccountOpened",
    "AccountUnfrozen",
    "AdjustmentEvent",
    "AdjustmentPosted",
    "AdjustmentProposed",
    "AdjustmentRejected",
    "AnyEvent",
    "Assessment",
    "AssetLimitsSet",
    "AssetListed",
    "AssetState",
    "CorrectionEvent",
    "DeficitCovered",
    "Event",
    "EventReversed",
    "ExchangeEvent",
    "Fact",
    "FundingEvent",
    "FundsDeposited",
    "FundsHeld",
    "FundsTransferred",
    "HeldPrice",
    "HoldReleased",
    "InsuranceEvent",
    "InsuranceFunded",
    "InsuranceWithdrawn",
    "InterestAccrued",
    "InterestLine",
    "InterestRateSet",
    "LendingEvent",
    "LeverageSet",
    "LifeEvent",
    "LiquidationCompleted",
    "LiquidationEvent",
    "LiquidationFilled",
    "LiquidationStarted",
    "ListingEvent",
    "LoanBorrowed",
    "LoanRepaid",
    "MarginAdded",
    "MarginCalled",
    "MarginModeSet",
    "MarginRemoved",
    "MarkPrice",
    "MoveEvent",
    "PairListed",
    "PairStatusSet",
    "PostedLine",
    "PriceEvent",
    "PriceRejected",
    "PricesHeld",
    "PricesMarked",
    "ReleasedHold",
    "ReversedTrade",
    "RiskLimitsSet",
    "SettingEvent",
    "TextsErased",
    "TradeBooked",
    "TradingEvent",
    "TransferReceived",
    "TransferSent",
    "WithdrawalCancelled",
    "WithdrawalEvent",
    "WithdrawalRequested",
    "WithdrawalSettled",
    "made",
    "made_event",
    "read_event",
    "write_event",
]
