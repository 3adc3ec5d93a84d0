"""Databases for tests: a real server for a whole run, and fresh migrated databases copied from a template."""

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ledger.embedded import EmbeddedServer
from ledger.postgres import connect, migrate, read_migrations
from projections.progress import ensure_tables
from projections.tables import definition_of

TEMPLATE_LOCK = 4_712_026
MEMORY = Path("/dev/shm")
# A run has a few databases at a time, and a log of changes that is cut with each that is made.
ROOM_BYTES = 4 * 2**30
GUARDED = (
    *("events", "idempotency_keys", "seal_leaves", "seal_nodes", "checkpoints", "checkpoint_keys", "reads"),
    *("liabilities", "liability_leaves", "liability_nodes"),
)


def make_home(folder: Path | None = None) -> Path:
    """A new home folder for an embedded server that also the server's own user may enter."""
    home = Path(tempfile.mkdtemp(prefix="ledger-tests-", dir=folder))
    home.chmod(0o711)
    return home


def folder_in_memory() -> Path | None:
    """Where files never meet a disk, if a run has room there and could run programs; none elsewhere.

    A database of 380 files is made and dropped for most tests: on a disk that others use that took the kernel half a
    second of a processor for each, in memory a thirtieth of a second.
    """
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    folder = os.statvfs(MEMORY)
    room = min(folder.f_bavail * folder.f_frsize, available_memory())
    return MEMORY if room >= ROOM_BYTES and not folder.f_flag & os.ST_NOEXEC else None


def available_memory() -> int:
    """The bytes that programs can still have of the machine's memory, as Linux estimates them."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return next(int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:")


def remove_home(home: Path) -> None:
    """Stops the server that may still run in a home folder, and removes the folder."""
    EmbeddedServer(home).detach()
    shutil.rmtree(home, ignore_errors=True)


def forget_what_a_power_cut_would_take(server_url: str) -> None:
    """Lets a server that is removed after the run not wait for its disk; what is killed loses nothing all the same.

    Making a database for each test and dropping it writes checkpoints, which are most of what that costs.
    """
    with connect(server_url, autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")


def template_of_migrations(server_url: str, projections: Collection[str] = ()) -> str:
    """The name of a database on this server that has all migrations; the first to ask makes it.

    It also has the tables of these projections, as if somebody had started them and gone.
    """
    checksums = [migration.checksum for migration in read_migrations()]
    checksums += [definition_of(name).checksum for name in projections]
    name = f"ledger_template_{hashlib.sha256(''.join(checksums).encode()).hexdigest()[:12]}"
    with connect(server_url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        if connection.execute("select from pg_database where datname = %s", [name]).fetchone() is None:
            # It gets its name last, so that nobody believes one that was cut short.
            unfinished = f"{name}_{os.getpid()}"
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(unfinished)))
            migrate(url_of(server_url, unfinished))
            with connect(url_of(server_url, unfinished), autocommit=True) as inside:
                ensure_tables(inside, projections)
            renaming = sql.SQL("alter database {} rename to {}")
            connection.execute(renaming.format(sql.Identifier(unfinished), sql.Identifier(name)))
    return name


@contextmanager
def fresh_database(server_url: str, template: str) -> Iterator[str]:
    """The URL of a new database like the template; dropped at the end, whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    with connect(server_url, autocommit=True) as connection:
        # Page by page through the log of changes, as is usual, it takes three times as long.
        creation = sql.SQL("create database {} template {} strategy file_copy")
        connection.execute(creation.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield url_of(server_url, name)
    finally:
        with connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def url_of(server_url: str, database: str) -> str:
    """The same server's connection string for another of its databases."""
    return make_conninfo(server_url, dbname=database)


def answers(url: str) -> bool:
    """Whether a connection can be made now."""
    try:
        with connect(url, connect_timeout=5) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def unguard(connection: psycopg.Connection[Any]) -> None:
    """Switches off what refuses changes of the log, as only the owner of its tables can."""
    for table in GUARDED:
        connection.execute(sql.SQL("alter table {} disable trigger all").format(sql.Identifier(table)))
