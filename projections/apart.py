"""Builds copies from nothing, of a long log in two processes side by side, each with its half of the accounts.

To fold events and to put rows into text takes Python longer than PostgreSQL takes to write them, and one process of
Python works on one core. The indexes are made by who waits for the two.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait

import psycopg

from ledger.postgres import PROJECTIONS, Connection, connect
from projections import leadership
from projections.copying import BATCH_SIZE, Copy, CopyFailed, bring, feeding, index_all
from projections.feeding import Feeder
from projections.halves import Half, OtherHalfGone

FROM_EVENTS = 50_000
"""A shorter log is folded before a process has started."""

HALVES = 2

Progress = Callable[[str, int, int], None]
"""Told what is being done (`events`, `indexes`), how far it is, and how far it has to go."""


class BuilderEnded(RuntimeError):
    """A process that builds copies ended, or could not go on; the message says why."""


def build(
    url: str, reader: Connection, writer: Connection, copies: Sequence[Copy], target: Callable[[], int], tell: Progress
) -> None:
    """Has copies that were just created take the log up to a target, which may move meanwhile; then makes the indexes.

    Raises CopyFailed where an event cannot be taken, BuilderEnded where a process was killed.
    """
    with ExitStack() as leaving:
        work: _Here | _Apart
        if target() < FROM_EVENTS:
            work = _Here(leaving.enter_context(feeding(reader, writer)), copies)
        else:
            work = leaving.enter_context(_apart(url, [reader, writer], copies))
        behind = BATCH_SIZE + 1
        while behind > BATCH_SIZE:
            until = target()
            behind = until - copies[0].position
            work.bring(until, partial(_tell, tell, "events", until))
        work.index(partial(_tell, tell, "indexes", len(copies)))


def _tell(tell: Progress, what: str, whole: int, done: int) -> None:
    tell(what, done, whole)


def end_left_over(connection: Connection, names: Sequence[str]) -> None:
    """Ends what processes of a killed rebuild still write; for who is alone with the rebuilds of these projections."""
    for half in range(HALVES):
        leadership.end_holders(connection, leadership.BUILDERS, [_held(name, half) for name in names])


def _held(name: str, half: int) -> str:
    """Under what name a process holds a half of a projection."""
    return f"{name}/{half}"


class _Here:
    """The work of one process."""

    def __init__(self, feeder: Feeder, copies: Sequence[Copy]) -> None:
        self._feeder, self.copies = feeder, copies
        for copy in copies:
            copy.is_filling = True

    def bring(self, until: int, tell: Callable[[int], None]) -> None:
        bring(self._feeder, self.copies, until, tell)

    def gather(self) -> None:
        """Has what is current gathered of the states."""
        self._feeder.settle()
        for copy in self.copies:
            copy.gather(self._feeder.writer)

    def index(self, tell: Callable[[int], None]) -> None:
        index_all(self.copies, [self._feeder.writer, self._feeder.reader], tell)


class _Apart:
    """The work of two processes, from the one that waits for them."""

    def __init__(
        self, builders: Sequence["_Builder"], connections: Sequence[Connection], copies: Sequence[Copy]
    ) -> None:
        self._builders, self._connections, self.copies = builders, connections, copies

    def bring(self, until: int, tell: Callable[[int], None]) -> None:
        self._have_done(("bring", until), lambda: tell(min(one.far for one in self._builders)))
        for copy in self.copies:
            copy.position = until

    def index(self, tell: Callable[[int], None]) -> None:
        self._have_done(("gather", 0), lambda: None)
        for copy, *rows in zip(self.copies, *(one.rows for one in self._builders), strict=True):
            copy.rows = sum(rows)
        index_all(self.copies, self._connections, tell)

    def _have_done(self, what: tuple[str, int], tell: Callable[[], None]) -> None:
        for builder in self._builders:
            builder.ask(what)
        working = {id(builder.pipe): builder for builder in self._builders}
        while working:
            for pipe in wait([builder.pipe for builder in working.values()]):
                if working[id(pipe)].hear():
                    del working[id(pipe)]
            tell()


@contextmanager
def _apart(url: str, connections: Sequence[Connection], copies: Sequence[Copy]) -> Iterator[_Apart]:
    context = get_context("spawn")
    named, between = [(copy.name, copy.schema) for copy in copies], context.Pipe()
    builders = [_Builder(url, named, half, pipe) for half, pipe in enumerate(between)]
    # Only the processes hold it now, so that one learns that the other is gone.
    for pipe in between:
        pipe.close()
    try:
        yield _Apart(builders, connections, copies)
    finally:
        for builder in builders:
            builder.end()


class _Builder:
    """A process with half of the accounts; `far` is how far it is, `rows` how many it wrote of each copy."""

    def __init__(self, url: str, named: Sequence[tuple[str, str]], half: int, other: Pipe) -> None:
        self.far = 0
        self.rows: list[int] = []
        self._half = half
        # A process of its own from the start: one that is forked would share the sessions of this one.
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(url, named, half, other, theirs), daemon=True)
        self._process.start()
        # Only the process holds it now, so that the pipe ends with it.
        theirs.close()

    def ask(self, what: tuple[str, int]) -> None:
        with suppress(BrokenPipeError):  # To hear it tells why.
            self.pipe.send(what)

    def hear(self) -> bool:
        """Takes what it says next; True where it has done what it was asked."""
        try:
            said = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            told = f"the process of half {self._half + 1} of the accounts ended with {self._process.exitcode}"
            raise BuilderEnded(told) from None
        if isinstance(said, Exception):
            raise said
        if isinstance(said, int):
            self.far = said
            return False
        self.rows = said
        return True

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self.pipe.close()


def _work(url: str, named: Sequence[tuple[str, str]], half: int, other: Pipe, pipe: Pipe) -> None:
    """What the process does until nobody asks it any more: who started it has done so, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with suppress(EOFError, BrokenPipeError), _alone(url, named, Half(half, other)) as here:
            # Whoever started this one may be gone, and a later rebuild have begun before the locks were held.
            pipe.send(0)
            while True:
                what, until = pipe.recv()
                if what == "bring":
                    here.bring(until, pipe.send)
                else:
                    here.gather()
                pipe.send([copy.rows for copy in here.copies])
    except OtherHalfGone:
        # The other process tells why, or its end does; this one waits until it is ended too.
        with suppress(EOFError, BrokenPipeError):
            pipe.recv()
    except Exception as error:
        is_known = isinstance(error, CopyFailed | psycopg.Error)
        with suppress(BrokenPipeError):
            # Not every error can be sent as it is.
            pipe.send(error if is_known else BuilderEnded(f"{type(error).__name__}: {error}"))


@contextmanager
def _alone(url: str, named: Sequence[tuple[str, str]], half: Half) -> Iterator[_Here]:
    """Held until what was written is committed: a later rebuild finds it by these locks."""
    with (
        connect(url, application_name="ledger rebuild, a half", role=PROJECTIONS, autocommit=True) as reader,
        connect(url, application_name="ledger rebuild, a half", role=PROJECTIONS, autocommit=True) as writer,
        ExitStack() as holding,
    ):
        for name, _ in named:
            if not holding.enter_context(leadership.alone(writer, leadership.BUILDERS, _held(name, half.number))):
                raise BuilderEnded(f"another process builds half {half.number + 1} of {name}")
        feeder = holding.enter_context(feeding(reader, writer, half))
        yield _Here(feeder, [Copy(name, schema, half.number) for name, schema in named])
