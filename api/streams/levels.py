"""The stream of margin levels to one reader: the state as it is, then every wallet that comes into another band."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from api.answers import as_json
from api.keys import Pool
from api.streams.house import Streams
from api.streams.line import Line
from api.streams.starting import Beginning, log_end_for
from api.streams.text import chunks, event, opening, place
from api.streams.watch import Change, State, changes
from projections.questions.levels import READS, levels
from projections.snapshot import open_snapshot

ROWS_AT_ONCE = 200
LEVEL, BAND = "level", "band"
"""The names of the events: a wallet of the state that the stream begins with, and one that came into another band."""


class MarginLevels:
    """One reader's way from state to state; `band` restricts it to wallets that are in it, come into it or leave it.

    Only the last event of what is told together has an id: who is cut off before it is told all of it again.
    """

    def __init__(self, streams: Streams, pool: Pool, band: str | None, asked: Beginning, wait_seconds: float) -> None:
        self._watch = streams.watch
        self._pool = pool
        self._band = band
        self._asked = asked
        self._wait_seconds = wait_seconds
        self._position = 0
        self._steps_seen = 0

    async def tell(self, line: Line) -> None:
        """Tells until it is cancelled; refuses before it tells anything."""
        end = await log_end_for(line, self._pool, self._asked, self._wait_seconds)
        with self._watch.read():
            state = await self._watch.reaches(end, self._wait_seconds)
            if self._asked.after is None:
                await self._tell_state(line, state)
            else:
                self._position = self._asked.after
                await self._tell_difference(line)
                await line.write(place(self._position), told=self._position)
            while True:
                await line.stay_heard(self._position)
                await self._tell_steps(line)

    async def _tell_state(self, line: Line, state: State) -> None:
        """The wallets with their levels, read as of one position a page at a time, and how many are in each band."""
        self._position, self._steps_seen = state.position, self._watch.steps_made
        await line.write(opening(f"margin levels as of position {state.position}"))
        after = ("", "")
        while rows := await line.ask(lambda: self._rows(state.position, after)):  # noqa: B023
            await line.write(b"".join(event(LEVEL, as_json(row)) for row in rows))
            after = (rows[-1]["account_id"], rows[-1]["wallet"])
        counts = Counter(standing.band for standing in state.standings.values())
        await line.write(place(state.position, bands=counts), told=state.position)

    def _rows(self, position: int, after: tuple[str, str]) -> list[dict[str, Any]]:
        with open_snapshot(self._pool, position=position, names=READS) as snapshot:
            return levels(snapshot.connection, position, band=self._band, after=after, limit=ROWS_AT_ONCE)

    async def _tell_difference(self, line: Line) -> None:
        """What differs between the state at the reader's position and now."""
        past = await line.ask(lambda: self._watch.as_of(self._position))
        state = self._watch.state
        assert state is not None, "the watch goes on as long as it is read"
        self._steps_seen = self._watch.steps_made
        found = await line.ask(lambda: changes(past.standings, state.standings))
        if not line.is_open:
            between = f"position {past.position} and position {state.position}"
            await line.write(opening(f"the margin levels that differ between {between}"))
        await self._tell_changes(line, found, state.position)

    async def _tell_steps(self, line: Line) -> None:
        steps, state = self._watch.after(self._steps_seen), self._watch.state
        if steps is None:
            await self._tell_difference(line)
        elif steps:
            self._steps_seen += len(steps)
            for step in steps:
                await self._tell_changes(line, step.changes, step.position)
        else:
            self._position = state.position if state is not None else self._position
            await self._watch.moves(line.quiet_seconds_left)

    async def _tell_changes(self, line: Line, found: Iterable[Change], position: int) -> None:
        """Changes that belong together; the last of them has their position as its id."""
        mine = [one for one in found if self._is_of_interest(one)]
        self._position = position
        texts = [event(BAND, _shown(one, position), position if one is mine[-1] else None) for one in mine]
        for chunk in chunks(texts):
            await line.write(chunk, told=position)

    def _is_of_interest(self, change: Change) -> bool:
        return self._band is None or self._band in (change.before, change.now and change.now.band)


def _shown(change: Change, position: int) -> bytes:
    band, *levels_now = change.now or (None, None, None)
    own, collateral = levels_now
    return as_json(
        {
            "account_id": change.account_id,
            "wallet": change.wallet,
            "band_before": change.before,
            "band": band,
            "margin_level": own,
            "collateral_margin_level": collateral,
            "position": position,
        }
    )
