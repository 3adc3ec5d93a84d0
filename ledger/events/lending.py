"""Events of margin settings, loans and interest."""

from ledger.events.event import Assessment, Event, Fact, Moment
from ledger.money import Exact
from ledger.words import MarginMode


class MarginModeSet(Event):
    TOPIC = "margin_mode.set"
    pair: str
    mode: MarginMode
    assessment: Assessment | None = None


class LeverageSet(Event):
    TOPIC = "leverage.set"
    wallet: str
    leverage: Exact
    assessment: Assessment | None = None


class LoanBorrowed(Event):
    TOPIC = "loan.borrowed"
    wallet: str
    asset: str
    amount: Exact
    automatic: bool = False
    assessment: Assessment | None = None


class LoanRepaid(Event):
    TOPIC = "loan.repaid"
    wallet: str
    asset: str
    interest: Exact
    principal: Exact
    automatic: bool = False


class InterestLine(Fact):
    """`hours` clock hours from `first_hour` on `principal` at `rate` a day; `amount` is what they cost together."""

    asset: str
    rate: Exact
    principal: Exact
    first_hour: Moment
    hours: int
    amount: Exact


class InterestAccrued(Event):
    TOPIC = "interest.accrued"
    wallet: str
    lines: list[InterestLine]
