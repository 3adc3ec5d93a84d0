"""A process that projects the whole log from nothing once, tells how far it is, and says what it took."""

import sys
import time
from collections.abc import Callable
from multiprocessing import active_children

from benchmarks.processes.child import answer
from benchmarks.server import peak_resident_mb, resident_mb
from ledger import collect_seldom
from ledger.log import log_end
from ledger.postgres import PROJECTIONS, connect
from projections.apart import build
from projections.catalogue import ALL
from projections.copying import Copy
from projections.runner import catch_up


def rebuild(url: str) -> dict[str, float]:
    """Every projection as `ledger rebuild` makes it, into schemas `rebuild_NAME`, which stay."""
    with (
        connect(url, role=PROJECTIONS, autocommit=True) as reader,
        connect(url, role=PROJECTIONS, autocommit=True) as writer,
    ):
        end = log_end(reader).position
        started = time.perf_counter()
        copies = [Copy.created(writer, name, f"rebuild_{name}") for name in ALL]
        folding = _Folding()
        build(url, reader, writer, copies, lambda: end, folding.tell)
        ended = time.perf_counter()
    return {
        "seconds": ended - started,
        "events": end,
        "indexing_seconds": ended - folding.until,
        "rows_written": sum(copy.rows for copy in copies),
    }


def live(url: str) -> dict[str, float]:
    """Every live projection as `ledger project` brings it to the log's end, its indexes kept all the way."""
    started = time.perf_counter()
    position = catch_up(url)
    return {"seconds": time.perf_counter() - started, "events": position}


WORK: dict[str, Callable[[str], dict[str, float]]] = {"rebuild": rebuild, "live": live}


def main(url: str, work: str) -> None:
    """Projects; the last line says what it took."""
    collect_seldom()
    before = resident_mb()
    took = WORK[work](url)
    answer({"took": took, "resident_mb_before": before, "peak_resident_mb": peak_resident_mb()})


class _Folding:
    """Tells how far the events are folded and how large all its processes are, and keeps when the last one was."""

    until = 0.0

    def tell(self, what: str, done: int, whole: int) -> None:  # noqa: ARG002
        if what == "events":
            self.until = time.perf_counter()
            answer({"position": done, "resident_mb": _resident_mb_of_all()})


def _resident_mb_of_all() -> float:
    """Of this process and those that it started."""
    return resident_mb() + sum(resident_mb(one.pid) for one in active_children() if one.pid)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
