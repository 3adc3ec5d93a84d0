"""The stream of margin levels to one reader: the state as it is, then every wallet that comes into another band."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from api.answers import as_json
from api.keys import Pool
from api.streams.house import Streams
from api.streams.line import Line
from api.streams.starting import Beginning, log_end_for
from api.streams.text import event, opening, pieces, place
from api.streams.watch import Change, State, changes
from projections.questions.levels import READS, Standing, levels
from projections.snapshot import open_snapshot

ROWS_AT_ONCE = 200
STATE, LEVEL, BANDS = "state", "level", "bands"
"""The names of the events: what follows is the whole state; one wallet of it; wallets that came into another band."""


class MarginLevels:
    """One reader's way from state to state; `band` restricts it to wallets that are in it, come into it or leave it.

    What has changed up to a position is one event: told in several, of which a reader that is cut off had a part, what
    differs from the position before would not put right what that part said.
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
        begun = event(STATE, as_json({"position": state.position}))
        await line.write(opening(f"margin levels as of position {state.position}") + begun)
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
        """The changes up to a position as one event, if there are any of interest."""
        self._position = position
        mine = [_shown(one) for one in found if self._is_of_interest(one)]
        if mine:
            content = as_json({"position": position, "wallets": mine})
            for piece in pieces(event(BANDS, content, position)):
                await line.write(piece, told=position)

    def _is_of_interest(self, change: Change) -> bool:
        return self._band is None or self._band in (change.before, change.now and change.now.band)


def _shown(change: Change) -> dict[str, str | None]:
    now = (None, None, None) if change.now is None else change.now
    levels_now = dict(zip(Standing._fields, now, strict=True))
    return {
        "account_id": change.account_id,
        "wallet": change.wallet,
        "band_before": change.before,
        **levels_now,
    }
