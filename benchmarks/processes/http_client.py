"""A client that costs little, since it shares the machine with the server: keep-alive connections in one event loop.

Requests are made as bytes before the clock starts. While it runs, of an answer only the status and the length are
read; all answers are kept, and read in full afterwards.
"""

import asyncio
import json
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, cast

import uvloop

from benchmarks.processes.child import Message, answer, messages
from benchmarks.tally import tally_results

END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Answered(NamedTuple):
    status: int
    body: bytes
    milliseconds: float


class Load:
    """Requests that all clients take from, and what was answered."""

    def __init__(self, requests: list[bytes], clients: int) -> None:
        self.requests = iter(requests)
        self.answered: list[Answered] = []
        self._clients = clients
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def client_ended(self) -> None:
        self._clients -= 1
        if self._clients == 0:
            self.ended.set_result(None)

    def failed(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("the server closed a connection before it answered"))


class Client(asyncio.Protocol):
    """One connection: it sends its next request when the answer to the last one is whole."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self._whole_length = 0
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)

    def send_next(self) -> None:
        request = next(self._load.requests, None)
        self._is_waiting = request is not None
        if request is None:
            self._load.client_ended()
            return
        self._sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if not self._whole_length and END_OF_HEAD in self._received:
            self._read_head()
        if self._whole_length and len(self._received) >= self._whole_length:
            self._take_answer()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_waiting:
            self._load.failed(exc)

    def _read_head(self) -> None:
        head, _, _ = self._received.partition(END_OF_HEAD)
        stated = _LENGTH.search(head)
        if stated is None:
            self._load.failed(ConnectionError(f"an answer states no length: {head!r}"))
            return
        self._body_at = len(head) + len(END_OF_HEAD)
        self._whole_length = self._body_at + int(stated[1])

    def _take_answer(self) -> None:
        milliseconds = 1000 * (time.perf_counter() - self._sent_at)
        status = int(self._received[9:12])
        self._load.answered.append(Answered(status, self._received[self._body_at :], milliseconds))
        self._received, self._whole_length = b"", 0
        self.send_next()


async def send_all(port: int, requests: list[bytes], clients: int) -> tuple[float, list[Answered]]:
    """The seconds from the first request to the last answer, and all answers; connections are made before."""
    load = Load(requests, clients)
    loop = asyncio.get_running_loop()
    connected = [await loop.create_connection(lambda: Client(load), "127.0.0.1", port) for _ in range(clients)]
    started = time.perf_counter()
    for _, client in connected:
        client.send_next()
    await load.ended
    seconds = time.perf_counter() - started
    for transport, _ in connected:
        transport.close()
    return seconds, load.answered


def request_of(body: str, authorization: str) -> bytes:
    """A request as it goes over the wire."""
    content = body.encode()
    head = (
        "POST /v1/commands HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: {authorization}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def results_of(answered: list[Answered]) -> Iterator[dict[str, object]]:
    """Every result in every body; a bare problem is the result of a command that was sent alone."""
    for one in answered:
        content = json.loads(one.body)
        if "results" in content:
            yield from content["results"]
        else:
            yield {"status": "refused", "problem": content}


def work(message: Message) -> Message:
    """One turn, as it is told back."""
    requests = [request_of(body, message["authorization"]) for body in message["bodies"]]
    seconds, answered = uvloop.run(send_all(message["port"], requests, message["clients"]))
    return {
        "seconds": seconds,
        "milliseconds": [one.milliseconds for one in answered],
        "statuses": Counter(one.status for one in answered),
        "tally": tally_results(results_of(answered)).message(),
    }


def main() -> None:
    """Works each load off that is asked for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for message in messages():
        answer(work(message))


if __name__ == "__main__":
    main()
