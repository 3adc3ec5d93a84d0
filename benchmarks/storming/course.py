"""A storm from beginning to end: set up, quiet, one price vector, everybody liquidated, quiet again."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any

from api.risk_standing import read_engine
from benchmarks.processes.child import Child
from benchmarks.screen import Screen, Told
from benchmarks.server import benchmark_server
from benchmarks.stage import set_the_stage
from benchmarks.storming.customers import CLIENTS, Customers, percentile
from benchmarks.storming.population import CRASH, borrower, commands_of_storm
from benchmarks.watching.plan import RiskPlan
from benchmarks.watching.report import Section
from ledger import Ledger, Refused, parse_command
from ledger.events import LiquidationStarted
from ledger.log import log_end, read_log
from ledger.postgres import Connection, connect
from projections.runner import catch_up

QUIET_SECONDS, QUICK_QUIET_SECONDS = 10.0, 1.0
SETTLING_SECONDS = 2.0
"""How long the projections have to take in what came of the storm, which is part neither of it nor of quiet times."""
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 600.0
PAGE = 2_000
COMPLETED = """
select count(*), coalesce(max(notification_id), %(after)s) from events
where notification_id > %(after)s and topic = 'liquidation.completed'
"""
_RUN_LEDGER = "from api.cli import main; main()"


class StormFailed(RuntimeError):
    """Not everybody was liquidated once and in order, or a customer was refused: the figures are worth nothing."""


def measure_storm(plan: RiskPlan, screen: Screen) -> Section:
    """Wallets liquidated by one price vector: how fast, and what customers waited meanwhile.

    Three processes as in production: this one has the customers' writer, `ledger risk` and `ledger project` have their
    own. `storm_p99_ratio` is the p99 of commands sent in the storm over that of quiet times, before and after it.
    """
    with benchmark_server() as databases, ExitStack() as stack:
        url = databases.first
        ledger = stack.enter_context(Ledger(url))
        commands = list(commands_of_storm(plan.liquidations))
        set_the_stage(ledger, iter(commands), screen.step("storm: set-up", len(commands)))
        catch_up(url)
        for command in ("project", "risk"):
            stack.enter_context(_ledger_process(url, command))
        connection = stack.enter_context(connect(url, autocommit=True))
        _wait_for_engine(connection)
        quiet_seconds = QUICK_QUIET_SECONDS if plan.is_quick else QUIET_SECONDS
        told = screen.step("storm", plan.liquidations)
        return Section(_measure(ledger, connection, plan.liquidations, told, quiet_seconds), (), ())


@contextmanager
def _ledger_process(url: str, command: str) -> Iterator[None]:
    child = Child(command, code=_RUN_LEDGER, takes_messages=False, environment={"LEDGER_DATABASE_URL": url})
    try:
        yield
    finally:
        child.close()


def _wait_for_engine(connection: Connection) -> None:
    """Until the engine has seen everything that was set up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        engine = read_engine(connection)
        if engine.stand is not None and engine.stand.position >= log_end(connection).position:
            return
        time.sleep(POLL_SECONDS)
    raise StormFailed("the risk engine did not come to the log's end")


def _measure(
    ledger: Ledger, connection: Connection, liquidations: int, told: Told, quiet_seconds: float
) -> dict[str, Any]:
    with Customers(ledger).sending() as customers:
        time.sleep(quiet_seconds)
        marked_at = time.monotonic()
        position = _crash(ledger)
        _wait_until_all_are_liquidated(connection, position, liquidations, told)
        ended_at = time.monotonic()
        time.sleep(SETTLING_SECONDS)
        rested_at = time.monotonic()
        time.sleep(quiet_seconds)
    if customers.refused:
        raise StormFailed(f"a customer was refused: {customers.refused[0]}")
    require_order(connection, liquidations)
    stormy = customers.waits(marked_at, ended_at)
    quiet = sorted(customers.waits(0, marked_at) + customers.waits(rested_at, time.monotonic()))
    return {
        "storm_liquidations": liquidations,
        "storm_seconds": ended_at - marked_at,
        "storm_liquidations_per_second": liquidations / (ended_at - marked_at),
        "storm_p99_ratio": percentile(stormy, 0.99) / percentile(quiet, 0.99),
        "storm_p50_ratio": percentile(stormy, 0.5) / percentile(quiet, 0.5),
        "storm_customers": CLIENTS,
        "storm_customer_commands": len(stormy),
        "storm_p50_ms": percentile(stormy, 0.5),
        "storm_p99_ms": percentile(stormy, 0.99),
        "quiet_customer_commands": len(quiet),
        "quiet_p50_ms": percentile(quiet, 0.5),
        "quiet_p99_ms": percentile(quiet, 0.99),
    }


def _crash(ledger: Ledger) -> int:
    """Marks the prices at which everybody is liquidated; returns their position."""
    command = parse_command({"type": "mark_prices", "prices": CRASH, "source": "benchmark"})
    (outcome,) = ledger.submit([command], actor="benchmark")
    if isinstance(outcome, Refused):
        raise StormFailed(f"the prices were refused: {outcome.refusal.detail}")
    return outcome.position


def _wait_until_all_are_liquidated(connection: Connection, position: int, liquidations: int, told: Told) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    completed = 0
    while completed < liquidations:
        if time.monotonic() > deadline:
            raise StormFailed(f"only {completed} of {liquidations} wallets were liquidated")
        row = connection.execute(COMPLETED, {"after": position}).fetchone()
        assert row is not None
        more, position = row
        completed += more
        told(more)
        time.sleep(POLL_SECONDS)


def require_order(connection: Connection, liquidations: int) -> None:
    """Everybody once, most under water first, then by id."""
    started: list[tuple[Decimal, str]] = []
    position = 0
    while page := read_log(connection, position, PAGE):
        position = page[-1].position
        events = [one.event for one in page]
        started += [(Decimal(one.level or 0), one.account_id) for one in events if isinstance(one, LiquidationStarted)]
    if {account_id for _, account_id in started} != {borrower(number) for number in range(liquidations)}:
        raise StormFailed("not everybody was liquidated")
    if len(started) != liquidations or started != sorted(started):
        raise StormFailed("somebody was liquidated twice, or before his turn")
