"""The live projections: brought to the log's end from nothing, and how far behind it they are while it grows."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.driving import ACTOR
from benchmarks.market import QUOTE
from benchmarks.measuring import Wait, weighted_percentile
from benchmarks.processes.child import Child
from benchmarks.reading.log import SHORT, MadeLog
from benchmarks.reading.turn import ReadTurn
from benchmarks.screen import Told
from ledger import Ledger, Recorded, parse_command
from ledger.postgres import connect
from projections.catalogue import ALL
from projections.progress import standings
from projections.runner import run
from projections.snapshot import open_snapshot

SECONDS_BETWEEN_LOOKS = 0.5
# So that a command does not meet the projecting of the one before it, and none keeps step with anybody's polling.
PAUSES_SECONDS = (0.021, 0.034, 0.055)
PATIENCE_SECONDS = 60.0


def catch_up_live(log: MadeLog, told: Told) -> ReadTurn:
    """All live projections from nothing to the log's end, in a process of its own; then their statistics are made."""
    child = Child(log.url, "live", module="benchmarks.processes.projecting", takes_messages=False)
    try:
        with ThreadPoolExecutor(1) as hearing, connect(log.url, autocommit=True) as connection:
            heard = hearing.submit(child.hear)
            position = 0
            while not heard.done():
                before, position = position, min((one.position for one in standings(connection).values()), default=0)
                told(position - before)
                time.sleep(SECONDS_BETWEEN_LOOKS)
            told(log.events - position)
            # As autovacuum would have done meanwhile.
            connection.execute("analyze")
    finally:
        child.close()
    further = {"peak_resident_mb": heard.result()["peak_resident_mb"]}
    return ReadTurn(heard.result()["took"]["seconds"], log.events, further=further)


def measure_lag(log: MadeLog, asked: int, told: Told) -> dict[str, float]:
    """Milliseconds from a command's answer to the answer of a question that has it, one command at a time.

    The projections follow in a thread of this process, as in `ledger serve`.
    """
    with _following(log.url), Ledger(log.url) as ledger, connect(log.url) as connection:
        waits = []
        for number in range(asked):
            time.sleep(PAUSES_SECONDS[number % len(PAUSES_SECONDS)])
            position = _record(ledger, number)
            recorded_at = time.perf_counter()
            with open_snapshot(connection, min_position=position, timeout_seconds=PATIENCE_SECONDS, names=ALL):
                waits.append(Wait(1000 * (time.perf_counter() - recorded_at), 1))
            told(1)
    return {"p50": weighted_percentile(waits, 0.5), "p99": weighted_percentile(waits, 0.99)}


@contextmanager
def _following(url: str) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(url, stop), name="following")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _record(ledger: Ledger, number: int) -> int:
    named = {"account_id": SHORT, "asset": QUOTE, "amount": "1.00"}
    command = parse_command({"type": "deposit", **named, "idempotency_key": f"lag-{number}"})
    (outcome,) = ledger.submit([command], actor=ACTOR)
    assert isinstance(outcome, Recorded), outcome
    return outcome.events[-1].position
