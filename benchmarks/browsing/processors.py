"""Processor time of the server and of PostgreSQL, which the load of a shared machine changes less than waits."""

import os
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes.child import Child, processor_seconds

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
QUIET_SECONDS, PATIENCE_SECONDS = 0.15, 120.0


class Processors(NamedTuple):
    """The process that answers, and the one that has started all of PostgreSQL's."""

    server: Child
    database: int

    def seconds(self) -> tuple[float, float]:
        """What the server has taken so far, and what PostgreSQL has, with those of its processes that have ended."""
        others = (int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit())
        own = [one for one in others if _parent_of(one) == self.database]
        database = processor_seconds(self.database, with_ended=True) + sum(map(_seconds_of, own))
        return self.server.processor_seconds, database

    def wait_until_idle(self) -> None:
        """Until what the server goes on with after its answer is done: it takes no more than a tick for a while."""
        before, deadline = sum(self.seconds()), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(QUIET_SECONDS)
            before, earlier = sum(self.seconds()), before
            if before - earlier <= TICK_SECONDS:
                return


def postmaster_of(home: Path) -> int:
    """The first process of the embedded PostgreSQL in a folder."""
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def _parent_of(process: int) -> int | None:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _seconds_of(process: int) -> float:
    try:
        return processor_seconds(process)
    except OSError:
        return 0.0
