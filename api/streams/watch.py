"""The bands of all wallets that owe, computed again as events and prices come, once for all streams of a process."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from api.keys import Pool
from ledger.errors import ProjectionsBehind
from ledger.market import Market
from projections.margin_levels.queries import accounts_changed
from projections.market.queries import market_at
from projections.questions.levels import READS, Standing, standings
from projections.snapshot import open_snapshot

PAUSE_SECONDS = 0.25
"""The least time between two computations; it is never less than what the last one took."""
MOST_CHANGES = 20_000
"""How many changes are kept for readers that are slow; one that is further behind is told what differs."""
RETRY_SECONDS = 1.0

logger = logging.getLogger("ledger.streams")

Standings = Mapping[tuple[str, str], Standing]


class State(NamedTuple):
    """How every wallet that owes stands, by account and wallet, as of a position and in its market."""

    position: int
    market: Market
    standings: Standings


class Change(NamedTuple):
    """A wallet that came into another band; None is the band of a wallet that owes nothing."""

    account_id: str
    wallet: str
    before: str | None
    now: Standing | None


class Step(NamedTuple):
    """The changes up to a position, all of one computation."""

    position: int
    changes: list[Change]


class Watch:
    """The state now, and the last steps to it; without readers it does nothing.

    All of this is of the event loop, but the computing, which has a thread of its own.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._thread = ThreadPoolExecutor(1, "watch")
        self._readers = 0
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._steps: deque[Step] = deque()
        self._looking_back = threading.Lock()
        self._past: State | None = None
        self.state: State | None = None
        self.steps_made = 0

    @contextmanager
    def read(self) -> Iterator[None]:
        """Watches as long as anybody reads."""
        self._readers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            self._readers -= 1

    async def reaches(self, position: int, timeout_seconds: float) -> State:
        """The state once it has everything up to a position; ProjectionsBehind where it is not there in time."""
        deadline = time.monotonic() + timeout_seconds
        while self.state is None or self.state.position < position:
            if (left := deadline - time.monotonic()) <= 0:
                at = "not known yet" if self.state is None else f"known up to position {self.state.position}"
                raise ProjectionsBehind(
                    f"margin levels as of position {position} are asked for; they are {at} and did not come so far "
                    f"within {timeout_seconds:g} s; ask again, /health says who is behind"
                )
            await self.moves(left)
        return self.state

    async def moves(self, timeout_seconds: float) -> None:
        """Waits until the state is as of another position, or so long."""
        waiting = asyncio.create_task(self._moved.wait())
        await asyncio.wait([waiting], timeout=timeout_seconds)
        waiting.cancel()

    def after(self, steps_seen: int) -> list[Step] | None:
        """The steps that were made since a reader had seen so many; None where they are not kept any more."""
        unseen = self.steps_made - steps_seen
        return None if unseen > len(self._steps) else list(self._steps)[len(self._steps) - unseen :]

    def as_of(self, position: int) -> State:
        """The state as of a past position, computed from what the projections keep; to be asked in a thread."""
        with self._looking_back:
            past = self._past
            if past is None or past.position != position:
                with open_snapshot(self._pool, position=position, names=READS) as snapshot:
                    market = market_at(snapshot.connection, position)
                    past = State(position, market, standings(snapshot.connection, position, market))
                # Readers that were cut off together come again together, and from the same position.
                self._past = past
            return past

    async def _follow(self) -> None:
        try:
            while self._readers:
                began = time.monotonic()
                try:
                    loop = asyncio.get_running_loop()
                    self._take(*await loop.run_in_executor(self._thread, self._computed, self.state))
                except Exception as error:
                    logger.warning("margin levels: %s; computing again in %.0f s", str(error).strip(), RETRY_SECONDS)
                    await asyncio.sleep(RETRY_SECONDS)
                await asyncio.sleep(max(PAUSE_SECONDS, time.monotonic() - began))
        finally:
            self._task, self.state, self._past = None, None, None
            self._steps.clear()

    def _computed(self, before: State | None) -> tuple[State, list[Change]]:
        """In the thread: the state now, and what it changes."""
        state = _state_now(self._pool, before)
        return state, [] if before is None else changes(before.standings, state.standings)

    def _take(self, state: State, found: list[Change]) -> None:
        if found:
            self._keep(Step(state.position, found))
        if self.state is None or self.state.position != state.position:
            self.state = state
            # Who waits, waits for the event that was there when he looked.
            self._moved.set()
            self._moved = asyncio.Event()

    def _keep(self, step: Step) -> None:
        self.steps_made += 1
        self._steps.append(step)
        while sum(len(one.changes) for one in self._steps) > MOST_CHANGES:
            self._steps.popleft()


def changes(before: Standings, now: Standings) -> list[Change]:
    """The wallets whose band differs, in order of account and wallet."""
    if before is now:
        return []
    found = []
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if (old and old.band) != (new and new.band):
            found.append(Change(*key, old.band if old else None, new))
    return found


def _state_now(pool: Pool, before: State | None) -> State:
    """The state now: all wallets where the market has changed, else those that events have changed."""
    with open_snapshot(pool, stale=True, names=READS) as snapshot:
        connection, position = snapshot.connection, snapshot.position
        if before is not None and position <= before.position:
            return before
        market = market_at(connection, position)
        if before is None or market != before.market:
            return State(position, market, standings(connection, position, market))
        changed = set(accounts_changed(connection, before.position))
        if not changed:
            return State(position, market, before.standings)
        same = {key: standing for key, standing in before.standings.items() if key[0] not in changed}
        return State(position, market, same | standings(connection, position, market, sorted(changed)))
