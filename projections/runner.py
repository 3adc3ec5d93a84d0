"""Runs projections: feeds them the log's events in order and in batches, each batch exactly once, through failures."""

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from ledger.log import log_end
from ledger.postgres import PROJECTIONS, Connection, connect
from projections.catalogue import ALL
from projections.following import BATCH_SIZE, Follower
from projections.progress import ProjectionStatus as ProjectionStatus
from projections.progress import standings
from projections.progress import status as status

POLL_SECONDS = 0.25
FIRST_RECONNECT_SECONDS = 0.1
LAST_RECONNECT_SECONDS = 1.0
FAULT_PAUSE_SECONDS = 15.0

logger = logging.getLogger("ledger.projections")


class ProjectionFailed(RuntimeError):
    """A projection cannot go on; the message names the event and what went wrong."""


@contextmanager
def session(url: str) -> Iterator[Connection]:
    """A session that leads projections until it ends; a peer that is gone is noticed within half a minute."""
    keepalives = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 10}
    name = f"ledger projections {os.getpid()}"
    with connect(url, application_name=name, role=PROJECTIONS, autocommit=True, **keepalives) as connection:
        yield connection


@contextmanager
def following(url: str, names: Sequence[str], batch_size: int) -> Iterator[Follower]:
    """A follower with its two sessions; at its end everything that it projected is written."""
    with session(url) as connection, session(url) as writer:
        follower = Follower(connection, writer, names, batch_size)
        try:
            yield follower
        finally:
            follower.close()


def run(
    url: str,
    stop: threading.Event,
    names: Sequence[str] = ALL,
    *,
    batch_size: int = BATCH_SIZE,
    poll_seconds: float = POLL_SECONDS,
) -> None:
    """Runs projections until `stop` is set.

    What another process leads is waited for, and led from the moment that process dies. A projection that fails stands
    still alone, and is tried again from time to time. A connection that breaks is made anew, for ever.
    """
    pause = FIRST_RECONNECT_SECONDS
    while not stop.is_set():
        try:
            with following(url, names, batch_size) as follower:
                pause = FIRST_RECONNECT_SECONDS
                while not stop.is_set():
                    if not follower.step():
                        follower.wait(poll_seconds)
        except psycopg.Error as error:
            logger.warning("projections: %s; connecting again in %.1f s", str(error).strip(), pause)
            stop.wait(pause)
            pause = min(2 * pause, LAST_RECONNECT_SECONDS)
        except Exception:
            logger.exception("projections: unexpected; starting again in %.1f s", FAULT_PAUSE_SECONDS)
            stop.wait(FAULT_PAUSE_SECONDS)


def catch_up(
    url: str, names: Sequence[str] = ALL, *, batch_size: int = BATCH_SIZE, timeout_seconds: float = 3_600.0
) -> int:
    """Projects until these projections have everything recorded before the call; returns the least of their positions.

    What another process leads is waited for. Raises ProjectionFailed where one stands still, TimeoutError where one is
    not there in time.
    """
    deadline = time.monotonic() + timeout_seconds
    with session(url) as connection, following(url, names, batch_size) as follower:
        end = log_end(connection).position
        while time.monotonic() < deadline:
            moved = follower.step()
            least = least_position(connection, names)
            if least >= end:
                return least
            if not moved:
                follower.wait(POLL_SECONDS / 10)
    raise TimeoutError(f"the projections were not at position {end} within {timeout_seconds:.0f} s")


def least_position(connection: Connection, names: Sequence[str]) -> int:
    """The position that all of these projections have reached; ProjectionFailed where one stands still."""
    known = standings(connection)
    for name in names:
        obstacle = known[name].obstacle(name)
        if obstacle is not None:
            raise ProjectionFailed(obstacle)
    return min((known[name].position for name in names), default=0)
