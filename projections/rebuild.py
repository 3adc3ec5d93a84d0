"""Rebuilds projections from nothing: new copies beside the live ones, compared with them, and put in their place."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import psycopg
from psycopg import sql

from ledger.log import log_end
from ledger.postgres import PROJECTIONS, Connection, connect
from projections import leadership
from projections.apart import build, end_left_over
from projections.catalogue import ALL, PROJECTORS
from projections.copying import BATCH_SIZE, Copy, bring, compare, feeding
from projections.feeding import Feeder
from projections.progress import standings
from projections.runner import ProjectionFailed, catch_up
from projections.snapshot import BEGIN
from projections.tables import LIVE, definition_of, drop_schema, work_in

SWAP_ATTEMPTS = 300
SWAP_PATIENCE_SECONDS = 1

Progress = Callable[[str, int, int], None]

logger = logging.getLogger("ledger.projections")


class RebuildRefused(RuntimeError):
    """The rebuild cannot be done now; the message says why."""


class RebuildReport(NamedTuple):
    """A rebuilt projection: the position at which the copies were compared, and how they differed there."""

    name: str
    position: int
    differences: int
    examples: list[str]


def rebuild(url: str, names: Sequence[str] = ALL, progress: Progress = lambda *_: None) -> list[RebuildReport]:
    """Rebuilds projections together, while the live copies stay live, and brings them to the log's end.

    `progress` is told what is being done (`events`, `indexes`, `swaps`), how far it is, and how far it has to go. What
    differed between the old copy and the new is reported and does not stop the swap. A rebuild that was killed left the
    live copy as it was; the next starts over. Refuses with RebuildRefused: another rebuild of the same projection is
    running, a reader does not end. Raises CopyFailed where an event cannot be taken.
    """
    application, names = f"ledger rebuild {os.getpid()}", list(dict.fromkeys(names))
    with ExitStack() as leaving:
        leading, reader, writer = (
            leaving.enter_context(connect(url, application_name=application, role=PROJECTIONS, autocommit=True))
            for _ in range(3)
        )
        for name in names:
            leaving.enter_context(_alone(leading, name))
        end_left_over(leading, names)
        _drop_left_over(leading, names)
        reports = _Rebuild(url, leading, reader, writer, names, progress).run()
    try:
        catch_up(url, names)
    except (ProjectionFailed, TimeoutError) as failure:
        # What was found and swapped is told all the same; `ledger status` tells the rest.
        logger.warning("rebuilt, but not brought to the log's end: %s", failure)
    return reports


@contextmanager
def _alone(connection: Connection, name: str) -> Iterator[None]:
    with leadership.alone(connection, leadership.REBUILDS, name) as granted:
        if not granted:
            raise RebuildRefused(f"another rebuild of projection {name} is running; wait for it to end")
        yield


def _drop_left_over(connection: Connection, names: Sequence[str]) -> None:
    """Drops the copies that a killed rebuild of other projections, or a killed verification, left."""
    for name in set(ALL).difference(names):
        with leadership.alone(connection, leadership.REBUILDS, name) as granted:
            if granted:
                drop_schema(connection, f"rebuild_{name}")
    with leadership.alone(connection, leadership.VERIFICATION, "verify") as granted:
        for name in ALL if granted else ():
            drop_schema(connection, f"verify_{name}")


def left_over(connection: Connection) -> list[str]:
    """The schemas of copies in which nobody works: a rebuild or a verification that was killed left them."""
    query = "select nspname from pg_namespace where nspname ~ '^(rebuild|verify)_' order by nspname"
    schemas = [name for (name,) in connection.execute(query)]
    # Asked after the schemas: whoever has made one holds its lock by then.
    rebuilding = leadership.held(connection, leadership.REBUILDS)
    is_verifying = bool(leadership.held(connection, leadership.VERIFICATION))
    working = {f"rebuild_{name}" for name in ALL if leadership.number_of(name) in rebuilding}
    return [name for name in schemas if name not in working and not (is_verifying and name.startswith("verify_"))]


class _Rebuild:
    """One rebuild: what is led and swapped over `connection`, read over `reader`, and written over `writer`."""

    def __init__(
        self,
        url: str,
        connection: Connection,
        reader: Connection,
        writer: Connection,
        names: Sequence[str],
        progress: Progress,
    ) -> None:
        self._url = url
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._names = names
        self._progress = progress

    def run(self) -> list[RebuildReport]:
        work_in(self._connection, LIVE)
        known = standings(self._connection)
        # Those that stand still are compared where they stand; all others go on together.
        standing: dict[int, list[str]] = {}
        for name in self._names:
            if name in known and known[name].obstacle(name) is not None:
                standing.setdefault(known[name].position, []).append(name)
        going = [name for name in self._names if not any(name in group for group in standing.values())]
        groups = [group for group in (going, *standing.values()) if group]
        return [report for group in groups for report in self._rebuild(group, is_live=group is going)]

    def _rebuild(self, names: Sequence[str], *, is_live: bool) -> Iterator[RebuildReport]:
        """Copies that are folded together, and swapped one after the other."""
        copies = [Copy.created(self._writer, name, f"rebuild_{name}") for name in names]
        build(self._url, self._reader, self._writer, copies, partial(self._target, copies), self._progress)
        with feeding(self._reader, self._writer) as feeder:
            self._follow(feeder, copies)
            while copies:
                if is_live and copies[0].name in standings(self._connection):
                    # Going along with others, a copy may have come further than its live one.
                    self._bring_live(copies[0].name)
                # What stands still may begin to go on at any time, each by itself.
                yield self._replace(feeder, copies if is_live else copies[:1])
                copies.pop(0)
                self._progress("swaps", len(names) - len(copies), len(names))

    def _follow(self, feeder: Feeder, copies: Sequence[Copy]) -> None:
        """Brings copies so near to the live ones that little is left to do while the live ones have to wait."""
        behind = BATCH_SIZE + 1
        while behind > BATCH_SIZE:
            target = self._target(copies)
            behind = target - copies[0].position
            bring(feeder, copies, target, partial(self._tell, "events", target))

    def _target(self, copies: Sequence[Copy]) -> int:
        """How far all copies can come without the first of them coming further than its live one."""
        return min(self._position_of_live(copy.name) for copy in copies)

    def _bring_live(self, name: str) -> None:
        try:
            catch_up(self._url, [name])
        except ProjectionFailed as failure:
            raise RebuildRefused(f"{failure}; it began to fail during the rebuild, run it again") from failure

    def _tell(self, what: str, whole: int, done: int) -> None:
        self._progress(what, done, whole)

    def _replace(self, feeder: Feeder, copies: Sequence[Copy]) -> RebuildReport:
        """Compares and swaps the first of the copies, with which the others go along."""
        report = self._compare(feeder, copies)
        for _ in range(SWAP_ATTEMPTS):
            if self._try_to_swap(feeder, copies, report.differences):
                logger.info("projection %s was rebuilt; at position %s, %s differences", *report[:3])
                return report
            time.sleep(SWAP_PATIENCE_SECONDS)
        raise RebuildRefused(
            f"projection {report.name} was not swapped: a question was being read all the time; run it again"
        )

    def _compare(self, feeder: Feeder, copies: Sequence[Copy]) -> RebuildReport:
        """Compares both copies in a snapshot of the moment in which they stood level; the live one goes on."""
        name, schema = copies[0].name, copies[0].schema
        if name not in standings(self._connection):
            told = f"projection {name} was never started: there was nothing to compare with"
            return RebuildReport(name, copies[0].position, 0, [told])
        with leadership.leading(self._connection, name):
            position = self._level(feeder, copies)
            self._reader.execute(BEGIN)
            standings(self._reader)  # The first query takes the snapshot.
        try:
            return RebuildReport(name, position, *compare(self._reader, name, schema))
        finally:
            self._reader.rollback()

    def _try_to_swap(self, feeder: Feeder, copies: Sequence[Copy], differences: int) -> bool:
        """Brings the copy level once more, and swaps; False where a reader did not make way in time."""
        name, schema = copies[0].name, copies[0].schema
        try:
            with self._connection.transaction():
                leadership.lead_until_commit(self._connection, name)
                position = self._level(feeder, copies)
                self._connection.execute(f"set local lock_timeout to '{SWAP_PATIENCE_SECONDS}s'")
                self._connection.execute("lock table projection_swaps in access exclusive mode")
                _swap(self._connection, name, schema, position, differences)
        except psycopg.errors.LockNotAvailable:
            return False
        return True

    def _level(self, feeder: Feeder, copies: Sequence[Copy]) -> int:
        """Brings the copies to where the first one's live copy stands, which waits there."""
        position = self._position_of_live(copies[0].name)
        bring(feeder, copies, position)
        if copies[0].position != position:
            raise RebuildRefused(
                f"the copy of {copies[0].name} stands at position {copies[0].position}, the live one at {position}: "
                "they cannot be compared; run it again"
            )
        return position

    def _position_of_live(self, name: str) -> int:
        """Where the live copy stands; the log's end where there is none, or where it claims to stand beyond."""
        standing = standings(self._connection).get(name)
        end = log_end(self._connection).position
        return end if standing is None else min(standing.position, end)


def _swap(connection: Connection, name: str, schema: str, position: int, differences: int) -> None:
    for table in PROJECTORS[name].tables:
        connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(LIVE, table)))
        moving = sql.SQL("alter table {} set schema {}")
        connection.execute(moving.format(sql.Identifier(schema, table), sql.Identifier(LIVE)))
    connection.execute(
        "insert into projection_positions (name, position, definition) values (%s, %s, %s)"
        " on conflict (name) do update set position = excluded.position, definition = excluded.definition,"
        " error = null, error_position = null, failed_at = null",
        [name, position, definition_of(name).checksum],
    )
    connection.execute(
        "insert into projection_swaps (name, position, differences) values (%s, %s, %s)", [name, position, differences]
    )
    drop_schema(connection, schema)
