"""PostgreSQL for the ledger: which server to use, connections to it, and the numbered migrations of its schema."""

import atexit
import hashlib
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.binaries import CannotStart as CannotStart
from ledger.embedded import EmbeddedServer

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, so long as every migrator takes the same one.
MIGRATION_LOCK = 4_712_025

Connection = psycopg.Connection[TupleRow]

SERVICE = "ledger_service"
"""The database role that records events and serves: it may add to the log and read it, never change it."""
PROJECTIONS = "ledger_projections"
"""The database role that projects: it may read the log, and has the projections' tables."""

SCHEMA_MIGRATIONS = b"""
create table if not exists schema_migrations (
    number     integer     not null constraint schema_migrations_number_is_applied_once primary key
                           constraint schema_migrations_number_is_positive check (number > 0),
    name       text        not null,
    applied_at timestamptz not null default now(),
    checksum   text        not null
)
"""


class Settings(BaseSettings):
    """Where the database is, from the environment: `LEDGER_DATABASE_URL` and `LEDGER_HOME`; empty means not set."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    database_url: str | None = None
    home: Path | None = None


class MigrationRefused(RuntimeError):
    """The schema and the migrations of this ledger do not belong together; the message says what to do."""


@dataclass(frozen=True)
class Migration:
    """One numbered file of statements; its checksum is the SHA-256 of its bytes, in hexadecimal digits."""

    number: int
    name: str
    statements: bytes

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.statements).hexdigest()


_embedded: dict[Path, EmbeddedServer] = {}
_embedded_lock = threading.Lock()


def database_url() -> str:
    """The libpq URL of the ledger's database: `LEDGER_DATABASE_URL`, else the embedded server's, started if need be.

    Every call makes sure that the embedded server runs, so a caller whose connection broke asks again. The server is
    let go when the process exits, and stops when no other process uses it. Refuses with CannotStart.
    """
    settings = Settings()
    if settings.database_url is not None:
        return settings.database_url
    home = settings.home or default_home()
    with _embedded_lock:
        if not _embedded:
            atexit.register(stop_embedded)
        return _embedded.setdefault(home, EmbeddedServer(home)).attach()


def stop_embedded() -> None:
    """Lets go of the embedded servers of this process; each stops when no other process uses it."""
    with _embedded_lock:
        while _embedded:
            _embedded.popitem()[1].detach()


def default_home() -> Path:
    """The embedded server's folder: the user's own data folder, or for root one that others may pass through.

    Where that cannot be written, as for a user without a home, it is a folder in the temporary directory, whose
    content does not outlive the machine's next start.
    """
    is_root = os.geteuid() == 0
    home = Path("/var/lib/margin-ledger") if is_root else Path("~/.local/share/margin-ledger").expanduser()
    # Unlike Path.exists, this takes a folder behind a closed one to be missing.
    nearest = next(folder for folder in (home, *home.parents) if os.path.exists(folder))
    if os.access(nearest, os.W_OK):
        return home
    return Path(tempfile.gettempdir()) / f"margin-ledger-{os.geteuid()}"


def connect(url: str, *, application_name: str = "ledger", role: str | None = None, **options: Any) -> Connection:
    """One connection to the database; `options` are psycopg's own, and the server shows the application's name.

    With a `role` the session works as that role from its first statement on, else as the user that logs in.
    """
    return psycopg.connect(url, application_name=application_name, **_as_role(url, role), **options)


def _as_role(url: str, role: str | None) -> dict[str, Any]:
    """The libpq option that makes a session start as a role, beside those that the URL states."""
    if role is None:
        return {}
    stated = conninfo_to_dict(url).get("options") or os.environ.get("PGOPTIONS") or ""
    return {"options": f"{stated} -c role={role}".strip()}


def open_pool(
    url: str,
    *,
    application_name: str = "ledger",
    role: str | None = None,
    min_size: int = 1,
    max_size: int = 8,
    timeout_seconds: float = 30.0,
    **options: Any,
) -> ConnectionPool[Connection]:
    """A pool of connections that is open and has its first ones; close it, or use it in a `with`.

    `timeout_seconds` bounds the wait for a connection, also for the first; psycopg_pool.PoolTimeout says it passed.
    `role` is as for `connect`; `options` are those of psycopg_pool.ConnectionPool.
    """
    settings = {"application_name": application_name, **_as_role(url, role), **options.pop("kwargs", {})}
    pool = ConnectionPool[Connection](
        url, min_size=min_size, max_size=max_size, timeout=timeout_seconds, kwargs=settings, open=False, **options
    )
    try:
        pool.open(wait=True, timeout=timeout_seconds)
    except BaseException:
        pool.close()
        raise
    return pool


def migrate(url: str, folder: Path = MIGRATIONS) -> list[int]:
    """Applies the migrations that the database lacks, all or none, and returns their numbers in order.

    Migrators that run at once wait for each other. Refuses with MigrationRefused: a file that was changed after it was
    applied, one numbered below what is applied, a database that is ahead of this ledger, and a user that lacks a right.
    """
    migrations = read_migrations(folder)
    with connect(url, application_name="ledger migrate") as connection:
        # Each statement must see what a migrator committed while this one waited for the lock.
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection.execute("select pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        pending = _pending(migrations, _applied(connection))
        try:
            if pending:
                connection.execute(SCHEMA_MIGRATIONS)
            for migration in pending:
                _apply(connection, migration)
        except psycopg.errors.InsufficientPrivilege as error:
            raise MigrationRefused(_who_may(error)) from error
    return [migration.number for migration in pending]


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations of a folder in order, from files named like `0001_events.sql`.

    Refuses with MigrationRefused: a name of another form, and numbers that are not 1, 2, 3 and so on.
    """
    migrations = []
    for expected, file in enumerate(sorted(folder.glob("*.sql")), start=1):
        number, _, name = file.stem.partition("_")
        if len(number) != 4 or not number.isdecimal() or not name or int(number) != expected:
            raise MigrationRefused(f"migration {file.name} must be named {expected:04}_NAME.sql: numbers have no gaps")
        migrations.append(Migration(expected, name, file.read_bytes()))
    return migrations


def _pending(migrations: list[Migration], applied: dict[int, str]) -> list[Migration]:
    last = max(applied, default=0)
    if last > len(migrations):
        raise MigrationRefused(
            f"the database has migration {last:04}, this ledger knows {len(migrations)}: install the newer ledger"
        )
    for migration in migrations[:last]:
        if applied.get(migration.number) != migration.checksum:
            raise MigrationRefused(
                f"migration {migration.number:04}_{migration.name} differs from what was applied to the database: "
                "restore the file and put the change into a new migration"
            )
    return migrations[last:]


def _applied(connection: Connection) -> dict[int, str]:
    """The checksums of what is applied, by number; asks for no right to make anything, which a service lacks."""
    if connection.execute("select to_regclass('schema_migrations')").fetchone() == (None,):
        return {}
    return dict(connection.execute("select number, checksum from schema_migrations order by number").fetchall())


def _who_may(error: psycopg.Error) -> str:
    """What the server says that is lacking, and what can be done: its own hint, else to migrate as another user."""
    said = error.diag.message_primary or str(error).strip()
    return f"{said}: {error.diag.message_hint or 'run `ledger migrate` as the user that owns the database'}"


def _apply(connection: Connection, migration: Migration) -> None:
    connection.execute(migration.statements)
    connection.execute(
        "insert into schema_migrations (number, name, checksum) values (%s, %s, %s)",
        [migration.number, migration.name, migration.checksum],
    )
