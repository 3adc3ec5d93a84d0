"""A brake on signing in with keys that are none: so many failures a minute, and then nobody is looked up."""

import time
from collections import deque

SECONDS = 60.0
MOST_OF_ONE = 10
"""Failures a minute from one address, beyond which it waits."""
MOST_OF_ALL = 100
"""Failures a minute from all of them, beyond which everybody waits."""


class Brake:
    """The failures of the last minute, in this process. Keys cannot be guessed; this spares the database the asking.

    A try counts as a failure until it has succeeded, so that many at once are no way around it.
    """

    def __init__(self) -> None:
        self._failures: deque[tuple[float, str]] = deque()

    def tried(self, address: str) -> tuple[float, str]:
        """Counts a try, and returns what `succeeded` is to be told."""
        self._failures.append((time.monotonic(), address))
        return self._failures[-1]

    def succeeded(self, tried: tuple[float, str]) -> None:
        if tried in self._failures:
            self._failures.remove(tried)

    def seconds_to_wait(self, address: str) -> int:
        """How long an address has to wait before it may try again; 0 where it may."""
        now = time.monotonic()
        while self._failures and self._failures[0][0] <= now - SECONDS:
            self._failures.popleft()
        of_one = [at for at, failed in self._failures if failed == address]
        counted = [(of_one, MOST_OF_ONE), ([at for at, _ in self._failures], MOST_OF_ALL)]
        waits = [at[-most] + SECONDS - now for at, most in counted if len(at) >= most]
        return int(max(waits)) + 1 if waits else 0
