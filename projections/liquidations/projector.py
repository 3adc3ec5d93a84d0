"""Events to liquidations with their steps, margin calls, and the insurance fund that pays deficits."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, get_args

from ledger import events as e
from ledger.insurance import uncovered_part
from ledger.money import VALUATION_ASSET, ZERO
from ledger.postings import INSURANCE
from projections.folding import Step
from projections.projector import Batch, Tables, Writes

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
COMPLETIONS = {"liquidation_id": "text", "completed_position": "bigint", "completed": "jsonb"}
STEPS = {
    "position": "bigint",
    "liquidation_id": "text",
    "account_id": "text",
    "wallet": "text",
    "topic": "text",
    "content": "jsonb",
    "value": "numeric",
    "uncovered": "numeric",
}
CALLS = {
    "position": "bigint",
    "account_id": "text",
    "wallet": "text",
    "level": "text",
    "threshold": "numeric",
    "assets": "numeric",
    "debt": "numeric",
    "tier": "integer",
    "prices": "jsonb",
    "effective_at": "timestamptz",
    "recorded_at": "timestamptz",
}
FUND = {"asset": "text", "balance": "numeric"}
FUND_STATES = {"asset": "text", "position": "bigint", "balance": "numeric"}
Closing = e.TradeBooked | e.LoanRepaid | e.LiquidationFilled | e.DeficitCovered
CONCERNING = {
    e.MarginCalled,
    e.LiquidationStarted,
    e.LiquidationCompleted,
    *get_args(Closing),
    *get_args(e.InsuranceEvent),
}


@dataclass(slots=True)
class Written:
    """What a batch adds; `fund` are the insurance balances by asset."""

    fund: dict[str, Decimal]
    liquidations: dict[str, list[Any]] = field(default_factory=dict)
    completed: list[tuple[Any, ...]] = field(default_factory=list)
    steps: list[tuple[Any, ...]] = field(default_factory=list)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    fund_states: dict[tuple[str, int], Decimal] = field(default_factory=dict)


class LiquidationsProjector:
    """Keeps what the insurance fund holds; which liquidations run is the account's."""

    name: ClassVar[str] = "liquidations"
    tables: ClassVar[tuple[str, ...]] = (
        "liquidations",
        "liquidation_steps",
        "margin_calls",
        "insurance",
        "insurance_states",
    )

    def __init__(self) -> None:
        self._fund: dict[str, Decimal] | None = None

    def project(self, batch: Batch, tables: Tables) -> Writes:
        if self._fund is None:
            self._fund = dict(tables.connection.execute("select asset, balance from insurance").fetchall())
        written, before = Written(self._fund), self._fund.copy()
        others = deque(batch.of_others(self.name, _posted_to_fund(batch.steps)))
        for recorded, step in zip(batch.events, batch.steps, strict=True):
            if type(step.event) in CONCERNING:
                _post_others(written.fund, others, step.position)
                _take(written, step, recorded.recorded_at)
        _post_others(written.fund, others, batch.last)
        writes = Writes()
        writes.put("liquidations", LIQUIDATIONS, list(written.liquidations.values()), key=("liquidation_id",))
        writes.change("liquidations", COMPLETIONS, written.completed, key=("liquidation_id",))
        writes.append("liquidation_steps", STEPS, written.steps)
        writes.append("margin_calls", CALLS, written.calls)
        states = [(*key, balance) for key, balance in written.fund_states.items()]
        writes.append("insurance_states", FUND_STATES, states)
        if batch.writes_sums and written.fund != before:
            writes.put("insurance", FUND, list(written.fund.items()), key=("asset",))
        return writes

    def forget(self) -> None:
        self._fund = None


FundLine = tuple[int, str, Decimal]
"""Position, asset and amount of a line of the insurance fund."""


def _posted_to_fund(steps: Iterable[Step]) -> Iterator[FundLine]:
    for step in steps:
        for book, asset, amount in step.lines:
            if book is INSURANCE:
                yield step.position, asset, amount


def _post_others(fund: dict[str, Decimal], others: deque[FundLine], until: int) -> None:
    """Posts what the other half of the accounts posted to the fund up to a position."""
    while others and others[0][0] <= until:
        _, asset, amount = others.popleft()
        fund[asset] = fund.get(asset, ZERO) + amount


def _take(written: Written, step: Step, recorded_at: datetime) -> None:
    """Take one event into what the batch adds; a deficit is judged by the fund before it."""
    position, event = step.position, step.event
    match event:
        case e.MarginCalled():
            written.calls.append(_call(position, event, recorded_at))
        case e.LiquidationStarted():
            content = e.write_event(event).decode()
            names = (event.liquidation_id, event.account_id, event.wallet, str(event.execution))
            written.liquidations[event.liquidation_id] = [*names, position, event.effective_at, content, None, None]
        case e.LiquidationCompleted():
            _complete(written, position, event)
        case e.TradeBooked() | e.LoanRepaid() | e.LiquidationFilled() | e.DeficitCovered():
            running = None if step.before is None else step.before.liquidations.get(event.wallet)
            if running is not None:
                written.steps.append(_step(written, position, running.liquidation_id, event))
        case _:
            pass
    _post(written, step)


def _complete(written: Written, position: int, event: e.LiquidationCompleted) -> None:
    """Beside its start where that is of the same batch, else into the row that an earlier batch wrote."""
    content = e.write_event(event).decode()
    row = written.liquidations.get(event.liquidation_id)
    if row is None:
        written.completed.append((event.liquidation_id, position, content))
    else:
        row[-2:] = [position, content]


def _step(written: Written, position: int, liquidation_id: str, event: Closing) -> tuple[Any, ...]:
    value = event.value if isinstance(event, e.DeficitCovered) else ZERO
    uncovered = uncovered_part(value, written.fund.get(VALUATION_ASSET, ZERO))
    about = (liquidation_id, event.account_id, event.wallet, event.TOPIC, e.write_event(event).decode())
    return (position, *about, value, uncovered)


def _post(written: Written, step: Step) -> None:
    for book, asset, amount in step.lines:
        if book is INSURANCE:
            balance = written.fund[asset] = written.fund.get(asset, ZERO) + amount
            written.fund_states[asset, step.position] = balance


def _call(position: int, event: e.MarginCalled, recorded_at: datetime) -> tuple[Any, ...]:
    prices = json.dumps({pair: mark.model_dump(mode="json") for pair, mark in event.prices.items()})
    sums = (event.level, event.threshold, event.assets, event.debt, event.tier)
    return (position, event.account_id, event.wallet, *sums, prices, event.effective_at, recorded_at)
