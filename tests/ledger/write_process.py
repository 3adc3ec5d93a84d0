"""A process that writes, for tests of several at once: `python -m tests.ledger.write_process WHAT URL ...`.

`record URL NAME THREADS BATCHES` inserts events by the recorder alone and prints their positions, batch by batch.
`submit URL THREADS` reads requests from its input, one JSON array of commands a line, and prints each with its answer.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from ledger import Ledger, Outcome, Recorded, parse_command
from ledger.storage import EventDatastore, EventRecorder


def start(what: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start a writing process and wait until it is ready to write."""
    command = [sys.executable, "-m", "tests.ledger.write_process", what, *map(str, arguments)]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def hand_over(process: "subprocess.Popen[str]", requests: Iterable[list[dict[str, Any]]]) -> None:
    """Give a submitting process all its requests."""
    assert process.stdin is not None
    process.stdin.writelines(json.dumps(request) + "\n" for request in requests)
    process.stdin.close()


def answers_of(process: "subprocess.Popen[str]") -> Iterator[Any]:
    """What a process printed, until it ended or was killed."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):
            yield json.loads(line)


def insert_batches(recorder: EventRecorder, name: str, batches: int) -> Iterator[list[int]]:
    """Insert batches of one to five events of one stream, every third of them once more, which must be refused."""
    version = 0
    for batch in range(batches):
        size = 1 + batch % 5
        events = [StoredEvent(name, version + step, "account.opened", b"{}") for step in range(1, size + 1)]
        version += size
        yield list(recorder.insert_events(events) or [])
        if batch % 3 == 0:
            with pytest.raises(IntegrityError, match="events_version_of_a_stream_is_taken_once"):
                recorder.insert_events(events)


def show(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON can carry it."""
    if isinstance(outcome, Recorded):
        return outcome._asdict()
    return {"refused": outcome.refusal.code, "detail": outcome.refusal.detail}


def record(url: str, name: str, threads: str, batches: str) -> None:
    datastore = EventDatastore(url)
    recorder = EventRecorder(datastore)
    printing = threading.Lock()

    def write(number: int) -> None:
        for positions in insert_batches(recorder, f"{name}-{number}", int(batches)):
            with printing:
                print(json.dumps(positions), flush=True)

    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(write, range(int(threads))))
    datastore.close()


def submit(url: str, threads: str) -> None:
    printing = threading.Lock()
    with Ledger(url) as ledger, ThreadPoolExecutor(int(threads)) as pool:

        def send(line: str) -> None:
            request = json.loads(line)
            outcomes = ledger.submit([parse_command(one) for one in request], actor="test")
            with printing:
                print(json.dumps([request, [show(outcome) for outcome in outcomes]]), flush=True)

        list(pool.map(send, sys.stdin))


if __name__ == "__main__":
    print("ready", flush=True)
    if sys.argv[1] == "record":
        record(*sys.argv[2:])
    else:
        submit(*sys.argv[2:])
