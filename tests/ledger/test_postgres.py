"""Migrations are applied once, in order, all or none; connections and settings are what they say."""

import threading
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from ledger.postgres import MigrationRefused, Settings, connect, database_url, default_home, migrate, open_pool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations, the second of which needs the first."""
    (tmp_path / "0001_numbers.sql").write_text("create table numbers (number integer); insert into numbers values (1);")
    (tmp_path / "0002_more_numbers.sql").write_text("insert into numbers select number + 1 from numbers;")
    return tmp_path


def numbers(url: str) -> list[int]:
    """What the migrations of `folder` wrote."""
    with connect(url) as connection:
        return [row[0] for row in connection.execute("select number from numbers order by number").fetchall()]


def tables(url: str) -> set[str]:
    """The names of all tables of the ledger's schema."""
    with connect(url) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    return {row[0] for row in rows}


def test_migrations_are_applied_in_order_and_recorded(empty_database: str, folder: Path) -> None:
    assert migrate(empty_database, folder) == [1, 2]
    assert numbers(empty_database) == [1, 2]
    with connect(empty_database) as connection:
        rows = connection.execute("select number, name, length(checksum) from schema_migrations").fetchall()
    assert rows == [(1, "numbers", 64), (2, "more_numbers", 64)]


def test_migrations_that_are_applied_are_not_applied_again(empty_database: str, folder: Path) -> None:
    migrate(empty_database, folder)
    assert migrate(empty_database, folder) == []
    (folder / "0003_third.sql").write_text("insert into numbers values (3)")
    assert migrate(empty_database, folder) == [3]
    assert numbers(empty_database) == [1, 2, 3]


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: str, folder: Path) -> None:
    (folder / "0003_broken.sql").write_text("insert into numbers values (3); insert into nowhere values (1);")
    with pytest.raises(psycopg.errors.UndefinedTable, match="nowhere"):
        migrate(empty_database, folder)
    assert tables(empty_database) == set()


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(empty_database: str, folder: Path) -> None:
    migrate(empty_database, folder)
    (folder / "0001_numbers.sql").write_text("create table numbers (number bigint)")
    (folder / "0003_third.sql").write_text("insert into numbers values (3)")
    with pytest.raises(MigrationRefused, match="0001_numbers differs from what was applied"):
        migrate(empty_database, folder)
    assert numbers(empty_database) == [1, 2]


def test_a_database_that_is_ahead_of_the_ledger_is_refused(empty_database: str, folder: Path) -> None:
    migrate(empty_database, folder)
    (folder / "0002_more_numbers.sql").unlink()
    with pytest.raises(MigrationRefused, match="has migration 0002, this ledger knows 1"):
        migrate(empty_database, folder)


@pytest.mark.parametrize("name", ["0004_gap.sql", "0002_same_number.sql", "3_short.sql", "0003.sql", "000x_word.sql"])
def test_a_migration_with_a_wrong_number_is_refused(empty_database: str, folder: Path, name: str) -> None:
    (folder / name).write_text("select 1")
    with pytest.raises(MigrationRefused, match="must be named"):
        migrate(empty_database, folder)
    assert tables(empty_database) == set()


def test_migrators_that_run_at_once_apply_everything_once(empty_database: str, folder: Path) -> None:
    (folder / "0003_slow.sql").write_text("select pg_sleep(0.2)")
    results: list[list[int]] = []
    threads = [threading.Thread(target=lambda: results.append(migrate(empty_database, folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [[], [], [], [1, 2, 3]]
    assert numbers(empty_database) == [1, 2]


def test_a_fresh_database_has_every_migration_of_the_ledger(database: str) -> None:
    assert migrate(database) == []


def test_databases_of_two_tests_have_nothing_in_common(database: str, empty_database: str) -> None:
    with connect(database) as connection:
        connection.execute("create table only_here (number integer)")
    assert "only_here" not in tables(empty_database)


def test_a_connection_says_which_part_of_the_ledger_it_serves(empty_database: str) -> None:
    with connect(empty_database, application_name="ledger projections") as connection:
        assert connection.execute("show application_name").fetchone() == ("ledger projections",)


def test_a_pool_gives_connections_and_its_parts_have_the_same_name(empty_database: str) -> None:
    with open_pool(empty_database, application_name="ledger api", max_size=2) as pool, pool.connection() as connection:
        assert connection.execute("show application_name").fetchone() == ("ledger api",)


def test_a_pool_without_a_server_says_so_within_its_time(tmp_path: Path) -> None:
    with pytest.raises(PoolTimeout):
        open_pool(f"host={tmp_path} dbname=ledger", timeout_seconds=0.2)


def test_a_named_server_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgresql://somewhere/else")
    assert database_url() == "postgresql://somewhere/else"


def test_an_empty_setting_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", "")
    assert Settings().database_url is None


def test_the_default_home_is_one_that_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert default_home().name.startswith("margin-ledger-")
