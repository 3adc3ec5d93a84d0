"""Builds copies from nothing, of a long log in two processes side by side, each with its part of the projections.

To fold events and to put rows into text takes Python longer than PostgreSQL takes to write them, and one process of
Python works on one core. Each of the two folds all accounts for its part of the projections.
"""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
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

FROM_EVENTS = 50_000
"""A shorter log is folded before a process has started."""

LIGHT = 2
COSTS: Mapping[str, int] = {"journal": 17, "accounts": 11, "balances": 7, "audit_trail": 5, "margin_levels": 5}
"""What an event of mixed work costs a projection, in microseconds of Python, of those that cost more than LIGHT.

They only say which projections go together, which changes nothing that is written.
"""

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
            work = leaving.enter_context(_apart(url, copies))
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
    leadership.end_holders(connection, leadership.BUILDERS, names)


def parts(copies: Sequence[Copy]) -> list[list[Copy]]:
    """The copies in two parts that cost about the same."""
    found: list[list[Copy]] = [[], []]
    for copy in sorted(copies, key=lambda one: -_cost(one)):
        min(found, key=lambda part: sum(map(_cost, part))).append(copy)
    return [part for part in found if part]


def _cost(copy: Copy) -> int:
    return COSTS.get(copy.name, LIGHT)


class _Here:
    """The work of one process."""

    def __init__(self, feeder: Feeder, copies: Sequence[Copy]) -> None:
        self._feeder, self.copies = feeder, copies
        for copy in copies:
            copy.is_filling = True

    def bring(self, until: int, tell: Callable[[int], None]) -> None:
        bring(self._feeder, self.copies, until, tell)

    def index(self, tell: Callable[[int], None]) -> None:
        index_all(self.copies, [self._feeder.writer, self._feeder.reader], tell)


class _Apart:
    """The work of two processes, from the one that waits for them."""

    def __init__(self, builders: Sequence["_Builder"]) -> None:
        self._builders = builders

    def bring(self, until: int, tell: Callable[[int], None]) -> None:
        self._have_done(("bring", until), lambda: tell(min(one.far for one in self._builders)))
        for builder in self._builders:
            for copy in builder.copies:
                copy.position = until

    def index(self, tell: Callable[[int], None]) -> None:
        for builder in self._builders:
            builder.far = 0
        self._have_done(("index", 0), lambda: tell(sum(one.far for one in self._builders)))

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
def _apart(url: str, copies: Sequence[Copy]) -> Iterator[_Apart]:
    builders = [_Builder(url, part) for part in parts(copies)]
    try:
        yield _Apart(builders)
    finally:
        for builder in builders:
            builder.end()


class _Builder:
    """A process with a part of the copies; `far` is how far it is with what it does."""

    def __init__(self, url: str, copies: Sequence[Copy]) -> None:
        self.copies, self.far = copies, 0
        # A process of its own from the start: one that is forked would share the sessions of this one.
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        named = [(copy.name, copy.schema) for copy in copies]
        self._process = context.Process(target=_work, args=(url, named, theirs), daemon=True)
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
            names = ", ".join(copy.name for copy in self.copies)
            raise BuilderEnded(f"the process that built {names} ended with {self._process.exitcode}") from None
        if isinstance(said, Exception):
            raise said
        if isinstance(said, int):
            self.far = said
            return False
        for copy, rows in zip(self.copies, said, strict=True):
            copy.rows = rows
        return True

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self.pipe.close()


def _work(url: str, named: Sequence[tuple[str, str]], pipe: Pipe) -> None:
    """What the process does until nobody asks it any more: who started it has done so, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with suppress(EOFError, BrokenPipeError), _alone(url, named) as here:
            # Whoever started this one may be gone, and a later rebuild have begun before the locks were held.
            pipe.send(0)
            while True:
                what, until = pipe.recv()
                if what == "bring":
                    here.bring(until, pipe.send)
                else:
                    here.index(pipe.send)
                pipe.send([copy.rows for copy in here.copies])
    except Exception as error:
        is_known = isinstance(error, CopyFailed | psycopg.Error)
        with suppress(BrokenPipeError):
            # Not every error can be sent as it is.
            pipe.send(error if is_known else BuilderEnded(f"{type(error).__name__}: {error}"))


@contextmanager
def _alone(url: str, named: Sequence[tuple[str, str]]) -> Iterator[_Here]:
    """Held until what was written is committed: a later rebuild finds it by these locks."""
    with (
        connect(url, application_name="ledger rebuild, a part", role=PROJECTIONS, autocommit=True) as reader,
        connect(url, application_name="ledger rebuild, a part", role=PROJECTIONS, autocommit=True) as writer,
        ExitStack() as holding,
    ):
        for name, _ in named:
            if not holding.enter_context(leadership.alone(writer, leadership.BUILDERS, name)):
                raise BuilderEnded(f"another process builds {name}")
        feeder = holding.enter_context(feeding(reader, writer))
        yield _Here(feeder, [Copy(name, schema) for name, schema in named])
