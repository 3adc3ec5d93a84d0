"""Customers who send a command, wait for its answer, pause and send the next, and how long each of them waited."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from benchmarks.market import QUOTE
from benchmarks.storming.population import CUSTOMERS, customer
from ledger import Ledger, Refused, parse_command

CLIENTS = 8
PAUSE_SECONDS = 0.02


class Sent(NamedTuple):
    """A command: when it was sent by the machine's monotonic clock, and how long its answer took."""

    at: float
    milliseconds: float


class Customers:
    """Each client sends deposits to accounts of its own, over the writer of this process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._stop = threading.Event()
        self.sent: list[Sent] = []
        self.refused: list[str] = []

    @contextmanager
    def sending(self) -> Iterator["Customers"]:
        """They send while it lasts."""
        threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def waits(self, since: float, until: float) -> list[float]:
        """The milliseconds of the commands that were sent between two times, in order of length."""
        return sorted(one.milliseconds for one in self.sent if since <= one.at <= until)

    def _send(self, client: int) -> None:
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            account_id = customer((client + CLIENTS * number) % CUSTOMERS)
            asked = {"type": "deposit", "account_id": account_id, "asset": QUOTE, "amount": "1"}
            command = parse_command({**asked, "deposit_id": f"{client}-{number}"})
            at = time.monotonic()
            (outcome,) = self._ledger.submit([command], actor=f"customer:{client}")
            self.sent.append(Sent(at, 1000 * (time.monotonic() - at)))
            if isinstance(outcome, Refused):
                self.refused.append(outcome.refusal.detail)
            number += 1


def percentile(waits: list[float], share: float) -> float:
    """The wait that at least this share did not pass; of waits in order of length."""
    if not waits:
        raise ValueError("nobody waited, so there is no percentile")
    return waits[min(len(waits) - 1, int(share * len(waits)))]
