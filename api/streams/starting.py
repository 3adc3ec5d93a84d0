"""Where a stream begins: after the last event that its reader has, or at the end of the log."""

import asyncio
import re
import time
from dataclasses import dataclass

from api.keys import Pool
from api.reads.read import note_position
from api.streams.line import Line
from ledger.errors import Malformed, Unavailable
from ledger.log import log_end

PAUSE_SECONDS = 0.02
LAST_EVENT_ID = "Last-Event-ID"

_POSITION = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a reader states: the position `after` which it reads on, None at the log's end, and what it has written."""

    after: int | None = None
    min_position: int | None = None
    word: str = "after"


def beginning_of(last_event_id: str | None, after: int | None, min_position: int | None) -> Beginning:
    """The header counts before the parameter, for a browser that comes again repeats the address; Malformed."""
    if last_event_id is None:
        return Beginning(after, min_position)
    if _POSITION.fullmatch(last_event_id) is None:
        raise Malformed(
            f"the header {LAST_EVENT_ID} is {last_event_id[:64]!a}, not a position of the log; "
            "state the id of the last event that arrived, or leave it out"
        )
    return Beginning(int(last_event_id), min_position, f"the header {LAST_EVENT_ID}")


async def log_end_for(line: Line, pool: Pool, asked: Beginning, wait_seconds: float) -> int:
    """The log's end, which has what the reader states.

    Refuses with Malformed to go on after what is not there, with Unavailable where `min_position` is not there in time.
    """
    deadline, needed = time.monotonic() + wait_seconds, asked.min_position or 0
    while (end := await line.ask(lambda: _end(pool))) < needed and time.monotonic() < deadline:
        await asyncio.sleep(PAUSE_SECONDS)
    if end < needed:
        raise Unavailable(
            f"min_position {needed} is asked for, the log ends at {end} and did not come so far within "
            f"{wait_seconds:g} s; ask again, or without it"
        )
    if asked.after is not None and asked.after > end:
        raise Malformed(
            f"{asked.word} says {asked.after}, the log ends at {end}: that position is of another log, or of this one "
            "before it was cut; state one that is there, or none to begin at the end"
        )
    note_position(end if asked.after is None else asked.after)
    return end


def _end(pool: Pool) -> int:
    with pool.connection() as connection:
        return log_end(connection).position
