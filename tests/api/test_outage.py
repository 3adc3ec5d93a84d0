"""While the database is away every door says so, and afterwards all is as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.postgres import connect
from tests.api.house import House, deposit, open_account, open_house, opened_market, wait_until


@pytest.fixture
def troubled(database: str) -> Iterator[House]:
    with open_house(database, wait_seconds=2.0) as house:
        opened_market(house)
        house.send(open_account("alice"))
        house.get("/v1/market")
        yield house


@contextmanager
def database_away(url: str) -> Iterator[None]:
    """The database lets nobody in and throws out who is."""
    name = str(conninfo_to_dict(url)["dbname"])
    allow = sql.SQL("alter database {} allow_connections {}")
    with connect(make_conninfo(url, dbname="postgres"), autocommit=True) as connection:
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
        try:
            yield
        finally:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def test_a_lost_database_is_503_and_the_same_key_is_recorded_once_afterwards(troubled: House) -> None:
    end = troubled.log_end()
    with database_away(troubled.url):
        one = troubled.post(deposit("alice", "1", "d1"))
        several = troubled.post([deposit("alice", "1", "d1"), deposit("alice", "2", "d2")])
        health = troubled.http.get("/health")
    for answer in (one, several):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"]
    assert health.status_code == 503
    wait_until(lambda: troubled.post(deposit("alice", "1", "d1")).status_code == 200)
    wait_until(lambda: troubled.http.get("/health").status_code == 200)
    assert troubled.log_end() == end + 1
    assert troubled.get("/v1/accounts/alice").json()["spot"] == {"USDT": {"free": "1", "locked": "0"}}
