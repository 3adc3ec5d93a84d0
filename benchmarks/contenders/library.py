"""The event-sourcing library alone: Application and save(), one event each, with every advantage a setting can give.

- Its cache holds every aggregate, and all are in it before the first turn: no turn reads one from the database.
- Fast-forward is off, so that a get is no query, and the copy of the aggregate that a get makes is off too; both are
  safe here, where no two threads share an aggregate.
- Its aggregate knows nothing but how to add a deposit: no key, no limit, no refusal, no second account.
- Its pool has a connection ready for each thread, and pings none before it is used.
- It is measured with one thread and with eight in every round; the better of both is what the Ledger is compared with.
"""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import islice
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from psycopg.conninfo import conninfo_to_dict

from benchmarks.measuring import Pace, Turn, Wait
from benchmarks.workload import Population
from benchmarks.zipf import draw_ranks

THREADS = 8
OPENED_AT_ONCE = 1_000
GUESSED_RATE = 500.0
AMOUNT = Decimal("100.00")


class Wallet(Aggregate):
    """An ordinary aggregate with a balance."""

    class Deposited(Aggregate.Event):
        amount: Decimal
        asset: str

        def apply(self, aggregate: Aggregate) -> None:
            assert isinstance(aggregate, Wallet)
            aggregate.balance += self.amount

    def __init__(self) -> None:
        self.balance = Decimal(0)

    def deposit(self, amount: Decimal, asset: str) -> None:
        """One deposit, one event."""
        self.trigger_event(self.Deposited, amount=amount, asset=asset)


class Library:
    """The library's application on a database of its own; it has as many aggregates as the Ledger has accounts."""

    def __init__(self, url: str, population: Population, told: Callable[[int], None]) -> None:
        self._population = population
        self._application: Application[UUID] = Application(_environment(url, len(population.names)))
        self._ids: list[UUID] = []
        while len(self._ids) < len(population.names):
            wallets = [Wallet() for _ in range(min(OPENED_AT_ONCE, len(population.names) - len(self._ids)))]
            self._application.save(*wallets)
            self._ids += [wallet.id for wallet in wallets]
            told(len(wallets))

    def ids(self, rng: random.Random, count: int, thread: int, threads: int) -> list[UUID]:
        """The aggregates that one thread deposits to: the same skewed choice, no aggregate of another thread."""
        ranks = islice(draw_ranks(rng, self._population.weights), count)
        return [self._ids[rank - rank % threads + thread] for rank in ranks]

    def deposit(self, wallet_id: UUID) -> None:
        """Get, trigger, save."""
        wallet: Wallet = self._application.repository.get(wallet_id)
        wallet.deposit(AMOUNT, "USDT")
        self._application.save(wallet)

    def close(self) -> None:
        self._application.close()


class LibraryThreads:
    """The library with so many threads."""

    def __init__(self, library: Library, threads: int) -> None:
        self.name = f"library_{threads}"
        self._library, self._threads = library, threads
        self._rng = random.Random(self.name)
        self._pace = Pace(GUESSED_RATE, threads)

    def turn(self, seconds: float) -> Turn:
        count = self._pace.commands(seconds) // self._threads
        shares = [self._library.ids(self._rng, count, thread, self._threads) for thread in range(self._threads)]
        ready = threading.Barrier(self._threads + 1)

        def deposit_all(wallet_ids: list[UUID]) -> list[Wait]:
            ready.wait()
            return [self._deposit(wallet_id) for wallet_id in wallet_ids]

        with ThreadPoolExecutor(self._threads) as pool:
            asked = [pool.submit(deposit_all, share) for share in shares]
            ready.wait()
            started = time.perf_counter()
            waits = [wait for share in asked for wait in share.result()]
            seconds = time.perf_counter() - started
        return self._pace.learn(Turn(len(waits), seconds, waits, rows=len(waits)))

    def close(self) -> None:
        """The application is closed by who made it."""

    def _deposit(self, wallet_id: UUID) -> Wait:
        asked_at = time.perf_counter()
        self._library.deposit(wallet_id)
        return Wait(1000 * (time.perf_counter() - asked_at), 1)


def server_environment(url: str) -> dict[str, str]:
    """The library's settings for a database, which makes its own tables there."""
    server = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(server["dbname"]),
        "POSTGRES_HOST": str(server["host"]),
        "POSTGRES_PORT": str(server["port"]),
        "POSTGRES_USER": str(server["user"]),
        "POSTGRES_PASSWORD": "",
        "POSTGRES_PRE_PING": "n",
        "CREATE_TABLE": "y",
    }


def _environment(url: str, aggregates: int) -> dict[str, str]:
    return {
        **server_environment(url),
        "POSTGRES_POOL_SIZE": str(THREADS),
        "POSTGRES_MAX_OVERFLOW": str(THREADS),
        "AGGREGATE_CACHE_MAXSIZE": str(aggregates),
        "AGGREGATE_CACHE_FASTFORWARD": "n",
        "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
    }
