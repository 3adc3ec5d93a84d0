"""Processes that tests start and kill, and waiting until something is so."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ledger.postgres import connect
from projections.catalogue import ALL
from projections.progress import Standing, standings
from projections.runner import run


def follower_process(url: str, names: Sequence[str] = ALL, batch_size: int = 60) -> subprocess.Popen[bytes]:
    """A process that runs projections, until somebody kills it."""
    return python("tests.projections.following_in_a_process", url, str(batch_size), *names)


def python(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.DEVNULL)


@contextmanager
def running(url: str, names: Sequence[str] = ALL, batch_size: int = 2000) -> Iterator[threading.Thread]:
    """Projections that run in a thread of this process."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(url, stop, names), kwargs={"batch_size": batch_size})
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def wait_until(holds: Callable[[], object], timeout_seconds: float = 30.0) -> None:
    """Returns as soon as it holds."""
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.02)


def standing_of(url: str, name: str) -> Standing:
    """Where a projection stands; at position 0 before it was started."""
    with connect(url) as connection:
        return standings(connection).get(name, Standing(0, "", None, None, None))
