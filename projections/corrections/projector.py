"""Projects reversals, and adjustments from their proposal to their end."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ledger import events as e
from ledger.words import AdjustmentStatus
from projections.folding import Step
from projections.projector import Batch, Connection, Tables, Writes

REVERSAL = """
insert into reversals (
    account_id, reversed_version, reversed_topic, version, position, effective_at, reversed_position
)
select news.*, reversed.notification_id
from unnest(%s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[])
    as news (account_id, reversed_version, reversed_topic, version, position, effective_at)
left join public.events as reversed
    on reversed.originator_id = news.account_id and reversed.originator_version = news.reversed_version
"""
PROPOSAL = {
    "account_id": "text",
    "adjustment_id": "text",
    "wallet": "text",
    "asset": "text",
    "amount": "numeric",
    "reason_code": "text",
    "reason": "text",
    "proposed_by": "text",
    "proposed_position": "bigint",
    "proposed_at": "timestamptz",
}
DECISION = {
    "account_id": "text",
    "adjustment_id": "text",
    "decided_as": "text",
    "decided_by": "text",
    "decided_position": "bigint",
    "decided_at": "timestamptz",
}
KINDS = {e.EventReversed, e.AdjustmentProposed, e.AdjustmentPosted, e.AdjustmentRejected}


class CorrectionsProjector:
    """Keeps nothing in memory."""

    name: ClassVar[str] = "corrections"
    tables: ClassVar[tuple[str, ...]] = ("reversals", "adjustments")

    def project(self, batch: Batch, tables: Tables) -> Writes:  # noqa: ARG002
        writes = Writes()
        steps = [step for step in batch.steps if type(step.event) in KINDS]
        if steps:
            _write_reversals(writes, steps)
            _write_adjustments(writes, steps)
        return writes

    def forget(self) -> None:
        pass


def _write_reversals(writes: Writes, steps: Sequence[Step]) -> None:
    rows = [
        (event.account_id, event.reversed_version, event.reversed_topic, event.version, position, event.effective_at)
        for position, event in ((step.position, step.event) for step in steps)
        if isinstance(event, e.EventReversed)
    ]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]

        def insert(connection: Connection) -> None:
            connection.execute(REVERSAL, columns)

        writes.rows += len(rows)
        writes.run(insert)


def _write_adjustments(writes: Writes, steps: Sequence[Step]) -> None:
    proposed: list[tuple[Any, ...]] = []
    decided: list[tuple[Any, ...]] = []
    for position, event in ((step.position, step.event) for step in steps):
        match event:
            case e.AdjustmentProposed():
                terms = (event.wallet, event.asset, event.amount, str(event.reason_code), event.reason)
                proposal = (event.actor, position, event.effective_at)
                proposed.append((event.account_id, event.adjustment_id, *terms, *proposal))
            case e.AdjustmentPosted():
                end = (AdjustmentStatus.POSTED.value, event.actor, position, event.effective_at)
                decided.append((event.account_id, event.adjustment_id, *end))
            case e.AdjustmentRejected():
                end = (AdjustmentStatus.REJECTED.value, event.actor, position, event.effective_at)
                decided.append((event.account_id, event.adjustment_id, *end))
            case _:
                pass
    writes.append("adjustments", PROPOSAL, proposed)
    writes.change("adjustments", DECISION, decided, key=("account_id", "adjustment_id"))
