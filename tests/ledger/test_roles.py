"""What each role of the database may do to the log, found out by trying."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ledger import Recorded
from ledger.postgres import PROJECTIONS, SERVICE, MigrationRefused, connect, migrate
from projections.catalogue import ALL
from projections.progress import ensure_tables
from projections.rebuild import rebuild
from projections.runner import catch_up
from projections.verify import verify
from tests.databases import GUARDED
from tests.ledger.submitting import ask_one, depositing, open_ledger

CHANGES = ["update {} set {} = {}", "delete from {}", "truncate {}"]
COLUMNS = {
    "events": "topic",
    "idempotency_keys": "key",
    "seal_leaves": "hashes",
    "seal_nodes": "hash",
    "checkpoints": "note",
    "checkpoint_keys": "key_id",
    "reads": "purpose",
    "liabilities": "note",
    "liability_leaves": "leaves",
    "liability_nodes": "node",
}
EVENT = "insert into events values (%s, 1, now(), 'alice', 'account.opened', '{}')"


@pytest.fixture
def login(unprojected_database: str) -> Iterator[str]:
    """The URL of a user that may work as the service and owns nothing, as a deployment would give it."""
    name = f"login_{uuid.uuid4().hex[:12]}"
    with connect(unprojected_database, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login in role ledger_service").format(sql.Identifier(name)))
    yield make_conninfo(unprojected_database, user=name)
    with connect(unprojected_database, autocommit=True) as connection:
        connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(name)))


def change_of(statement: str, table: str) -> bytes:
    return statement.format(table, COLUMNS[table], COLUMNS[table]).encode()


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.parametrize("role", [SERVICE, PROJECTIONS])
def test_no_role_may_change_what_is_recorded(database: str, role: str, table: str, statement: str) -> None:
    with (
        connect(database, role=role) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"table {table}"),
    ):
        connection.execute(change_of(statement, table))


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("table", GUARDED)
def test_the_owner_is_refused_too_also_as_a_replica(database: str, table: str, statement: str) -> None:
    with connect(database, autocommit=True) as connection:
        for replication in ("origin", "replica"):
            connection.execute(f"set session_replication_role to {replication}".encode())
            with pytest.raises(psycopg.errors.RestrictViolation, match=f"{table} is append-only"):
                connection.execute(change_of(statement, table))


def test_the_service_may_insert_events_and_projections_may_only_read_them(database: str) -> None:
    with connect(database, role=SERVICE) as connection:
        connection.execute(EVENT, [1])
    with connect(database, role=PROJECTIONS) as connection:
        assert connection.execute("select count(*) from events").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(EVENT, [2])


@pytest.mark.parametrize(
    "statement",
    [
        "alter table events disable trigger all",
        "drop trigger events_are_never_changed on events",
        "create or replace function refuse_change() returns trigger language plpgsql as 'begin return null; end'",
        "set session_replication_role to replica",
        "drop table events",
        "create table more (number integer)",
        "update api_keys set role = 'admin'",
        "create schema elsewhere",
    ],
)
def test_a_login_of_the_service_cannot_free_itself(login: str, statement: str) -> None:
    with (
        connect(login, role=SERVICE, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_a_login_that_owns_nothing_can_do_all_the_work(login: str) -> None:
    assert migrate(login) == []
    with open_ledger(login) as ledger:
        assert isinstance(ask_one(ledger, depositing("10", "d1")), Recorded)
    catch_up(login)
    assert [report.differences for report in rebuild(login, ["balances"])] == [0]
    assert verify(login).differences == []


def test_tables_of_projections_belong_to_their_role_whoever_made_them(unprojected_database: str) -> None:
    with connect(unprojected_database, autocommit=True) as connection:
        ensure_tables(connection, ALL)
        owners = connection.execute("select distinct tableowner from pg_tables where schemaname = 'projections'")
        assert owners.fetchall() == [(PROJECTIONS,)]
        assert connection.execute("select current_user = session_user").fetchone() == (True,)


def test_who_may_not_make_the_roles_is_told_what_to_do(empty_database: str) -> None:
    name = f"owner_{uuid.uuid4().hex[:12]}"
    database = psycopg.conninfo.conninfo_to_dict(empty_database)["dbname"]
    with connect(empty_database, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
        owning = sql.SQL("alter database {} owner to {}")
        connection.execute(owning.format(sql.Identifier(str(database)), sql.Identifier(name)))
    try:
        with pytest.raises(
            MigrationRefused, match=f"user {name} may not make the roles .* grant ledger_service to {name}"
        ):
            migrate(make_conninfo(empty_database, user=name))
        with connect(empty_database, autocommit=True) as connection:
            connection.execute(sql.SQL("grant ledger_service to {}").format(sql.Identifier(name)))
        assert migrate(make_conninfo(empty_database, user=name))[-1] >= 8
        with open_ledger(make_conninfo(empty_database, user=name)) as ledger:
            assert isinstance(ask_one(ledger, depositing("10", "d1")), Recorded)
    finally:
        with connect(empty_database, autocommit=True) as connection:
            connection.execute(sql.SQL("reassign owned by {} to current_user").format(sql.Identifier(name)))
            connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(name)))
