"""The own database of a demo or a backtest: beside the ledger's, dropped and made anew for every run."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import psycopg
from psycopg import sql

from ledger.postgres import Connection, connect, migrate

# Connections of a demo that has just ended may be closing; PostgreSQL itself would wait for them for five seconds.
CLOSING_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 0.05
SESSIONS = "select count(*) from pg_stat_activity where datname = %s and usesysid is not null"


class DatabaseRefused(RuntimeError):
    """The demo's database cannot be made; the message says why and what to do."""


@contextmanager
def demo_turn(server_url: str, name: str) -> Iterator[None]:
    """While it plays, a demo has the database of that name to itself; DatabaseRefused where another one plays."""
    with connect(server_url, application_name="ledger demo", autocommit=True) as connection:
        row = connection.execute("select pg_try_advisory_lock(hashtext(%s))", [name]).fetchone()
        if row is None or not row[0]:
            raise in_use(name)
        yield


def in_use(name: str) -> DatabaseRefused:
    return DatabaseRefused(
        f"database {name} is in use, perhaps by a demo that is still playing or serving, or a backtest: stop it first"
    )


def make_fresh(server_url: str, url: str, name: str) -> None:
    """Drops the database of that name and makes it anew with this ledger's schema; never one that is in use."""
    with connect(server_url, application_name="ledger demo", autocommit=True) as connection:
        _require_unused(connection, name)
        try:
            connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
            # What a demo recorded may be lost with the machine, and need not wait for its disk.
            connection.execute(sql.SQL("alter database {} set synchronous_commit to off").format(sql.Identifier(name)))
        except psycopg.errors.ObjectInUse as error:
            raise in_use(name) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseRefused(
                f"this needs a database of its own, {name}, and this user may not make one "
                f"({error.diag.message_primary}): give it the right to create databases, or leave "
                "LEDGER_DATABASE_URL out to use the embedded server"
            ) from error
    migrate(url)


def drop(server_url: str, name: str) -> None:
    """Drops the database of that name, whose turn the caller has; sessions that are still closing are ended."""
    with connect(server_url, application_name="ledger demo", autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _require_unused(connection: Connection, name: str) -> None:
    until = monotonic() + CLOSING_SECONDS
    while connection.execute(SESSIONS, [name]).fetchone() != (0,):
        if monotonic() >= until:
            raise in_use(name)
        sleep(LOOK_AGAIN_SECONDS)
