"""The demo's own database: beside the ledger's, dropped and made anew for every run."""

import psycopg
from psycopg import sql

from ledger.postgres import connect, migrate


class DatabaseRefused(RuntimeError):
    """The demo's database cannot be made; the message says why and what to do."""


def make_fresh(server_url: str, url: str, name: str) -> None:
    """Drops the database of that name and makes it anew with this ledger's schema; never one that is in use."""
    with connect(server_url, application_name="ledger demo", autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
            # What a demo recorded may be lost with the machine, and need not wait for its disk.
            connection.execute(sql.SQL("alter database {} set synchronous_commit to off").format(sql.Identifier(name)))
        except psycopg.errors.ObjectInUse as error:
            raise DatabaseRefused(
                f"database {name} is in use, perhaps by a demo that is still being served: stop that one first"
            ) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseRefused(
                f"the demo needs a database of its own, {name}, and this user may not make one "
                f"({error.diag.message_primary}): give it the right to create databases, or leave "
                "LEDGER_DATABASE_URL out to use the embedded server"
            ) from error
    migrate(url)
