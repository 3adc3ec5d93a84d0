"""Between the event loop and the writer's thread: requests cross together, and so do their outcomes.

To wake a thread costs more than most decisions do, and two threads that are awake at once only take the interpreter
from each other. So the requests that one turn of the loop has read are handed over at its end, and of a batch that the
writer has answered the first outcome wakes the loop for all.
"""

import asyncio
import concurrent.futures
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from ledger import Command, Ledger, Outcome

Answer = concurrent.futures.Future[list[Outcome]]
Waiter = asyncio.Future[list[Outcome]]


class _Leaving(NamedTuple):
    """Commands that are handed over at the end of this turn of the loop, and who waits for their outcomes."""

    waiter: Waiter
    commands: Sequence[Command]
    actor: str
    correlation_id: str
    atomic: bool


class Crossing:
    """The way of one event loop to a ledger and back."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: list[_Leaving] = []
        self._arrived: deque[tuple[Waiter, Answer]] = deque()
        self._is_woken = False

    def submit(self, commands: Sequence[Command], *, actor: str, correlation_id: str, atomic: bool) -> Waiter:
        """What to await for the outcomes of commands; who stops waiting leaves the decision to the writer."""
        loop = self._loop = asyncio.get_running_loop()
        if not self._leaving:
            loop.call_soon(self._hand_over)
        waiter: Waiter = loop.create_future()
        self._leaving.append(_Leaving(waiter, commands, actor, correlation_id, atomic))
        return waiter

    def _hand_over(self) -> None:
        leaving, self._leaving = self._leaving, []
        for waiter, commands, actor, correlation_id, atomic in leaving:
            answer = self._submitted(commands, actor, correlation_id, atomic)
            if not isinstance(answer, Exception):
                answer.add_done_callback(partial(self._arrive, waiter))
            elif not waiter.done():
                waiter.set_exception(answer)

    def _submitted(
        self, commands: Sequence[Command], actor: str, correlation_id: str, atomic: bool
    ) -> Answer | Exception:
        """What the ledger says; a refusal is returned from here, where it refers to nothing that will refer to it."""
        try:
            return self._ledger.submit_async(commands, actor=actor, correlation_id=correlation_id, atomic=atomic)
        except Exception as error:
            return error

    def _arrive(self, waiter: Waiter, answer: Answer) -> None:
        """In the writer's thread. The loop clears the flag before it looks, so it finds whatever saw the flag set."""
        self._arrived.append((waiter, answer))
        if self._is_woken or self._loop is None:
            return
        self._is_woken = True
        try:
            self._loop.call_soon_threadsafe(self._hand_out)
        except RuntimeError:
            self._arrived.clear()  # The loop is closed: nobody waits any more.

    def _hand_out(self) -> None:
        self._is_woken = False
        while self._arrived:
            waiter, answer = self._arrived.popleft()
            if waiter.done():
                continue
            error = answer.exception()
            if error is None:
                waiter.set_result(answer.result())
            else:
                waiter.set_exception(error)
