"""Projects holds: what is left of each after every event that places, uses or releases it."""

from collections.abc import Iterator, Sequence
from typing import Any

from ledger import events as e
from ledger.money import ZERO
from projections.folding import Step
from projections.writing import History, Writes

COLUMNS = {
    "account_id": "text",
    "hold_id": "text",
    "position": "bigint",
    "wallet": "text",
    "asset": "text",
    "amount": "numeric",
}
STATE_COLUMNS = COLUMNS | {"placed_at": "timestamptz"}
HISTORY = History("hold_states", "holds", STATE_COLUMNS, COLUMNS, ("account_id", "hold_id"))
CHANGING = {e.FundsHeld, e.HoldReleased, e.TradeBooked, e.LiquidationStarted}


def project_holds(writes: Writes, steps: Sequence[Step]) -> None:
    """Writes what a batch changes of holds; one that was released or used up has amount 0."""
    changing = [step for step in steps if type(step.event) in CHANGING]
    states = [_state(step, hold_id) for step in changing for hold_id in _changed(step.event)]
    writes.add_states(HISTORY, states)


def _changed(event: e.AnyEvent) -> Iterator[str]:
    """The ids of the holds that an event places, uses or releases."""
    match event:
        case e.FundsHeld() | e.HoldReleased():
            yield event.hold_id
        case e.TradeBooked() if event.hold_id is not None and event.hold_used:
            yield event.hold_id
        case e.LiquidationStarted():
            for released in event.released_holds:
                yield released.hold_id
        case _:
            pass


def _state(step: Step, hold_id: str) -> tuple[Any, ...]:
    assert step.before is not None
    assert step.after is not None
    event, left = step.event, step.after.holds.get(hold_id)
    hold = left or step.before.holds[hold_id]
    amount = ZERO if left is None else left.amount
    placed_at = event.effective_at if isinstance(event, e.FundsHeld) else None
    return (event.account_id, hold_id, step.position, hold.wallet, hold.asset, amount, placed_at)
