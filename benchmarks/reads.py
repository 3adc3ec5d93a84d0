"""What it costs that reads are logged: python -m benchmarks.reads [--rounds N] [--requests N] [--clients N].

The same question by the customer, whose own reads are not logged, and by an auditor, whose are: interleaved turns.
"""

import argparse
import json
import os
from statistics import median
from typing import NamedTuple

import uvloop

from api.keys import create_key
from api.roles import Role
from benchmarks.contenders.http import RUN_LEDGER, Server
from benchmarks.processes.child import Child
from benchmarks.processes.http_client import send_all
from benchmarks.server import benchmark_server, describe_host
from ledger import Ledger, parse_command
from ledger.postgres import connect
from projections.runner import catch_up

ACCOUNT = "reader"
COMMANDS = [
    {"type": "list_asset", "asset": "USDT", "scale": 8, "daily_interest_rate": "0", "idempotency_key": "usdt"},
    {"type": "open_account", "account_id": ACCOUNT},
    {"type": "deposit", "account_id": ACCOUNT, "asset": "USDT", "amount": "1000", "deposit_id": "d1"},
]
QUESTIONS = {"account": f"/v1/accounts/{ACCOUNT}", "pool": f"/v1/accounts/{ACCOUNT}/cross"}


class Load(NamedTuple):
    """How much is asked in a turn, by how many keep-alive clients, in how many rounds."""

    rounds: int
    requests: int
    clients: int


class Turn(NamedTuple):
    """The rate of one turn, the milliseconds of its median answer, and the server's processor time for all of it."""

    per_second: float
    p50_ms: float
    processor_seconds: float


class Api:
    """`ledger api` in a process of its own."""

    def __init__(self, url: str) -> None:
        environment = {"LEDGER_DATABASE_URL": url}
        self._child = Child("api", "--port", "0", code=RUN_LEDGER, takes_messages=False, environment=environment)
        self._server = Server(self._child)

    def turn(self, load: Load, path: str, key: str) -> Turn:
        """The same question so many times with one key."""
        assert self._server.port is not None
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        before = self._child.processor_seconds
        seconds, answered = uvloop.run(send_all(self._server.port, [request] * load.requests, load.clients))
        statuses = {one.status for one in answered}
        if statuses != {200}:
            raise RuntimeError(f"{path} was answered with {statuses}")
        taken = self._child.processor_seconds - before
        return Turn(load.requests / seconds, median(one.milliseconds for one in answered), taken)

    def close(self) -> None:
        self._server.close()


def main() -> None:
    """Runs the benchmark, and prints one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--requests", type=int, default=200)
    options.add_argument("--clients", type=int, default=16)
    print(json.dumps(run(Load(**vars(options.parse_args())))))


def run(load: Load) -> dict[str, object]:
    """The figures by question; all ratios are of what is logged by what is not."""
    with benchmark_server() as databases:
        url = databases.first
        with Ledger(url) as ledger:
            ledger.submit([parse_command(command) for command in COMMANDS], actor="admin:benchmark")
        catch_up(url)
        with connect(url, autocommit=True) as connection:
            own = create_key(connection, "own", Role.CUSTOMER, ACCOUNT)
            staff = create_key(connection, "staff", Role.AUDITOR)
        api = Api(url)
        try:
            measured = {name: _measured(api, load, path, own, staff) for name, path in QUESTIONS.items()}
        finally:
            api.close()
    return {**describe_host(), "load": os.getloadavg()[0], **measured}


def _measured(api: Api, load: Load, path: str, own: str, staff: str) -> dict[str, float]:
    turns = [(api.turn(load, path, own), api.turn(load, path, staff)) for _ in range(load.rounds + 1)]
    del turns[0]  # It warms up.
    processor = [sum(turn.processor_seconds for turn in kind) for kind in zip(*turns, strict=True)]
    return {
        "unlogged_per_second": round(median(unlogged.per_second for unlogged, _ in turns)),
        "logged_per_second": round(median(logged.per_second for _, logged in turns)),
        "rate_ratio": round(median(logged.per_second / unlogged.per_second for unlogged, logged in turns), 3),
        "p50_ratio": round(median(logged.p50_ms / unlogged.p50_ms for unlogged, logged in turns), 3),
        "processor_time_ratio": round(processor[1] / processor[0], 3),
    }


if __name__ == "__main__":
    main()
