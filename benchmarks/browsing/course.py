"""A whole run of the console's benchmark: the world, a server of its own, the visits."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from api.keys import create_key
from api.roles import Role
from benchmarks.browsing.addresses import BASELINE, Places, addresses_of
from benchmarks.browsing.plan import ConsolePlan
from benchmarks.browsing.processors import Processors, postmaster_of
from benchmarks.browsing.report import ConsoleReport
from benchmarks.browsing.visiting import Rounds, Visitor, visit_all
from benchmarks.browsing.world import World, world_of
from benchmarks.contenders.http import RUN_LEDGER, Server
from benchmarks.processes.child import Child
from benchmarks.screen import Screen
from benchmarks.server import describe_machine
from ledger import collect_seldom
from ledger.postgres import connect


def run(plan: ConsolePlan, screen: Screen) -> ConsoleReport:
    """Measure what the plan says."""
    started = time.monotonic()
    collect_seldom()
    with world_of(plan, screen) as world, _served(world) as (visitor, processors):
        machine = describe_machine(world.url)
        places = _places(visitor, world)
        addresses = {name: path for name, path in addresses_of(places).items() if plan.has(name)}
        baseline = BASELINE.format(world.log.short_account)
        visited = visit_all(visitor, processors, addresses, baseline, Rounds(plan.rounds, plan.asked), screen)
    return ConsoleReport(plan, machine, world.log, places.position, visited, time.monotonic() - started)


@contextmanager
def _served(world: World) -> Iterator[tuple[Visitor, Processors]]:
    """`ledger api` in a process of its own, and somebody signed in at its console."""
    with connect(world.url, autocommit=True) as connection:
        key = create_key(connection, f"benchmark-{secrets.token_hex(4)}", Role.ADMIN)
    environment = {"LEDGER_DATABASE_URL": world.url}
    child = Child("api", "--port", "0", code=RUN_LEDGER, takes_messages=False, environment=environment)
    server = Server(child)
    try:
        assert server.port is not None
        visitor = Visitor(server.port, key)
        yield visitor, Processors(child, postmaster_of(world.home))
        visitor.close()
    finally:
        server.close()


def _places(visitor: Visitor, world: World) -> Places:
    """What can be asked for, as the API tells it."""

    def asked(path: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(visitor.get(path)[1])
        return content

    position = asked("/health")["position"]
    liquidation = asked("/v1/liquidations?order=desc&limit=1")["liquidations"][0]
    call = asked("/v1/margin-calls?order=desc&limit=1")["margin_calls"][0]
    middle = asked(f"/v1/events/{position // 2}")["event"]
    story, called = liquidation["liquidation_id"], (call["account_id"], call["position"])
    return Places(world.log, position, story, called, middle["recorded_at"])
