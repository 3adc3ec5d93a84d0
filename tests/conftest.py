"""One PostgreSQL server for a whole test run, shared by all workers, and a fresh database for each test that asks."""

import os
from collections.abc import Iterator
from itertools import compress
from operator import not_
from pathlib import Path

import pytest

from ledger.postgres import Settings, database_url, stop_embedded
from projections.catalogue import ALL
from tests.databases import (
    folder_in_memory,
    forget_what_a_power_cut_would_take,
    fresh_database,
    make_home,
    remove_home,
    template_of_migrations,
)

RUN_HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Gives the run its own home folder, so that no test ever touches the data of whoever runs it."""
    if is_worker(config):
        return  # Workers inherit the folder's name through the environment.
    config.stash[RUN_HOME] = make_home(folder_in_memory())
    os.environ["LEDGER_HOME"] = str(config.stash[RUN_HOME])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops the server of the run, also where a worker was killed."""
    if not is_worker(config):
        stop_embedded()
        remove_home(config.stash[RUN_HOME])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than processors: tests that kill, follow or wait for processes leave theirs idle."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Has each worker begin with its share of the long tests, so that none of them is left alone at the end."""
    if not is_worker(config):
        return
    is_long = [item.get_closest_marker("long") is not None for item in items]
    long, short = list(compress(items, is_long)), list(compress(items, map(not_, is_long)))
    dealt: list[pytest.Item] = []
    for workers in range(config.workerinput["workercount"], 0, -1):  # type: ignore[attr-defined]
        # As many as --dist worksteal gives it at the start.
        share = (len(long) + len(short)) // workers
        of_long = min(share, -(-len(long) // workers))
        of_short = share - of_long
        dealt += long[:of_long] + short[:of_short]
        del long[:of_long], short[:of_short]
    items[:] = dealt


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of the processes that xdist started."""
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The run's server: the one that LEDGER_DATABASE_URL names, else an embedded one."""
    url = database_url()
    if Settings().database_url is None:
        forget_what_a_power_cut_would_take(url)
    yield url
    stop_embedded()


@pytest.fixture(scope="session")
def template_database(server_url: str) -> str:
    """The name of a migrated database that fresh ones are copied from; the projections' tables are made, and empty.

    To make them takes longer than all else that a fresh database does.
    """
    return template_of_migrations(server_url, ALL)


@pytest.fixture
def database(server_url: str, template_database: str) -> Iterator[str]:
    """The URL of a fresh migrated database of this test's own."""
    with fresh_database(server_url, template_database) as url:
        yield url


@pytest.fixture
def unprojected_database(server_url: str) -> Iterator[str]:
    """The URL of a fresh migrated database of this test's own, whose projections were never started."""
    with fresh_database(server_url, template_of_migrations(server_url)) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(server_url: str, template_database: str) -> Iterator[str]:
    """The URL of a fresh migrated database that the tests of one module share."""
    with fresh_database(server_url, template_database) as url:
        yield url


@pytest.fixture
def empty_database(server_url: str) -> Iterator[str]:
    """The URL of a fresh database without any migration."""
    with fresh_database(server_url, "template0") as url:
        yield url
