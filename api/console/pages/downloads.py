"""Reports as files: what their pages show, whole, asked with the key of the session, page after page as it is read."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from nicegui import app as console_app
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from api.console.asking import Refused
from api.console.doors import asker_of
from api.console.reporting import REPORTS, Report, cells_of, pages_of, rows_of

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8; header=present", "json": "application/json"}

Answer = dict[str, Any]


@console_app.get("/download/{name}.{form}")
async def download(request: Request, name: str, form: str) -> Response:
    """A report as a file; a refusal as text, in the ledger's words. A file that breaks off was not answered whole."""
    report = REPORTS.get(name)
    if report is None or form not in MEDIA_TYPES:
        return PlainTextResponse("There is no such download; choose one at /console/reports.", status_code=404)
    pages = pages_of(asker_of(request), report, dict(request.query_params))
    try:
        first = await anext(pages)
    except Refused as refused:
        return PlainTextResponse(f"{refused.title}\n\n{refused.detail}\n", status_code=refused.status)
    written = _csv(report, first, pages) if form == "csv" else _json(report, first, pages)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}-{first["position"]}.{form}"',
        "X-Log-Position": str(first["position"]),
    }
    return StreamingResponse(written, headers=headers, media_type=MEDIA_TYPES[form])


async def _csv(report: Report, first: Answer, pages: AsyncIterator[Answer]) -> AsyncIterator[str]:
    yield _written([list(report.columns)])
    yield _written([cells_of(report, row) for row in rows_of(report, first)])
    async for page in pages:
        yield _written([cells_of(report, row) for row in rows_of(report, page)])


def _written(rows: list[list[str]]) -> str:
    """Rows as RFC 4180 has them."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


async def _json(report: Report, first: Answer, pages: AsyncIterator[Answer]) -> AsyncIterator[str]:
    """The answer as the API gives it, with the rows of all pages in the list of the first."""
    if report.listed is None:
        yield json.dumps(first)
        return
    head = {name: value for name, value in first.items() if name not in (report.listed, "next")}
    yield f"{json.dumps(head)[:-1]}, {json.dumps(report.listed)}: ["
    yield ", ".join(map(json.dumps, first[report.listed]))
    async for page in pages:
        yield ", " + ", ".join(map(json.dumps, page[report.listed]))
    yield "]}"
