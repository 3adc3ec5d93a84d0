"""Two halves of the accounts, each taken by itself, leave together what one process leaves; none goes on alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing import Pipe

import pytest

from ledger.log import read_half, read_log
from ledger.postgres import PROJECTIONS, connect
from projections import copying
from projections.catalogue import ALL
from projections.copying import Comparison, Copy, bring, compare, feeding
from projections.halves import Half, OtherHalfGone
from projections.runner import catch_up
from tests.projections.logs import random_log, recorded_log


@pytest.fixture
def halves() -> Iterator[tuple[Half, Half]]:
    with ExitStack() as leaving:
        pipes = [leaving.enter_context(pipe) for pipe in Pipe()]
        yield Half(0, pipes[0]), Half(1, pipes[1])


def fill(url: str, half: Half, kept_accounts: int) -> None:
    """One half's part of all copies, batch by batch, with what is current gathered at the end."""
    with ExitStack() as leaving:
        reader, writer = (leaving.enter_context(connect(url, autocommit=True, role=PROJECTIONS)) for _ in range(2))
        feeder = leaving.enter_context(feeding(reader, writer, half))
        copies = [Copy(name, f"halved_{name}", half.number) for name in ALL]
        for copy in copies:
            copy.is_filling = True
            if hasattr(copy.projector, "_kept"):
                copy.projector._kept._limit = kept_accounts
        bring(feeder, copies, len(random_log()))
        for copy in copies:
            copy.gather(writer)


@pytest.mark.parametrize(("batch_size", "kept_accounts"), [(4, 50_000), (150, 1)])
def test_two_halves_leave_row_by_row_what_one_process_leaves(
    database: str, halves: tuple[Half, Half], monkeypatch: pytest.MonkeyPatch, batch_size: int, kept_accounts: int
) -> None:
    """Whatever a batch holds: also no event of a half, or more accounts than are kept."""
    recorded_log(database)
    catch_up(database)
    monkeypatch.setattr(copying, "BATCH_SIZE", batch_size)
    with connect(database, autocommit=True, role=PROJECTIONS) as connection:
        copies = [Copy.created(connection, name, f"halved_{name}") for name in ALL]
        with ThreadPoolExecutor(2) as executor:
            for done in [executor.submit(fill, database, half, kept_accounts) for half in halves]:
                done.result()
        for copy in copies:
            copy.index(connection)
            assert (copy.name, compare(connection, copy.name, copy.schema)) == (copy.name, Comparison(0, []))


def test_each_event_is_of_one_half(database: str) -> None:
    recorded_log(database)
    with connect(database) as connection:
        first, second = (read_half(connection, 100, 900, half) for half in (0, 1))
        assert sorted(first + second) == read_log(connection, 100, 800)
    streams = [{one.event.account_id for one in half} for half in (first, second)]
    assert all(streams)
    assert not streams[0] & streams[1]


def test_each_half_hears_what_the_other_says_of_the_same(halves: tuple[Half, Half]) -> None:
    # More than a pipe holds, so that two that speak at once would wait for ever.
    rows = ["x" * 1_000_000, "y" * 1_000_000]
    with ThreadPoolExecutor(2) as executor:
        heard = [executor.submit(half.exchange, ("sums", 10), [row]) for half, row in zip(halves, rows, strict=True)]
        assert [one.result(30) for one in heard] == [[rows[1]], [rows[0]]]


def test_a_half_does_not_go_on_where_the_other_is_elsewhere_or_gone(halves: tuple[Half, Half]) -> None:
    with ThreadPoolExecutor(2) as executor:
        asked = [executor.submit(half.exchange, (f"sums of {half.number}", 10), ["0"]) for half in halves]
        for one in asked:
            with pytest.raises(OtherHalfGone):
                one.result(30)
    halves[0]._pipe.close()
    with pytest.raises(OtherHalfGone):
        halves[1].exchange(("sums", 10), [])
