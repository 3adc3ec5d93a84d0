"""What somebody wrote about an event, as it is shown to who may see its account."""

from typing import NamedTuple

from ledger.events import AnyEvent, FundsDeposited, WithdrawalSettled


class FreeText(NamedTuple):
    """The outside reference of an event, and the reason that was given for it; None where there is none."""

    reference: str | None
    reason: str | None


def free_text(event: AnyEvent, proposed_reason: str | None = None) -> FreeText:
    """The free text of an event. The reason of an adjustment is the one that it was proposed for, else its approver's.

    Statements show what is returned here and no other text of a person, so here is where an erased one is told as such.
    """
    reference = event.reference if isinstance(event, FundsDeposited | WithdrawalSettled) else None
    return FreeText(reference, proposed_reason or event.reason)
