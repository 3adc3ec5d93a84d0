"""Events to liquidations with their steps, margin calls, and the insurance fund that pays deficits."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from ledger import events as e
from ledger.money import VALUATION_ASSET, ZERO
from ledger.postings import INSURANCE, postings
from projections.projector import Batch, Connection, RecordedEvent
from projections.writing import append, put

LIQUIDATIONS = {
    "liquidation_id": "text",
    "account_id": "text",
    "wallet": "text",
    "execution": "text",
    "started_position": "bigint",
    "started_at": "timestamptz",
    "started": "jsonb",
    "completed_position": "bigint",
    "completed": "jsonb",
}
STEPS = ("position", "liquidation_id", "account_id", "wallet", "topic", "content", "value", "uncovered")
CALLS = (
    "position",
    "account_id",
    "wallet",
    "level",
    "threshold",
    "assets",
    "debt",
    "tier",
    "prices",
    "effective_at",
    "recorded_at",
)
FUND = {"asset": "text", "balance": "numeric"}
Step = e.TradeBooked | e.LoanRepaid | e.LiquidationFilled | e.DeficitCovered


@dataclass(slots=True)
class Written:
    """What a batch adds: `running` are liquidation ids by (account, wallet), `fund` the insurance balances by asset."""

    running: dict[tuple[str, str], str]
    fund: dict[str, Decimal]
    liquidations: dict[str, list[Any]] = field(default_factory=dict)
    completed: list[tuple[Any, ...]] = field(default_factory=list)
    steps: list[tuple[Any, ...]] = field(default_factory=list)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    fund_states: dict[tuple[str, int], Decimal] = field(default_factory=dict)


class LiquidationsProjector:
    """Keeps nothing in memory: each batch reads which liquidations run, and what the insurance fund holds."""

    name: ClassVar[str] = "liquidations"
    tables: ClassVar[tuple[str, ...]] = (
        "liquidations",
        "liquidation_steps",
        "margin_calls",
        "insurance",
        "insurance_states",
    )

    def project(self, connection: Connection, batch: Batch) -> None:
        written = Written(_read_running(connection), _read_fund(connection))
        for recorded in batch:
            _take(written, recorded)
        put(connection, "liquidations", LIQUIDATIONS, list(written.liquidations.values()), key=("liquidation_id",))
        _write_completed(connection, written.completed)
        append(connection, "liquidation_steps", STEPS, written.steps)
        append(connection, "margin_calls", CALLS, written.calls)
        states = [(*key, balance) for key, balance in written.fund_states.items()]
        append(connection, "insurance_states", ("asset", "position", "balance"), states)
        if states:
            put(connection, "insurance", FUND, list(written.fund.items()), key=("asset",))

    def forget(self) -> None:
        pass


def _take(written: Written, recorded: RecordedEvent) -> None:
    """Take one event into what the batch adds; a deficit is judged by the fund before it."""
    position, event = recorded.position, recorded.event
    match event:
        case e.MarginCalled():
            written.calls.append(_call(recorded, event))
        case e.LiquidationStarted():
            content = e.write_event(event).decode()
            names = (event.liquidation_id, event.account_id, event.wallet, str(event.execution))
            written.running[event.account_id, event.wallet] = event.liquidation_id
            written.liquidations[event.liquidation_id] = [*names, position, event.effective_at, content, None, None]
        case e.LiquidationCompleted():
            written.running.pop((event.account_id, event.wallet), None)
            _complete(written, position, event)
        case e.TradeBooked() | e.LoanRepaid() | e.LiquidationFilled() | e.DeficitCovered():
            liquidation_id = written.running.get((event.account_id, event.wallet))
            if liquidation_id is not None:
                written.steps.append(_step(written, position, liquidation_id, event))
        case _:
            pass
    _post(written, recorded)


def _complete(written: Written, position: int, event: e.LiquidationCompleted) -> None:
    """Beside its start where that is of the same batch, else into the row that an earlier batch wrote."""
    content = e.write_event(event).decode()
    row = written.liquidations.get(event.liquidation_id)
    if row is None:
        written.completed.append((event.liquidation_id, position, content))
    else:
        row[-2:] = [position, content]


def _step(written: Written, position: int, liquidation_id: str, event: Step) -> tuple[Any, ...]:
    value = event.value if isinstance(event, e.DeficitCovered) else ZERO
    there = max(written.fund.get(VALUATION_ASSET, ZERO), ZERO)
    about = (liquidation_id, event.account_id, event.wallet, event.TOPIC, e.write_event(event).decode())
    return (position, *about, value, value - min(value, there))


def _post(written: Written, recorded: RecordedEvent) -> None:
    for book, asset, amount in postings(recorded.event):
        if book == INSURANCE:
            balance = written.fund[asset] = written.fund.get(asset, ZERO) + amount
            written.fund_states[asset, recorded.position] = balance


def _call(recorded: RecordedEvent, event: e.MarginCalled) -> tuple[Any, ...]:
    prices = json.dumps({pair: mark.model_dump(mode="json") for pair, mark in event.prices.items()})
    sums = (event.level, event.threshold, event.assets, event.debt, event.tier)
    return (
        recorded.position,
        event.account_id,
        event.wallet,
        *sums,
        prices,
        event.effective_at,
        recorded.recorded_at,
    )


def _read_running(connection: Connection) -> dict[tuple[str, str], str]:
    """The liquidations that wait for fills: few, since the house completes its own in the decision that starts them."""
    rows = connection.execute(
        "select account_id, wallet, liquidation_id from liquidations where completed_position is null"
    )
    return {(account_id, wallet): liquidation_id for account_id, wallet, liquidation_id in rows}


def _read_fund(connection: Connection) -> dict[str, Decimal]:
    return dict(connection.execute("select asset, balance from insurance").fetchall())


def _write_completed(connection: Connection, completed: Sequence[tuple[Any, ...]]) -> None:
    if completed:
        connection.execute(
            "update liquidations set completed_position = done.position, completed = done.content"
            " from unnest(%s::text[], %s::bigint[], %s::jsonb[]) as done (liquidation_id, position, content)"
            " where liquidations.liquidation_id = done.liquidation_id",
            [list(column) for column in zip(*completed, strict=True)],
        )
