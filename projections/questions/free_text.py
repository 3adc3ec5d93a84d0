"""What somebody wrote about an event, as it is shown to who may see its account."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from ledger.events import AnyEvent
from ledger.postgres import Connection
from ledger.shown_texts import texts_shown


class FreeText(NamedTuple):
    """The outside reference of an event, and the reason that was given for it; None where there is none.

    One that cannot be shown is None and named: in `erased` where its key was destroyed, in `unreadable` where its key
    is not here.
    """

    reference: str | None
    reason: str | None
    erased: list[str] | None = None
    unreadable: list[str] | None = None


def free_texts(connection: Connection, events: Iterable[tuple[AnyEvent, AnyEvent | None]]) -> list[FreeText]:
    """The free texts of events, each given with the event that proposed it: of an adjustment, that has them.

    Statements show what is returned here and no other text of a person.
    """
    written: list[dict[str, Any]] = [
        {"reference": getattr(told, "reference", None), "reason": told.reason or event.reason}
        for event, told in ((event, proposal or event) for event, proposal in events)
    ]
    return [FreeText(**one) for one in texts_shown(connection, written)]
