"""Requests that wait for the writer: bounded, in order, taken all at once."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from ledger.commands import Command
from ledger.errors import TooManyRequests, Unavailable


@dataclass(slots=True, eq=False)
class Request:
    """Commands of one actor that are decided one after the other; `answer` gets an outcome for each.

    Of a `dry_run` nothing is recorded: each command is decided on what is there, and answered by a preview.
    """

    commands: Sequence[Command]
    actor: str
    correlation_id: str
    atomic: bool
    dry_run: bool = False
    answer: Future[list[Any]] = field(default_factory=Future)


class Inbox:
    """Where requests wait; `most_commands` bounds how many commands may, over all requests."""

    def __init__(self, most_commands: int) -> None:
        self._most_commands = most_commands
        self._requests: deque[Request] = deque()
        self._commands = 0
        self._is_closed = False
        self._changed = Condition()

    def put(self, requests: Sequence[Request]) -> None:
        """Let requests wait, one right after the other; TooManyRequests when full, Unavailable when closed."""
        with self._changed:
            if self._is_closed:
                raise Unavailable("the ledger is being closed and takes no more commands; retry with the same key")
            if self._commands >= self._most_commands:
                raise TooManyRequests(
                    f"{self._commands} commands wait, at most {self._most_commands} may; "
                    "nothing was recorded, retry shortly"
                )
            self._requests.extend(requests)
            self._commands += sum(len(request.commands) for request in requests)
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """How many commands wait, over all requests."""
        return self._commands

    def take(self, most_commands: int, *, wait: bool = True) -> list[Request]:
        """The next requests, up to about so many commands, at least one request; none when closed and all were taken.

        Waits only while there is nothing at all, and only if told to. A request whose asker has gone away meanwhile is
        dropped.
        """
        taken: list[Request] = []
        with self._changed:
            while not taken:
                if wait:
                    self._changed.wait_for(lambda: self._requests or self._is_closed)
                if not self._requests:
                    break
                commands = 0
                while self._requests and (commands == 0 or commands + len(self._requests[0].commands) <= most_commands):
                    request = self._requests.popleft()
                    self._commands -= len(request.commands)
                    if request.answer.set_running_or_notify_cancel():
                        commands += len(request.commands)
                        taken.append(request)
        return taken

    def close(self) -> None:
        """Take nothing more in; what waits is still given out."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
