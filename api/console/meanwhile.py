"""Pages that take long are answered with what they have by then; the rest follows through their socket."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from nicegui import Client, ui
from nicegui.client import ClientConnectionTimeout
from starlette.responses import Response

from api.console.frame import show
from api.console.writing import tag

PATIENCE_SECONDS = 0.12
"""So that with what it takes to make and send a page it is there within 300 ms."""
MOST_SECONDS = 25.0
BEING_WORKED_OUT = "Being worked out …"
_WAIT = re.compile(r"\bwait=([0-9]{1,4})\b")


@dataclass(slots=True)
class Meanwhile:
    """Whether a page was answered before it was built."""

    is_answered: bool = False

    def led(self, answered: object) -> Response | None:
        """What a built page returned, if that is a response; one that comes too late leads the reader on."""
        if isinstance(answered, Response) and self.is_answered:
            # Where the console is mounted is put before it by the library.
            ui.navigate.to(answered.headers["location"].removeprefix("/console"))
            return None
        return answered if isinstance(answered, Response) else None


@asynccontextmanager
async def meanwhile() -> AsyncIterator[Meanwhile]:
    """While a page is built: if that takes long, it is answered with a word that the rest is being worked out.

    A client that has no socket for the rest says how many seconds it would wait: `Prefer: wait=20` (RFC 7240, 4.3).
    """
    client, place, found = ui.context.client, ui.element("div"), Meanwhile()
    building = asyncio.current_task()
    assert building is not None
    # Nothing is worked out for a reader who has left.
    client.on_delete(building.cancel)
    answering = asyncio.create_task(_answer_after(_patience(client), client, place, found))
    try:
        yield found
    finally:
        answering.cancel()
        # Its reader may have gone on meanwhile, and the page with him.
        if not client.is_deleted:
            place.delete()


def _patience(client: Client) -> float:
    stated = _WAIT.search(client.request.headers.get("Prefer", ""))
    return PATIENCE_SECONDS if stated is None else min(float(stated[1]), MOST_SECONDS)


async def _answer_after(seconds: float, client: Client, place: ui.element, found: Meanwhile) -> None:
    await asyncio.sleep(seconds)
    found.is_answered = True
    with place:
        show(tag("p", BEING_WORKED_OUT, class_="empty", role="status"))
    # That something waits for the page's socket is how its library is told to answer with what there is.
    with suppress(ClientConnectionTimeout):
        await client.connected()
