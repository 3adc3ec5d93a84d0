"""Feeding: a batch is written while the next is folded, and nobody goes on from what was not written."""

import gc
import time
from collections.abc import Sequence
from contextlib import suppress

import psycopg
import pytest

from ledger.events import AnyEvent
from ledger.log import read_log
from ledger.postgres import Connection, connect
from projections import feeding
from projections.copying import Copy
from projections.copying import feeding as feeding_copies
from projections.feeding import Feeder
from projections.folding import Fold
from projections.following import Follower, Led
from projections.loans.projector import LoansProjector
from projections.projector import Batch, Tables, Writes
from projections.runner import catch_up, session
from tests.projections.logs import random_log, record, recorded_log
from tests.projections.processes import standing_of

TEMPORARY = "select count(*) from pg_class where relname like 'folded_accounts_%' and relkind = 'r'"


class Watched(Copy):
    """A copy that cannot be written from a position on, and keeps what it was told."""

    bad_from = 0

    def __init__(self, name: str, schema: str) -> None:
        super().__init__(name, schema)
        self.told: list[tuple[str, int, int]] = []

    def write(self, connection: Connection, writes: Writes, before: int, last: int) -> None:
        if before >= self.bad_from:
            raise ValueError("the real cause")
        super().write(connection, writes, before, last)

    def failed(self, error: Exception, events: int, last: int) -> None:
        self.told.append((f"{type(error).__name__}: {error}", events, self.position))


@pytest.mark.parametrize("next_events", [1, 5, 13, 29])
def test_only_the_batch_that_was_not_written_is_told_of(
    database: str, monkeypatch: pytest.MonkeyPatch, next_events: int
) -> None:
    """With more accounts than are kept, the next batch looks into the tables, and so learns of it half-way."""
    recorded_log(database)
    with connect(database, autocommit=True) as reader, connect(database, autocommit=True) as writer:
        copy, feeder = Watched.created(writer, "accounts", "watched_accounts"), Feeder(reader, writer)
        copy.bad_from = 300
        monkeypatch.setattr(copy.projector._kept, "_limit", 1)  # type: ignore[attr-defined]
        feeder.feed([copy], read_log(reader, 0, 300))
        feeder.settle()
        feeder.feed([copy], read_log(reader, 300, 20))
        feeder.feed([copy], read_log(reader, 320, next_events))
        feeder.settle()
        feeder.close()
        assert (copy.told, copy.position) == ([("ValueError: the real cause", 20, 300)], 300)


def test_who_comes_to_where_others_stand_goes_on_with_their_fold(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_log(database)
    monkeypatch.setattr(feeding, "Fold", lambda connection, position: Fold(connection, position, limit=2))
    with connect(database, autocommit=True) as reader, connect(database, autocommit=True) as writer:
        ahead, behind = Copy.created(writer, "balances", "copy_a"), Copy.created(writer, "positions", "copy_b")
        feeder = Feeder(reader, writer)
        feeder.feed([ahead], read_log(reader, 0, 200))
        feeder.feed([behind], read_log(reader, 0, 100))
        feeder.feed([behind], read_log(reader, 100, 100))
        feeder.keep_folds({200})
        assert reader.execute(TEMPORARY).fetchone() == (1,)
        feeder.feed([ahead, behind], read_log(reader, 200, 100))
        feeder.settle()
        assert (ahead.failure, behind.failure, ahead.position, behind.position) == (None, None, 300, 300)
        feeder.close()
        assert reader.execute(TEMPORARY).fetchone() == (0,)


def test_garbage_is_looked_for_again_also_after_a_lost_session(database: str) -> None:
    recorded_log(database)
    assert gc.isenabled()
    with connect(database, autocommit=True) as reader, connect(database, autocommit=True) as writer:
        with suppress(psycopg.Error), feeding_copies(reader, writer) as feeder:
            feeder.feed([Copy.created(writer, "balances", "copy_a")], read_log(reader, 0, 200))
            feeder.settle()
            writer.execute("select pg_terminate_backend(%s)", [reader.info.backend_pid])
            time.sleep(0.2)
            reader.execute("select 1")
        assert gc.isenabled()


def test_what_stands_still_is_told_though_the_batch_before_is_written_later(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_log(database)
    project, write = LoansProjector.project, Led.write

    def failing(self: LoansProjector, batch: Batch, tables: Tables) -> Writes:
        if batch.last > 100:
            raise ValueError("boom")
        return project(self, batch, tables)

    def slow(self: Led, connection: Connection, writes: Writes, before: int, last: int) -> None:
        time.sleep(0.3 if before == 99 else 0)
        write(self, connection, writes, before, last)

    monkeypatch.setattr(LoansProjector, "project", failing)
    monkeypatch.setattr(Led, "write", slow)
    with session(database) as connection, session(database) as writer:
        follower = Follower(connection, writer, ["balances", "loans"], 1)
        for _ in range(101):
            follower.step()
        follower.close()
    standing = standing_of(database, "loans")
    assert (standing.position, standing.error_position, standing.error) == (100, 101, "ValueError: boom")


def test_who_was_behind_is_in_step_at_once_though_events_keep_coming(database: str) -> None:
    """Else it would fold every account by itself, batch after batch, as long as something is recorded."""
    recorded_log(database)
    catch_up(database, ["balances"])
    events = random_log()
    with session(database) as connection, session(database) as writer:
        follower = Follower(connection, writer, ["balances", "journal"])
        record(database, [newcomer(events, 1)])
        follower.step()
        record(database, [newcomer(events, 2)])
        follower.step()
        follower.close()
    assert {standing_of(database, name).position for name in ("balances", "journal")} == {len(events) + 2}


def newcomer(events: Sequence[AnyEvent], number: int) -> AnyEvent:
    """The opening of an account that was not there."""
    opened = next(event for event in events if event.TOPIC == "account.opened")
    return opened.model_copy(update={"account_id": f"newcomer{number}"})
