"""Chunks are small while others write and large while nobody does, and one bad command stops none of the others."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.turns import LARGEST_SIZE, REMEMBERED_SECONDS, SMALLEST_SIZE, Pace, Turns
from ledger import (
    Command,
    EventReference,
    Ledger,
    Outcome,
    Recorded,
    Refused,
    TooManyRequests,
    Unavailable,
    parse_command,
)
from ledger.errors import NothingToDo
from ledger.postgres import connect
from ledger.storage import lock_log
from tests.api.house import open_account
from tests.api.test_outage import database_away

FAST_SECONDS, SLOW_SECONDS = 0.001, 10.0


def recorded(*positions: int) -> Recorded:
    """A command whose events stand at these positions."""
    events = [EventReference("alice", "margin.called", number, position) for number, position in enumerate(positions)]
    return Recorded("alice", len(events), positions[-1], events)


def learned(pace: Pace, chunks: Sequence[Sequence[Outcome | None]], seconds: float) -> int:
    for outcomes in chunks:
        pace.learn(outcomes, seconds)
    return pace.size


def alone(chunks: int) -> list[list[Recorded]]:
    """Chunks of a hundred commands that follow right after each other in the log."""
    return [[recorded(100 * chunk + number + 1) for number in range(100)] for chunk in range(chunks)]


def test_chunks_grow_while_nobody_else_writes() -> None:
    assert learned(Pace(), alone(10), FAST_SECONDS) == LARGEST_SIZE


def test_chunks_that_take_long_grow_small() -> None:
    assert learned(Pace(), alone(10), SLOW_SECONDS) == SMALLEST_SIZE


@pytest.mark.parametrize(
    "chunk",
    [
        [recorded(202), recorded(203)],  # Another event stands between the last chunk and this one,
        [recorded(201), recorded(203)],  # or amid this one,
        [recorded(201, 203)],  # or even amid a decision, which no writer does, but nobody must rely on it.
    ],
)
def test_chunks_are_small_as_soon_as_others_write(chunk: list[Recorded]) -> None:
    pace = Pace()
    grown = learned(pace, alone(2), 0.1)
    assert learned(pace, [chunk], 0.1) == SMALLEST_SIZE < grown


def test_chunks_grow_again_when_others_have_been_quiet_for_a_while() -> None:
    pace = Pace()
    learned(pace, [*alone(2), [recorded(202)]], 0.1)
    time.sleep(1.1 * REMEMBERED_SECONDS)
    later = [[recorded(203 + 10 * chunk + number) for number in range(10)] for chunk in range(10)]
    assert learned(pace, later, FAST_SECONDS) == LARGEST_SIZE


def test_what_was_refused_or_replayed_says_nothing_of_others() -> None:
    pace = Pace()
    idle: list[Outcome | None] = [Refused(NothingToDo("nothing")), None, recorded(7)._replace(replayed=True)]
    before = learned(pace, alone(3), FAST_SECONDS)
    assert learned(pace, [idle * 100], FAST_SECONDS) >= before


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with Ledger(database) as ledger:
        yield ledger


def accounts(count: int) -> list[Command]:
    return [parse_command(open_account(f"a{number}")) for number in range(count)]


def test_commands_are_recorded_in_the_order_given_and_none_is_left_out(ledger: Ledger) -> None:
    commands = accounts(100)
    answered = [one for chunk in Turns(ledger, "test").take(commands, "turns") for one in chunk]
    assert [one.command for one in answered] == commands
    positions = [one.outcome.position for one in answered if isinstance(one.outcome, Recorded)]
    assert positions == list(range(1, 101))


def test_a_lost_database_is_raised_and_not_taken_for_bad_commands(ledger: Ledger, database: str) -> None:
    with database_away(database), pytest.raises(Unavailable):
        list(Turns(ledger, "test").take(accounts(50), "turns"))


def fill(ledger: Ledger) -> None:
    """Sends commands until there is no place for another, and none becomes free either."""
    number, full_since = 0, time.monotonic()
    while time.monotonic() < full_since + 0.3:
        try:
            ledger.submit_async([parse_command(open_account(f"other{number}"))], actor="test")
            number, full_since = number + 1, time.monotonic()
        except TooManyRequests:
            time.sleep(0.01)


def test_where_too_many_commands_wait_the_engine_waits_for_a_place(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_WAITING_COMMANDS", "1")
    with Ledger(database) as ledger, ThreadPoolExecutor(1) as engine:
        ledger.submit(accounts(1), actor="test")
        with connect(database, autocommit=True) as connection, connection.transaction():
            lock_log(connection)
            fill(ledger)
            chunks = engine.submit(lambda: list(Turns(ledger, "test").take(accounts(3)[2:], "turns")))
            time.sleep(0.2)
            assert not chunks.done()
        ((answered,),) = chunks.result(20)
    assert isinstance(answered.outcome, Recorded)
