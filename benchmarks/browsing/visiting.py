"""Visits: every address in turn, round after round, each beside the same question to the API."""

import re
import statistics
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlencode

from api.console.meanwhile import BEING_WORKED_OUT
from benchmarks.browsing.processors import Processors
from benchmarks.measuring import Wait, weighted_percentile
from benchmarks.screen import Screen

ANSWERED = (200, 303)
LATER = BEING_WORKED_OUT.encode()
REFUSAL = re.compile(rb"card refusal")
TIMEOUT_SECONDS = 120.0
KEPT_SECONDS = 2.0
"""A connection that was not used for longer is made anew, for the server may be about to close it."""
MOST_SECONDS = 5.0
"""A page is asked for no more in a round once so long was spent on it: a slow one does not take all the time."""


class NotShown(RuntimeError):
    """A page showed a refusal, or did not answer: how fast it did so says nothing."""


class Visit(NamedTuple):
    """One address in one round: how long each answer took, and the processor time that they took altogether.

    `whole_ms` is how long all of it took where the answer only said that the rest is being worked out; the processor
    time is that of all of it.
    """

    milliseconds: tuple[float, ...]
    whole_ms: float | None
    server_seconds: float
    database_seconds: float

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.milliseconds)


class Visited(NamedTuple):
    """One address in all rounds, and its baseline right before it in each."""

    visits: Sequence[Visit]
    beside: Sequence[Visit]
    bytes_answered: int

    def percentile(self, share: float) -> float:
        """The milliseconds that this share of all its answers took at most."""
        waits = [Wait(one, 1) for visit in self.visits for one in visit.milliseconds]
        return weighted_percentile(waits, share)

    @property
    def whole_ms(self) -> float | None:
        """The median over the rounds, of those in which not all of it was there at once."""
        waited = [visit.whole_ms for visit in self.visits if visit.whole_ms is not None]
        return statistics.median(waited) if waited else None

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios of the median answer to that of the baseline."""
        return statistics.median(one.p50_ms / other.p50_ms for one, other in zip(self.visits, self.beside, strict=True))

    @property
    def server_ms(self) -> float:
        """Processor milliseconds of the server's process for one answer."""
        return self._each(sum(visit.server_seconds for visit in self.visits))

    @property
    def database_ms(self) -> float:
        """Processor milliseconds of PostgreSQL, all its processes, for one answer."""
        return self._each(sum(visit.database_seconds for visit in self.visits))

    def _each(self, seconds: float) -> float:
        return 1000 * seconds / sum(len(visit.milliseconds) for visit in self.visits)


class Visitor:
    """A browser as far as it loads pages: signed in by the form, on one connection that is kept."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        self._headers = {"Authorization": f"Bearer {key}"}
        self._answered_at = time.monotonic()
        form = urlencode({"key": key, "purpose": "benchmark"})
        formed = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/console/sign-in", form, formed)
        answer = self._connection.getresponse()
        answer.read()
        cookie = answer.headers.get("Set-Cookie")
        if cookie is None:
            raise NotShown(f"signing in was answered with {answer.status} and no cookie")
        self._headers["Cookie"] = cookie.partition(";")[0]

    def get(self, path: str, *, whole: bool = False) -> tuple[float, bytes]:
        """The milliseconds to the last byte of an answer, and the answer; NotShown where it is a refusal.

        With `whole` a page is answered once all of it is there.
        """
        if time.monotonic() - self._answered_at > KEPT_SECONDS:
            self._connection.close()
        headers = {**self._headers, "Prefer": "wait=100"} if whole else self._headers
        started = time.perf_counter()
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        milliseconds = 1000 * (time.perf_counter() - started)
        self._answered_at = time.monotonic()
        if answer.status not in ANSWERED or REFUSAL.search(content):
            raise NotShown(f"{path} was answered with {answer.status}: {_said(content)}")
        return milliseconds, content

    def close(self) -> None:
        self._connection.close()


class Rounds(NamedTuple):
    """How many rounds count, and how often each address is asked for in one."""

    rounds: int
    asked: int


def visit_all(
    visitor: Visitor,
    processors: Processors,
    addresses: Mapping[str, str],
    baseline: str,
    rounds: Rounds,
    screen: Screen,
) -> dict[str, Visited]:
    """Every address by its name; a round that is not counted comes first."""
    found: dict[str, list[tuple[Visit, Visit]]] = {name: [] for name in addresses}
    sizes: dict[str, int] = {}
    for number in range(rounds.rounds + 1):
        told = screen.step(f"round {number}" if number else "warming up", len(addresses))
        for name, path in addresses.items():
            beside, _ = _visit(visitor, processors, baseline, rounds.asked)
            visit, sizes[name] = _visit(visitor, processors, path, rounds.asked)
            if number:
                found[name].append((visit, beside))
            told(1)
    return {
        name: Visited([one for one, _ in visits], [beside for _, beside in visits], sizes[name])
        for name, visits in found.items()
    }


def _visit(visitor: Visitor, processors: Processors, path: str, times: int) -> tuple[Visit, int]:
    before = processors.seconds()
    milliseconds: list[float] = []
    content, is_late = b"", False
    while len(milliseconds) < times and sum(milliseconds) < 1000 * MOST_SECONDS:
        took, content = visitor.get(path)
        milliseconds.append(took)
        if LATER in content:
            is_late = True
            processors.wait_until_idle()
    after = processors.seconds()
    whole = visitor.get(path, whole=True)[0] if is_late else None
    return Visit(tuple(milliseconds), whole, after[0] - before[0], after[1] - before[1]), len(content)


def _said(content: bytes) -> str:
    found = REFUSAL.search(content)
    start = 0 if found is None else found.start()
    return content[start : start + 500].decode(errors="replace")
