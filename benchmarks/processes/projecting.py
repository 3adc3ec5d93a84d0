"""A process that projects the whole log from nothing once, tells how far it is, and says what it took."""

import sys
import time
from collections.abc import Callable

from benchmarks.processes.child import answer
from benchmarks.server import peak_resident_mb, resident_mb
from ledger import collect_seldom
from ledger.log import log_end
from ledger.postgres import connect
from projections.catalogue import ALL
from projections.copying import Copy, bring, feeding, index_all
from projections.runner import catch_up


def rebuild(url: str) -> dict[str, float]:
    """Every projection as `ledger rebuild` makes it, into schemas `rebuild_NAME`, which stay."""
    with connect(url, autocommit=True) as reader, connect(url, autocommit=True) as writer:
        end = log_end(reader).position
        started = time.perf_counter()
        copies = [Copy(writer, name, f"rebuild_{name}") for name in ALL]
        with feeding(reader, writer) as feeder:
            bring(feeder, copies, end, _tell)
            folded = time.perf_counter()
            index_all(copies, [writer, reader], lambda _: None)
        seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "events": end,
        "indexing_seconds": started + seconds - folded,
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


def _tell(position: int) -> None:
    answer({"position": position, "resident_mb": resident_mb()})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
