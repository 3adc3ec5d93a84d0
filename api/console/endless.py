"""Lists without an end: parts of a table that the page asks for while one scrolls, some of them in it at a time."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from nicegui import app as console_app
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from api.console.asking import Asker, Refused
from api.console.doors import asker_of
from api.console.frame import run_script
from api.console.writing import Column, Markup, head_of, joined, row_of, tag

SCRIPT = (Path(__file__).parent / "trail.js").read_text()
PART_ROWS = 50
LAST_POSITION = 2**62

Row = Mapping[str, Any]


class Endless(NamedTuple):
    """A list of the API that is read by `after` and `before`, newest first: where it is asked, and how a row looks.

    `place` is the position of a row, by which it is read on; `filters` are the parameters of the page that the
    question takes too, each as the API spells it.
    """

    asked: str
    named: str
    page: str
    columns: Sequence[Column]
    cells: Callable[[Row], Sequence[object]]
    place: Callable[[Row], int]
    filters: tuple[str, ...]

    async def part(self, ask: Asker, only: Mapping[str, str], after: int = 0, before: int = LAST_POSITION) -> Markup:
        """The rows right before a position, or right after another, newest first, as a part of the table.

        It says where what is newer and what is older is to be asked for; there is nothing newer than the first.
        """
        upwards = after > 0
        way = {"after": after, "order": "asc"} if upwards else {"before": before, "order": "desc"}
        found = await ask.get(self.asked, **only, **way, limit=PART_ROWS)
        rows = found[self.named][::-1] if upwards else found[self.named]
        places = [self.place(row) for row in rows]
        newer = self._address(only, after=places[0]) if places else ""
        older = self._address(only, before=places[-1]) if places else ""
        more = found["next"] is not None
        return tag(
            "tbody",
            joined(*(row_of(self.columns, self.cells(row)) for row in rows)),
            data_part="",
            data_newer=newer if upwards and more else "",
            data_older=older if not upwards and more else "",
            data_newer_address=newer,
            data_older_address=older,
        )

    async def table(self, ask: Asker, only: Mapping[str, str], empty: str) -> Markup:
        """The whole list from its newest row on; where there is none, what that means."""
        first = await self.part(ask, only)
        if "<tr" not in first:
            return tag("p", empty, class_="empty")
        says = f"{self.named}-says"
        whole = tag("table", joined(head_of(self.columns), first), class_="endless", data_says=says)
        return joined(tag("div", whole, class_="table"), tag("p", "", id=says, class_="said", role="status", hidden=""))

    def serve(self) -> None:
        """Answers what the page asks for while one scrolls, at its path followed by /rows."""

        @console_app.get(f"{self.page}/rows")
        async def rows(request: Request) -> Response:
            asked = request.query_params
            only = {name: asked[name] for name in self.filters if asked.get(name)}
            try:
                bounds = {name: int(asked[name]) for name in ("after", "before") if asked.get(name)}
                return HTMLResponse(await self.part(asker_of(request), only, **bounds))
            except Refused as refused:
                return PlainTextResponse(f"{refused.title}: {refused.detail}", refused.status)
            except ValueError:
                return PlainTextResponse("A position is a whole number; reload the page.", 400)

    def _address(self, only: Mapping[str, str], **bounds: int) -> str:
        return f"/console{self.page}/rows?{urlencode({**only, **bounds})}"


def scroll_on() -> None:
    """Lets the lists of this page go on while one scrolls."""
    run_script(SCRIPT)
