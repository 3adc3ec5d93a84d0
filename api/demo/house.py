"""The product as the demo runs it: the ledger's writer and the projections in this process, on a fresh database."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from api.keys import Pool
from api.risk import Examiner
from ledger import Ledger
from ledger.commands import Command
from ledger.log import read_log
from ledger.outcomes import Outcome
from ledger.postgres import SERVICE, open_pool
from projections.liquidations.queries import margin_calls
from projections.runner import catch_up, run
from projections.snapshot import Snapshot, open_snapshot

ACTOR = "demo"
WAIT_SECONDS = 60.0
MOST_CALLS = 100_000
BATCH = 5_000


class RunningHouse:
    """Takes commands, and does after each price vector what the loop of `ledger serve` does."""

    def __init__(self, ledger: Ledger, pool: Pool, actor: str = ACTOR) -> None:
        self._ledger = ledger
        self._pool = pool
        self._actor = actor
        self._examiner = Examiner(ledger, pool, wait_seconds=WAIT_SECONDS)
        self._seen = 0

    def submit(self, commands: Sequence[Command], correlation_id: str | None = None) -> list[Outcome]:
        """Has commands recorded; who states the id of the request records the same in every run."""
        return self._ledger.submit(commands, actor=self._actor, correlation_id=correlation_id)

    def examine(self) -> list[str]:
        """Charges interest and examines; returns the accounts that were called."""
        if not self._examiner.step():
            return []
        with self.look() as snapshot:
            calls = margin_calls(snapshot.connection, snapshot.position, after=self._seen, limit=MOST_CALLS)
            self._seen = snapshot.position
        return [call["account_id"] for call in calls]

    def topics(self) -> Counter[str]:
        """How many events of each kind the log holds."""
        counts: Counter[str] = Counter()
        position = 0
        with self._pool.connection() as connection:
            while batch := read_log(connection, position, BATCH):
                counts.update(one.event.TOPIC for one in batch)
                position = batch[-1].position
        return counts

    @contextmanager
    def look(self) -> Iterator[Snapshot]:
        """Everything recorded so far, as the projections have it."""
        with open_snapshot(self._pool, timeout_seconds=WAIT_SECONDS) as snapshot:
            yield snapshot


@contextmanager
def running_house(url: str, actor: str = ACTOR) -> Iterator[RunningHouse]:
    """A writer, the projections and a few connections, all stopped at the end."""
    stop = threading.Event()
    catch_up(url)
    projecting = threading.Thread(target=run, args=(url, stop), name="projections", daemon=True)
    with Ledger(url) as ledger, open_pool(url, application_name="ledger demo", role=SERVICE, max_size=4) as pool:
        projecting.start()
        try:
            yield RunningHouse(ledger, pool, actor)
        finally:
            stop.set()
            projecting.join(WAIT_SECONDS)
