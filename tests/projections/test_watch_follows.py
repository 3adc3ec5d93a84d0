"""On a real database: a watch that follows in pieces is one that is opened at their ends, and the exact loop."""

import random
from collections.abc import Iterator

import pytest

from ledger.events import AnyEvent
from ledger.postgres import Connection, connect
from projections.questions.levels import READS, candidates
from projections.runner import catch_up
from projections.tables import LIVE, work_in
from projections.watch.watch import Watch
from tests.databases import fresh_database
from tests.projections.logs import random_log, record


def log() -> tuple[AnyEvent, ...]:
    return random_log(2000, seed=11)


@pytest.fixture(scope="module")
def connection(server_url: str, template_database: str) -> Iterator[Connection]:
    """A random log, projected to its end."""
    with fresh_database(server_url, template_database) as url:
        record(url, log())
        catch_up(url, READS)
        with connect(url, autocommit=True) as connection:
            work_in(connection, LIVE)
            yield connection


@pytest.mark.parametrize("longest", [1, 5, 60])
def test_a_watch_that_follows_finds_at_every_stop_what_the_exact_loop_finds(
    connection: Connection, longest: int
) -> None:
    rng = random.Random(longest)
    watch, found, position = Watch.opened(connection, 0), 0, 0
    while position < len(log()):
        position = min(len(log()), position + rng.randint(1, longest))
        watch.follow(connection, position)
        exact = set(candidates(connection, position))
        assert set(watch.candidates()) == exact
        assert watch.position == position
        found += len(exact)
    assert found > 10, "a log without candidates shows nothing"


def test_a_watch_opened_anywhere_is_the_one_that_followed_there(connection: Connection) -> None:
    followed = Watch.opened(connection, 1)
    for position in range(1, len(log()) + 1, 23):
        opened = Watch.opened(connection, position)
        followed.follow(connection, position)
        assert set(opened.candidates()) == set(followed.candidates())
        assert (len(opened), opened.market) == (len(followed), followed.market)


def test_a_watch_goes_no_way_back(connection: Connection) -> None:
    watch = Watch.opened(connection, 20)
    with pytest.raises(ValueError, match="position 19 was asked for, the watch stands at 20"):
        watch.follow(connection, 19)
    watch.follow(connection, 20)
    assert watch.position == 20
