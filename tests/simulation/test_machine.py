"""The state machine in short; `python -m tests.simulation` and LEDGER_SIMULATION_STEPS make it long."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger import events as e
from ledger.commands import COMMANDS
from tests.simulation.drawing_limits import StepsInPart
from tests.simulation.machine import Simulation, require_nothing_below_zero, run
from tests.simulation.steps import WEIGHTED

T = TypeVar("T")
# LEDGER_SIMULATION_STEPS=50000 makes the seeded runs long.
STEPS = int(os.environ.get("LEDGER_SIMULATION_STEPS", "1500"))


class DataChooser:
    """Choices that hypothesis makes, so that it can find a shorter way to the same disagreement."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def pick(self, choices: Sequence[T]) -> T:
        return self._data.draw(st.sampled_from(choices))

    def number(self, low: int, high: int) -> int:
        return self._data.draw(st.integers(low, high))


class LedgerMachine(RuleBasedStateMachine):
    """The ledger's decisions beside the model's, after any commands in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.simulation = Simulation()

    @rule(data=st.data(), name=st.sampled_from(WEIGHTED))
    def command(self, data: st.DataObject, name: str) -> None:
        drawn = StepsInPart(DataChooser(data), self.simulation.world)
        content = drawn.command(name)
        self.simulation.step(content, drawn.pass_time(content))

    @invariant()
    def nothing_is_below_zero(self) -> None:
        for account in self.simulation.book.accounts.values():
            require_nothing_below_zero(account)

    def teardown(self) -> None:
        self.simulation.book.require_replay()


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(
    max_examples=15, stateful_step_count=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_long_life_of_three_accounts_agrees_with_the_model(seed: int) -> None:
    simulation = run(STEPS, seed)
    assert sum(simulation.outcomes.values()) > STEPS


@pytest.mark.long
def test_the_seeded_lives_reach_every_command_and_both_answers() -> None:
    outcomes = sum((run(STEPS, seed).outcomes for seed in (8, 9, 12)), Counter[str]())
    recorded = {outcome.removesuffix(" recorded") for outcome in outcomes if outcome.endswith(" recorded")}
    refused = {outcome.split()[0] for outcome in outcomes if not outcome.endswith(" recorded")}
    # None is left out: listings are recorded by the beginnings, and drawn again to be refused.
    assert set(COMMANDS) - recorded == set()
    assert set(COMMANDS) - refused == set()


TARGETS = [
    {"type": "set_risk_limits", "scope": "cross", "liquidation_target": "1.3", "price_max_age_seconds": 3600},
    {
        "type": "set_risk_limits",
        "scope": "ETH/USDT",
        "liquidation_target": "1.3",
        "liquidation_execution": "external",
        "execution_time_limit_seconds": 60,
        "price_max_age_seconds": 3600,
    },
]


@pytest.mark.long
def test_lives_with_liquidation_targets_agree_with_the_model_and_leave_wallets_that_go_on() -> None:
    logs = [run(STEPS, seed, *TARGETS, drawing=StepsInPart).book.log for seed in (8, 10)]
    starts = [event for log in logs for event in log if isinstance(event, e.LiquidationStarted)]
    assert any(start.execute_by for start in starts)
    assert any(event.owed for log in logs for event in log if isinstance(event, e.LiquidationCompleted))
