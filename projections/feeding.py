"""Feeding batches of the log to projections: each is folded once for all, and written while the next one is folded."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from ledger.log import RecordedEvent
from ledger.postgres import Connection
from projections.folding import Batch, Fold
from projections.halves import Half
from projections.projector import Projector, Writes


class Fed(ABC):
    """A projection that is fed: its projector has taken the log up to `position`, if all that is being written is."""

    def __init__(self, name: str, projector: Projector, position: int) -> None:
        self.name = name
        self.projector = projector
        self.position = position

    @abstractmethod
    def enter(self, connection: Connection) -> None:
        """Has the connection work in the schema of its tables."""

    def prepare(self, writes: Writes) -> None:
        """Completes what a batch changes, before it is handed over to be written."""
        writes.put_current()

    @abstractmethod
    def write(self, connection: Connection, writes: Writes, before: int, last: int) -> None:
        """Writes one batch, in one transaction; in a thread beside the others."""

    def written(self, last: int) -> None:  # noqa: B027 -- not everyone wants to know
        """Told when a batch was written; in the thread that feeds."""

    @abstractmethod
    def failed(self, error: Exception, events: int, last: int) -> None:
        """Told when a batch was not taken; its position is that before the batch, its projector has forgotten all."""


class _Work(NamedTuple):
    fed: Fed
    writes: Writes
    before: int
    last: int
    events: int


class _Tables:
    """A projector's way to its tables: it waits until what was handed over is written."""

    def __init__(self, feeder: "Feeder", fed: Fed) -> None:
        self._feeder = feeder
        self._fed = fed

    @property
    def connection(self) -> Connection:
        self._feeder.settle()
        self._fed.enter(self._feeder.writer)
        return self._feeder.writer


class Feeder:
    """Folds in the caller's thread, over `reader`, and writes in a thread of its own, over `writer`.

    With a `half` it is fed the events of that half of the accounts only.
    """

    def __init__(self, reader: Connection, writer: Connection, half: Half | None = None) -> None:
        self.reader = reader
        self.writer = writer
        self.half = half
        self._folds: dict[int, Fold] = {}
        self._executor = ThreadPoolExecutor(1, "projecting")
        self._writing: Future[list[tuple[_Work, Exception | None]]] | None = None

    def feed(self, group: Sequence[Fed], events: Sequence[RecordedEvent], last: int | None = None) -> None:
        """Takes events next to where all of the group stand, those of a half up to the position `last`.

        Returns while they are being written.
        """
        start = group[0].position
        fold = self._folds.pop(start, None) or Fold(self.reader, start)
        batch = Batch(events, fold, last, self.half)
        works = [work for fed in group if (work := self._project(fed, batch, start)) is not None]
        if fold.position == batch.last and not batch.has_failed and batch.last not in self._folds:
            self._folds[batch.last] = fold
        else:
            # It is of no more use, or the group has come to where others stand, whose fold goes on.
            fold.close()
        self.settle()
        # A batch is of no use where the one before it was not written.
        works = [work for work in works if work.fed.position == work.last]
        self._writing = self._executor.submit(self._write, works)

    def settle(self) -> None:
        """Waits until everything handed over is written; tells those whose batch was not. Raises a lost connection."""
        writing, self._writing = self._writing, None
        if writing is None:
            return
        for work, error in writing.result():
            if error is None:
                work.fed.written(work.last)
                continue
            if self.writer.closed or self.reader.closed:
                raise error
            self._fail(work.fed, work.before, error, work.events, work.last)

    def keep_folds(self, positions: set[int]) -> None:
        """Drops the folds that nobody stands at."""
        for position in self._folds.keys() - positions:
            self._folds.pop(position).close()

    def close(self) -> None:
        """Waits for what is being written, and ends."""
        self._executor.shutdown()
        self.keep_folds(set())

    def _project(self, fed: Fed, batch: Batch, start: int) -> _Work | None:
        if fed.position != start:
            return None
        try:
            writes = fed.projector.project(batch, _Tables(self, fed))
            fed.prepare(writes)
        except Exception as error:
            if self.writer.closed or self.reader.closed:
                raise
            # What is being written is told of first: else its success would be taken for this one's.
            self.settle()
            if fed.position == start:
                self._fail(fed, start, error, len(batch.events), batch.last)
            else:
                fed.projector.forget()
            return None
        if fed.position != start:
            # To look into its tables it had to wait, and learned that the batch before was not written.
            fed.projector.forget()
            return None
        fed.position = batch.last
        return _Work(fed, writes, start, batch.last, len(batch.events))

    def _write(self, works: Sequence[_Work]) -> list[tuple[_Work, Exception | None]]:
        return [(work, self._failure(work)) for work in works]

    def _failure(self, work: _Work) -> Exception | None:
        """Writes one batch of one projection; why it was not written, None where it was."""
        try:
            work.fed.write(self.writer, work.writes, work.before, work.last)
        except Exception as error:
            return error
        return None

    def _fail(self, fed: Fed, before: int, error: Exception, events: int, last: int) -> None:
        fed.projector.forget()
        fed.position = before
        fed.failed(error, events, last)
