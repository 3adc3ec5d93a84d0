"""Which database a command works on, and whether its schema is fit for this ledger."""

from contextvars import ContextVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.command_line.screen import Exit, stop
from ledger.postgres import Settings, connect, database_url, migrate, read_migrations

DEMO_DATABASE = "ledger_demo"
BACKTEST_DATABASE = "ledger_backtest"
works_on_demo: ContextVar[bool] = ContextVar("works_on_demo", default=False)
"""Set by `ledger --demo`."""
works_on_backtest: ContextVar[bool] = ContextVar("works_on_backtest", default=False)
"""Set by `ledger --backtest`."""


def server_url() -> str:
    """The connection string that LEDGER_DATABASE_URL states, else that of the embedded server, which it starts."""
    stated = Settings().database_url
    if stated is not None:
        try:
            conninfo_to_dict(stated)
        except psycopg.ProgrammingError as error:
            stop(f"LEDGER_DATABASE_URL is no connection string for PostgreSQL: {error}".strip(), Exit.USAGE)
    return database_url()


def url_of_database(url: str, name: str) -> str:
    """The same server's connection string for another of its databases."""
    return make_conninfo(url, dbname=name)


def chosen_url() -> str:
    """The database that this command works on: the demo's under `ledger --demo`, a kept backtest's, or the ledger's."""
    if works_on_demo.get():
        return url_of_database(server_url(), DEMO_DATABASE)
    return kept_backtest_url() if works_on_backtest.get() else server_url()


def kept_backtest_url() -> str:
    """The database of the backtest that was kept last; ends the command where none is."""
    with connect(server_url(), application_name="ledger command line") as connection:
        if connection.execute("select from pg_database where datname = %s", [BACKTEST_DATABASE]).fetchone() is None:
            stop("no backtest is kept: `ledger backtest --keep` with its other options keeps one")
    return url_of_database(server_url(), BACKTEST_DATABASE)


def migrated_url() -> str:
    """The chosen database, brought to this ledger's schema."""
    url = chosen_url()
    migrate(url)
    return url


def readable_url() -> str:
    """The chosen database as it is: who only reads changes no schema, except of the embedded server that is its own."""
    url = chosen_url()
    if Settings().database_url is None:
        migrate(url)
        return url
    missing = len(read_migrations()) - _applied(url)
    if missing:
        relation = f"lacks {missing} migrations of" if missing > 0 else f"is {-missing} migrations ahead of"
        stop(
            f"the database {relation} this ledger: {'run `ledger migrate`' if missing > 0 else 'install the newer one'}"
        )
    return url


def _applied(url: str) -> int:
    with connect(url, application_name="ledger command line") as connection:
        try:
            row = connection.execute("select coalesce(max(number), 0) from schema_migrations").fetchone()
        except psycopg.errors.UndefinedTable:
            return 0
        return row[0] if row else 0
