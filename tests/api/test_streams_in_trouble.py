"""Streams of a server that is killed, that is told to stop, and that has readers who do not read."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api.keys import create_key
from ledger import Ledger, parse_command
from ledger.log import log_end
from ledger.postgres import connect
from projections.runner import catch_up
from tests.api.command_line import LISTINGS, deposit, opened, served, serving
from tests.api.event_stream import Reader, Told, positions, until

ALL = "/v1/events/stream"
KILLS = 3
SLOW_READERS = 16
LONG = "a reason of some length, so that the log does not fit into sockets " * 6


@pytest.fixture
def key(database: str) -> str:
    with connect(database, autocommit=True) as connection:
        return create_key(connection, "reader", "auditor")


def end_of(url: str) -> int:
    with connect(url) as connection:
        return log_end(connection).position


def record(ledger: Ledger, first: int, count: int) -> None:
    """Deposits with these numbers, a hundred at a time."""
    for start in range(first, first + count, 100):
        numbers = range(start, min(start + 100, first + count))
        commands = [deposit("alice", "1", deposit_id=f"d{number}", reason=LONG) for number in numbers]
        outcomes = ledger.submit([parse_command(one) for one in commands], actor="test")
        assert not any(hasattr(outcome, "refusal") for outcome in outcomes)


@contextmanager
def writing(url: str) -> Iterator[Ledger]:
    """A ledger with one account; it writes from this process, whatever becomes of the server."""
    with Ledger(url) as ledger:
        ledger.submit([parse_command(one) for one in [*LISTINGS, opened("alice")]], actor="test")
        yield ledger


@contextmanager
def written_all_the_time(ledger: Ledger) -> Iterator[None]:
    """Some two hundred deposits a second, until the end."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.1):
            record(ledger, number, 20)
            number += 20

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@pytest.mark.long
def test_a_reader_has_every_position_once_though_its_server_is_killed_again_and_again(database: str, key: str) -> None:
    mine, found = Reader(f"{ALL}?after=0", key), list[Told]()
    with writing(database) as ledger:
        with written_all_the_time(ledger):
            for _ in range(KILLS):
                before = len(found)
                with serving(database) as (process, address, _), mine.connected(address) as events:
                    threading.Timer(0.7, process.kill).start()
                    with pytest.raises(httpx.TransportError):
                        found.extend(events)
                assert len(found) > before + 20
        with serving(database) as (_, address, _), mine.connected(address) as events:
            found += until(events, end_of(database))
    assert positions(found) == list(range(1, end_of(database) + 1))


def test_a_server_that_is_told_to_stop_ends_its_streams_well(database: str, key: str) -> None:
    mine = Reader(ALL, key)
    with ExitStack() as reading:
        with served(database) as address:
            events = reading.enter_context(mine.connected(address))
            levels = reading.enter_context(Reader("/v1/margin-levels/stream", key).connected(address))
            assert (next(events).name, next(levels).name) == ("position", "state")
            asked_at = time.monotonic()
        assert time.monotonic() - asked_at < 8
        assert positions(list(events)) == []


@contextmanager
def not_reading(address: str, key: str) -> Iterator[socket.socket]:
    """A line on which a stream was asked for from the first event on, and nothing is read."""
    host = urlsplit(address)
    assert host.hostname is not None
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect((host.hostname, host.port))
        head = f"GET {ALL}?after=0 HTTP/1.1\r\nHost: ledger\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        line.sendall(head.encode())
        yield line


def memory_of(pid: int) -> int:
    """The bytes that a process has in memory."""
    words = Path(f"/proc/{pid}/status").read_text().split()
    return int(words[words.index("VmRSS:") + 1]) * 1024


def read_to_the_end(line: socket.socket, end: int) -> list[int]:
    """The positions that arrive on a line up to the one at the end."""
    line.settimeout(30)
    body, last = b"", f"\nid: {end}\n".encode()
    while last not in body[-4096:] and (piece := line.recv(1_000_000)):
        body += piece
    ids = [int(one[4:]) for one in body.split(b"\n") if one.startswith(b"id: ")]
    return ids[1:]  # The first is that of `position`, with which every stream begins.


@pytest.mark.long
def test_readers_that_do_not_read_slow_nobody_and_take_no_memory(database: str, key: str) -> None:
    """Their share of the log, kept for each of them, would be nearly three times the memory that is allowed."""
    with writing(database) as ledger, ExitStack() as stack:
        record(ledger, 0, 6_000)
        catch_up(database)
        process, address, _ = stack.enter_context(serving(database))
        until(stack.enter_context(Reader(f"{ALL}?after=0", key).connected(address)), end_of(database))
        before = memory_of(process.pid)
        slow = [stack.enter_context(not_reading(address, key)) for _ in range(SLOW_READERS)]
        fast = stack.enter_context(Reader(f"{ALL}?after=0", key).connected(address))
        found = until(fast, end_of(database))
        record(ledger, 6_000, 4_000)
        found += until(fast, end_of(database))
        assert positions(found) == list(range(1, end_of(database) + 1))
        assert memory_of(process.pid) - before < 45_000_000
        assert read_to_the_end(slow[0], end_of(database)) == list(range(1, end_of(database) + 1))
