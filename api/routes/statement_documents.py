"""A whole statement as one document, whose bytes are the same whenever it is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from api.answers import moment
from api.asking import AccountId, AnyCaller, Position, TheDoors
from api.doors import Doors
from api.examples import example
from api.examples_of_statements import DOCUMENT
from api.reads.read import note_position
from api.roles import Resource, require_may_read
from api.statement.document import FORMS, Document, write_document
from api.statement.page import POLICY
from api.words import Time, WalletName
from ledger import TooManyRequests
from projections import snapshot as points
from projections.questions.statement import Statement, open_statement
from projections.questions.statement_range import Asked, End

router = APIRouter(tags=["accounts"])

TURN_SECONDS = 5.0
"""How long a document waits for those that are being written: it holds a thread meanwhile."""
FormName = Literal["json", "csv", "html"]


def asked_first(
    from_position: Annotated[Position | None, Query(description="What came after this position of the log.")] = None,
    from_recorded_at: Annotated[Time | None, Query(description="What was recorded after this time.")] = None,
    from_effective_at: Annotated[Time | None, Query(description="What is dated after this business time.")] = None,
) -> points.AsOf | None:
    """The point after which it begins; None: with the account."""
    return points.as_of(from_position, from_recorded_at, from_effective_at, "from_")


def asked_last(
    to_position: Annotated[Position | None, Query(description="Up to and with this position of the log.")] = None,
    to_recorded_at: Annotated[Time | None, Query(description="Up to and with what was recorded by this time.")] = None,
    to_effective_at: Annotated[Time | None, Query(description="Up to and with this business time.")] = None,
) -> points.AsOf | None:
    """The point up to which it goes; None: the position at which the log ends by now."""
    return points.as_of(to_position, to_recorded_at, to_effective_at, "to_")


@router.get(
    "/v1/accounts/{account_id}/statement/document",
    summary="A whole statement, the same bytes whenever it is asked for",
    responses=example(DOCUMENT, "text/csv", "text/html"),
)
def get_statement_document(
    request: Request,
    caller: AnyCaller,
    doors: TheDoors,
    account_id: AccountId,
    first: Annotated[points.AsOf | None, Depends(asked_first)],
    last: Annotated[points.AsOf | None, Depends(asked_last)],
    position: Annotated[
        Position | None, Query(description="Between business times: as known at this position of the log; else now.")
    ] = None,
    wallet: Annotated[WalletName | None, Query(description="Only this wallet.")] = None,
    form: Annotated[FormName | None, Query(alias="format", description="Instead of the header Accept.")] = None,
) -> Response:
    """Opening and closing balances by wallet and asset, and every line between them with its book's balance after it.

    It begins after the one point and goes up to and with the other, so that what one statement ends with the next one
    begins with. What is recorded later changes nothing of it: what reversed a line is told as known at its end. A time
    is an end only once something was recorded after it (`range_open`). Without an end it goes up to the end of the log,
    and `Content-Location` is where the same bytes are found again. Between business times it has what is known at
    `position`, in order of business time. `Content-Digest` and `ETag` are the SHA-256 of the bytes. What is owed is
    negative in lines, as it is booked, and positive in balances.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    asked = Asked(account_id, first, last, position, wallet)
    name = form or _accepted(request.headers.get("accept", ""))
    with _turn(doors), open_statement(doors.pool, asked, timeout_seconds=doors.wait_seconds) as statement:
        if statement.span.known.position is not None:
            note_position(statement.span.known.position)
        document = write_document(statement, FORMS[name])
        location = _location(statement, name)
    return _answer(document, _headers(document, name, account_id, location), request, name)


@contextmanager
def _turn(doors: Doors) -> Iterator[None]:
    """A few documents are written at a time: who asks for many takes neither all connections nor all threads."""
    if not doors.documents.acquire(timeout=TURN_SECONDS):
        raise TooManyRequests(f"other statements were being written for {TURN_SECONDS:g} s; ask again in a moment")
    try:
        yield
    finally:
        doors.documents.release()


def _accepted(header: str) -> str:
    """The form that the header Accept likes best; JSON where it names none of them."""
    liked: dict[str, float] = {}
    for one in header.lower().split(","):
        kind, *parameters = (part.strip() for part in one.split(";"))
        weights = [part.removeprefix("q=") for part in parameters if part.startswith("q=")]
        liked[kind] = _weight(weights[0]) if weights else 1.0
    found = {name: liked.get(form.media_type, 0.0) for name, form in FORMS.items()}
    best = max(found, key=lambda name: found[name])
    return best if found[best] > 0 else "json"


def _weight(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return 0.0


def _location(statement: Statement, form: str) -> str:
    """Where these bytes are found whenever they are asked for, whatever was left out of the question."""
    span = statement.span
    stated = {**_bound("from", span.first), **_bound("to", span.last)}
    if span.by == "effective_at":
        stated["position"] = str(span.known.position)
    if statement.wallet is not None:
        stated["wallet"] = statement.wallet
    return f"/v1/accounts/{statement.account_id}/statement/document?{urlencode({**stated, 'format': form})}"


def _bound(name: str, end: End) -> dict[str, str]:
    if end.position is None:
        return {} if end.time is None else {f"{name}_effective_at": moment(end.time)}
    if end.time is not None:
        return {f"{name}_recorded_at": moment(end.time)}
    return {f"{name}_position": str(end.position)}


def _headers(document: Document, form: str, account_id: str, location: str) -> dict[str, str]:
    shown = "inline" if form == "html" else "attachment"
    return {
        # Whoever has these bytes may keep them, and asks whether they are still the ones: an erasure changes them.
        "Cache-Control": "private, no-cache",
        "Vary": "Accept",
        "ETag": document.etag,
        "Content-Location": location,
        "Content-Disposition": f'{shown}; filename="statement-{account_id.replace(":", "_")}.{form}"',
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
    }


def _answer(document: Document, headers: dict[str, str], request: Request, form: str) -> Response:
    """The bytes, or 304 where the sender has them already."""
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if {document.etag, "*"} & known:
        document.file.close()
        return Response(status_code=304, headers=headers)
    whole = {"Content-Length": str(document.size_bytes), "Content-Digest": document.content_digest}
    return StreamingResponse(document.parts(), headers={**headers, **whole}, media_type=FORMS[form].content_type)
