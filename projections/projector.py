"""What every projector is: a fold of the log into the tables of one question, a batch of events at a time.

A projection is a folder of `projections/` named after its question: `table.sql` (its tables, with names that are not
qualified, and after a line `-- indexes` its indexes), `projector.py` with one class that keeps this protocol, and
`queries.py`. What is live stands in the schema `projections`, a copy being rebuilt in `rebuild_NAME`; whoever runs a
projector has set the search path, so the same SQL serves both.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from ledger.log import RecordedEvent
from ledger.postgres import Connection
from projections.folding import Batch
from projections.writing import Writes

__all__ = ["Batch", "Connection", "Projector", "RecordedEvent", "Tables", "Writes"]


class Tables(Protocol):
    """The way to what a projection has written."""

    @property
    def connection(self) -> Connection:
        """Reads the projection's tables as all batches before this one left them; asked for, it waits for the last."""


class Projector(Protocol):
    """Turns events into the rows of one question; it decides nothing, and knows no other projection."""

    name: ClassVar[str]
    """The name of its folder, of its lock, and of its row in `projection_positions`."""

    tables: ClassVar[tuple[str, ...]]
    """Every table that its `table.sql` creates."""

    def project(self, batch: Batch, tables: Tables) -> Writes:
        """What `batch` (events in log order, next to those already projected) changes in the tables.

        It is written in the transaction that also moves the projection's position, so every batch counts exactly once.
        What is kept in memory may be taken as true only until `forget()` is called. Who can does without `tables`:
        the batch before is still being written, and to look waits for it.
        """

    def forget(self) -> None:
        """Drops all that is kept in memory: a batch was not written, or another process may have written since."""
