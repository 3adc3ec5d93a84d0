"""Projects holds: what is left of each after every event that places, uses or releases it."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ledger import events as e
from ledger.money import ZERO
from projections.projector import Batch, Connection
from projections.writing import append, put

COLUMNS = {
    "account_id": "text",
    "hold_id": "text",
    "position": "bigint",
    "wallet": "text",
    "asset": "text",
    "amount": "numeric",
    "placed_at": "timestamptz",
}
KEY = ("account_id", "hold_id")
Holds = dict[tuple[str, str], "HoldRow"]


class HoldRow(NamedTuple):
    """A hold after the event at `position`; `amount` is what is left of it."""

    account_id: str
    hold_id: str
    position: int
    wallet: str
    asset: str
    amount: Decimal
    placed_at: datetime


def project_holds(connection: Connection, batch: Batch) -> None:
    """Writes what a batch changes of holds."""
    keys = {(one.event.account_id, hold_id) for one in batch for hold_id, _ in hold_changes(one.event)}
    holds = load_holds(connection, keys)
    states = []
    for position, _, event in batch:
        for hold_id, used in hold_changes(event):
            if isinstance(event, e.FundsHeld):
                placed = (event.wallet, event.asset, event.amount, event.effective_at)
                hold = HoldRow(event.account_id, hold_id, position, *placed)
            else:
                before = holds[event.account_id, hold_id]
                hold = before._replace(position=position, amount=before.amount - used if used else ZERO)
            holds[event.account_id, hold_id] = hold
            states.append(hold)
    append(connection, "hold_states", COLUMNS, states)
    put(connection, "holds", COLUMNS, list({state[:2]: state for state in states}.values()), key=KEY)


def hold_changes(event: e.AnyEvent) -> Iterator[tuple[str, Decimal | None]]:
    """The holds that an event changes, with how much it uses; None places or releases the whole."""
    match event:
        case e.FundsHeld() | e.HoldReleased():
            yield event.hold_id, None
        case e.TradeBooked() if event.hold_id is not None and event.hold_used:
            yield event.hold_id, event.hold_used
        case e.LiquidationStarted():
            for released in event.released_holds:
                yield released.hold_id, None
        case _:
            pass


def load_holds(connection: Connection, keys: set[tuple[str, str]]) -> Holds:
    """Holds as the table `holds` has them."""
    if not keys:
        return {}
    rows = connection.execute(
        "select account_id, hold_id, position, wallet, asset, amount, placed_at from holds"
        " join unnest(%s::text[], %s::text[]) as wanted (account_id, hold_id) using (account_id, hold_id)",
        [list(column) for column in zip(*sorted(keys), strict=True)],
    )
    return {(row[0], row[1]): HoldRow(*row) for row in rows}
