"""All projections rebuilt from nothing, in a process of its own as `ledger rebuild` is one."""

from benchmarks.processes.child import Child
from benchmarks.reading.tables import checkpoint, count_rows
from benchmarks.reading.turn import ReadTurn
from benchmarks.screen import Screen

# How often on its way the resident size is kept.
SIZES_KEPT = 20


class Rebuild:
    """From the first table made to the last index; the copies stay for the COPY that follows."""

    name = "rebuild"

    def __init__(self, url: str, events: int, screen: Screen) -> None:
        self._url, self._events, self._screen = url, events, screen

    def turn(self) -> ReadTurn:
        checkpoint(self._url)
        told = self._screen.step("rebuilding", self._events)
        child = Child(self._url, "rebuild", module="benchmarks.processes.projecting", takes_messages=False)
        try:
            sizes: list[tuple[int, float]] = []
            while "took" not in (heard := child.hear()):
                told(heard["position"] - (sizes[-1][0] if sizes else 0))
                sizes.append((heard["position"], round(heard["resident_mb"], 1)))
        finally:
            child.close()
        took = heard["took"]
        further = {
            "indexing_seconds": took["indexing_seconds"],
            "rows_written": took["rows_written"],
            "peak_resident_mb": max([heard["peak_resident_mb"], *(size for _, size in sizes)]),
            "resident_mb_before": heard["resident_mb_before"],
            "resident_mb_on_the_way": _thinned(sizes),
        }
        return ReadTurn(took["seconds"], took["events"], count_rows(self._url, "rebuild"), further)


def _thinned(sizes: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The last of each twentieth, so that the very last is among them."""
    step = max(1, -(-len(sizes) // SIZES_KEPT))
    return sizes[::-1][::step][::-1]
