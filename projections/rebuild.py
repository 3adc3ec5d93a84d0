"""Rebuilds projections from nothing: a new copy beside the live one, compared with it, and put in its place."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import psycopg
from psycopg import sql

from ledger.log import log_end
from ledger.postgres import Connection, connect
from projections import leadership
from projections.catalogue import ALL, PROJECTORS
from projections.copying import BATCH_SIZE, Comparison, Copy, compare
from projections.progress import standings
from projections.runner import catch_up
from projections.tables import LIVE, definition_of, drop_schema, work_in

SWAP_ATTEMPTS = 300
SWAP_PATIENCE_SECONDS = 1

Progress = Callable[[str, int, int], None]

logger = logging.getLogger("ledger.projections")


class RebuildRefused(RuntimeError):
    """The rebuild cannot be done now; the message says why."""


class RebuildReport(NamedTuple):
    """A rebuilt projection: the position at which the copies were compared and swapped, and how they differed."""

    name: str
    position: int
    differences: int
    examples: list[str]


def rebuild(url: str, names: Sequence[str] = ALL, progress: Progress = lambda *_: None) -> list[RebuildReport]:
    """Rebuilds projections one after another, while the live copies stay live, and brings them to the log's end.

    `progress` is told the name, the position reached and the position to reach. What differed between the old copy and
    the new is reported and does not stop the swap. A rebuild that was killed left the live copy as it was; the next
    starts over. Refuses with RebuildRefused: another rebuild of the same projection is running, a reader does not end.
    """
    application = f"ledger rebuild {os.getpid()}"
    reports = []
    for name in names:
        with (
            connect(url, application_name=application, autocommit=True) as connection,
            leadership.alone(connection, leadership.REBUILDS, name) as granted,
        ):
            if not granted:
                raise RebuildRefused(f"another rebuild of projection {name} is running; wait for it to end")
            reports.append(_rebuild(connection, name, progress))
    catch_up(url, names)
    return reports


def _rebuild(connection: Connection, name: str, progress: Progress) -> RebuildReport:
    work_in(connection, LIVE)
    copy = Copy(connection, name, f"rebuild_{name}")
    _follow(connection, copy, progress)
    copy.index()
    _follow(connection, copy, progress)
    for _ in range(SWAP_ATTEMPTS):
        report = _try_to_swap(connection, copy)
        if report is not None:
            progress(name, report.position, report.position)
            logger.info("projection %s was rebuilt at position %s, %s differences", *report[:3])
            return report
        time.sleep(SWAP_PATIENCE_SECONDS)
    raise RebuildRefused(f"projection {name} was not swapped: a question was being read all the time; run it again")


def _follow(connection: Connection, copy: Copy, progress: Progress) -> None:
    """Brings a copy so near to the live one that little is left to do while the live one has to wait."""
    behind = BATCH_SIZE + 1
    while behind > BATCH_SIZE:
        target = _position_of_live(connection, copy.name)
        behind = target - copy.position
        copy.feed(target, partial(_tell, progress, copy.name, target))


def _tell(progress: Progress, name: str, target: int, position: int) -> None:
    progress(name, position, target)


def _position_of_live(connection: Connection, name: str) -> int:
    """Where the live copy stands; the log's end where there is none, or where it claims to stand beyond."""
    standing = standings(connection).get(name)
    end = log_end(connection).position
    return end if standing is None else min(standing.position, end)


def _try_to_swap(connection: Connection, copy: Copy) -> RebuildReport | None:
    """Compares and swaps in one transaction; None where a reader did not make way in time."""
    before = copy.position
    try:
        with connection.transaction():
            leadership.lead_until_commit(connection, copy.name)
            position = _position_of_live(connection, copy.name)
            copy.feed(position)
            compared = _compare_with_live(connection, copy)
            connection.execute(f"set local lock_timeout to '{SWAP_PATIENCE_SECONDS}s'")
            connection.execute("lock table projection_swaps in access exclusive mode")
            _swap(connection, copy.name, copy.schema, position, compared.differences)
    except psycopg.errors.LockNotAvailable:
        copy.went_back(before)
        return None
    return RebuildReport(copy.name, position, *compared)


def _compare_with_live(connection: Connection, copy: Copy) -> Comparison:
    if copy.name not in standings(connection):
        return Comparison(0, [f"projection {copy.name} was never started: there was nothing to compare with"])
    return compare(connection, copy.name, copy.schema)


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
