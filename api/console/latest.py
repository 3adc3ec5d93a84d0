"""One question at a time, and of many that are asked meanwhile the last one."""

import asyncio
from collections.abc import Awaitable, Callable

REST_SECONDS = 0.1


class Latest:
    """Answers what is wanted: the first at once, then, once nothing new was wanted for a moment, the last.

    So a key that is held asks twice, and no answer comes after that of a later question. `answer` is called with the
    number that is wanted, which stays `wanted` until it has returned.
    """

    def __init__(self, answer: Callable[[int], Awaitable[None]]) -> None:
        self._answer = answer
        self._is_answering = False
        self.wanted: int | None = None

    async def want(self, number: int, *, rested: bool = False) -> None:
        """Wants a number; with `rested` none is answered before it has been wanted for a moment."""
        self.wanted = number
        if self._is_answering:
            return
        self._is_answering = True
        try:
            if rested:
                await self._rest()
            await self._answer_all()
        finally:
            self._is_answering, self.wanted = False, None

    async def _answer_all(self) -> None:
        answered = None
        while self.wanted is not None and self.wanted != answered:
            answered = self.wanted
            await self._answer(answered)
            if self.wanted != answered:
                await self._rest()

    async def _rest(self) -> None:
        seen = None
        while seen != self.wanted:
            seen = self.wanted
            await asyncio.sleep(REST_SECONDS)
