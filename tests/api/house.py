"""A whole house for tests: ledger, projections and HTTP doors on a real database, with a key of each role."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn

from api.app import create_app
from api.keys import Pool, create_key
from api.roles import Role
from api.streams.house import Streams
from api.web_server import Server
from ledger import Ledger
from ledger.log import log_end
from ledger.postgres import open_pool
from projections import runner

START_SECONDS = 20
NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass
class House:
    """The doors of a running house, and what stands behind them."""

    http: httpx.Client
    ledger: Ledger
    pool: Pool
    url: str
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, who: str) -> str:
        """The key of a role, or of the customer of an account; made when it is first asked for."""
        if who not in self.keys:
            with self.pool.connection() as connection:
                if who in list(Role):
                    self.keys[who] = create_key(connection, who, who)
                else:
                    self.keys[who] = create_key(connection, f"{who}-phone", Role.CUSTOMER, who)
        return self.keys[who]

    def ask(self, method: str, path: str, *, who: str = "admin", **options: Any) -> httpx.Response:
        """One request with the key of `who`."""
        headers = {"Authorization": f"Bearer {self.key(who)}", **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path: str, *, who: str = "admin", **options: Any) -> httpx.Response:
        return self.ask("GET", path, who=who, **options)

    def post(self, content: Any, *, who: str = "admin", **options: Any) -> httpx.Response:
        """Content to POST /v1/commands: what is no bytes is written as JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.ask("POST", "/v1/commands", who=who, content=body, **options)

    def send(self, *commands: dict[str, Any], who: str = "admin") -> list[dict[str, Any]]:
        """Commands that must all be recorded; their results."""
        answer = self.post(list(commands), who=who)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        assert all(result["status"] != "refused" for result in results), results
        return results

    def log_end(self) -> int:
        with self.pool.connection() as connection:
            return log_end(connection).position


@contextmanager
def open_house(url: str, *, projecting: bool = True, wait_seconds: float = 20.0) -> Iterator[House]:
    """A house on a migrated database; without `projecting` nobody runs the projections."""
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger(url))
        pool = stack.enter_context(open_pool(url, max_size=8))
        if projecting:
            stack.enter_context(_projections(url))
        address = stack.enter_context(_server(ledger, pool, wait_seconds))
        http = stack.enter_context(httpx.Client(base_url=address, timeout=60, trust_env=False))
        if projecting:
            wait_until(lambda: http.get("/health").status_code == 200)
        yield House(http, ledger, pool, url)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Returns when it is so, or after a while all the same: what follows finds out."""
    deadline = time.monotonic() + START_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)


@contextmanager
def _projections(url: str) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=runner.run, args=(url, stop), kwargs={"poll_seconds": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(START_SECONDS)


@contextmanager
def _server(ledger: Ledger, pool: Pool, wait_seconds: float) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    streams = Streams(pool)
    app = create_app(ledger, pool, streams, wait_seconds=wait_seconds)
    server = Server(uvicorn.Config(app, log_level="critical", access_log=False), streams)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listening.close()


def opened_market(house: House, effective_at: str | None = None) -> None:
    """USDT, BTC and ETH, two pairs at 10x and 5x, and prices of that time."""
    house.send(
        {"type": "list_asset", "asset": "USDT", "scale": 8, "daily_interest_rate": "0.00024", "idempotency_key": "l1"},
        {"type": "list_asset", "asset": "BTC", "scale": 8, "daily_interest_rate": "0.0001", "idempotency_key": "l2"},
        {"type": "list_asset", "asset": "ETH", "scale": 8, "daily_interest_rate": "0.0001", "idempotency_key": "l3"},
        {"type": "list_pair", "pair": "BTC/USDT", "price_scale": 2, "max_leverage": "10", "idempotency_key": "p1"},
        {"type": "list_pair", "pair": "ETH/USDT", "price_scale": 2, "max_leverage": "5", "idempotency_key": "p2"},
    )
    house.send(
        *(
            {
                "type": "set_risk_limits",
                "scope": scope,
                "price_max_age_seconds": 86_400,
                "idempotency_key": f"age-{scope}",
            }
            for scope in ("cross", "BTC/USDT", "ETH/USDT")
        )
    )
    prices = {"type": "mark_prices", "prices": {"BTC/USDT": "50000", "ETH/USDT": "2000"}, "source": "test"}
    house.send(prices if effective_at is None else {**prices, "effective_at": effective_at})


def deposit(account_id: str, amount: str, deposit_id: str, asset: str = "USDT") -> dict[str, Any]:
    """A deposit as clients send it."""
    return {
        "type": "deposit",
        "account_id": account_id,
        "asset": asset,
        "amount": amount,
        "deposit_id": deposit_id,
    }


def open_account(account_id: str) -> dict[str, Any]:
    return {"type": "open_account", "account_id": account_id, "idempotency_key": f"open-{account_id}"}
