"""Events of corrections: reversals of one event, and adjustments from proposal to end."""

from ledger.events.event import Assessment, Event, Fact
from ledger.money import Exact
from ledger.private_texts import PrivateText
from ledger.words import AdjustmentReason, House, Part


class PostedLine(Fact):
    """One line of a posting: into a part of a wallet of the event's account, or into a book of the house."""

    wallet: str | None = None
    part: Part = Part.FREE
    house: House | None = None
    asset: str
    amount: Exact


class ReversedTrade(Fact):
    """What a reversed fill in a margin wallet had brought of the base (signed, net of a fee in it), and its price."""

    trade_id: str
    pair: str
    wallet: str
    quantity: Exact
    price: Exact


class EventReversed(Event):
    """`lines` are what it posts: the opposite of the lines of the event `reversed_version` of the same account.

    Of a sending and of a trade between two accounts, `other_account_id` names the account whose event is reversed in
    the same decision; `follows` is said by the one that was not asked for by its own version, which has no `reason`.
    The customers of a trade are not told of each other. `assessments` are of the margin wallets that had to bear it.
    """

    TOPIC = "event.reversed"
    reversed_version: int
    reversed_topic: str
    lines: list[PostedLine]
    trade: ReversedTrade | None = None
    other_account_id: str | None = None
    follows: bool = False
    assessments: dict[str, Assessment] | None = None


class AdjustmentProposed(Event):
    TOPIC = "adjustment.proposed"
    adjustment_id: str
    wallet: str
    asset: str
    amount: Exact
    reason_code: AdjustmentReason
    reference: PrivateText | None = None
    source_line: PrivateText | None = None


class AdjustmentPosted(Event):
    """`proposed_by` is the actor of the event `proposed_version`, never the one of this event; amount is signed.

    Where it came from, the proposal tells.
    """

    TOPIC = "adjustment.posted"
    adjustment_id: str
    wallet: str
    asset: str
    amount: Exact
    reason_code: AdjustmentReason
    proposed_by: str
    proposed_version: int
    assessment: Assessment | None = None


class AdjustmentRejected(Event):
    """As it was proposed; nothing is posted."""

    TOPIC = "adjustment.rejected"
    adjustment_id: str
    wallet: str
    asset: str
    amount: Exact
    reason_code: AdjustmentReason
    proposed_by: str
    proposed_version: int
