"""Statements: the lines of an account's books with their running balance, as JSON or CSV."""

import csv
import io
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import amount, answer, moment
from api.asking import AccountId, AnyCaller, Asked, Limit, Order, TheDoors, page, require_account
from api.examples import STATEMENT, example
from api.roles import Resource, require_may_read
from api.words import AssetSymbol, Time, WalletName
from projections.journal.queries import FIRST, LAST, statement
from projections.questions.corrections import with_corrections
from projections.questions.known import known_of_account

CSV = "text/csv"
COLUMNS = (
    "id",
    "position",
    "line",
    "recorded_at",
    "effective_at",
    "topic",
    "book",
    "wallet",
    "part",
    "asset",
    "amount",
    "balance",
    "reverses",
    "reversed_by",
    "adjustment_id",
    "reason_code",
)
PLACE = r"^[0-9]{1,18}:[0-9]{1,9}$"


class Lines(NamedTuple):
    """Which page of lines: between two places, from the first or from the last back."""

    after: tuple[int, int]
    before: tuple[int, int]
    limit: int
    newest_first: bool

    @property
    def more_than_shown(self) -> dict[str, Any]:
        """The page and one line more, by which to know whether it is the last."""
        return {**self._asdict(), "limit": self.limit + 1}


def asked_lines(
    after: Annotated[str | None, Query(pattern=PLACE, description="Only lines after POSITION:LINE.")] = None,
    before: Annotated[str | None, Query(pattern=PLACE, description="Only lines before POSITION:LINE.")] = None,
    limit: Limit = 100,
    order: Order = "asc",
) -> Lines:
    """Which page; with `order=desc` the first has the last lines."""
    return Lines(_place(after, FIRST), _place(before, LAST), limit, order == "desc")


def _place(written: str | None, start: tuple[int, int]) -> tuple[int, int]:
    if written is None:
        return start
    position, _, line = written.partition(":")
    return int(position), int(line)


def place_of_line(row: dict[str, Any]) -> str:
    """The place of a line, as `after` and `before` take it."""
    return f"{row['position']}:{row['line']}"


def line_id(row: dict[str, Any]) -> str:
    """The name of a line, unique in the log, in documents too."""
    return f"{row['position']}.{row['line']}"


AskedLines = Annotated[Lines, Depends(asked_lines)]

router = APIRouter(tags=["accounts"])


@router.get(
    "/v1/accounts/{account_id}/statement", summary="Journal lines with balance", responses=example(STATEMENT, CSV)
)
def get_statement(
    request: Request,
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    account_id: AccountId,
    wallet: Annotated[WalletName | None, Query(description="Only lines of this wallet.")] = None,
    asset: Annotated[AssetSymbol | None, Query(description="Only lines in this asset.")] = None,
    recorded_from: Annotated[Time | None, Query(alias="from", description="Recorded at or after this time.")] = None,
    recorded_to: Annotated[Time | None, Query(alias="to", description="Recorded at or before this time.")] = None,
    form: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Instead of the header Accept.")
    ] = None,
    *,
    lines: AskedLines,
) -> Response:
    """Each line's `balance` is that of its book (wallet, part, asset) after it; `next` is where to read on.

    As of a business time it has the lines dated up to it, in the order in which they were recorded; what was entered
    late follows what counted before it, and the balances are those of the lines that count. `reverses` and
    `reversed_by` are positions: of the event that a line's event takes back, and of the one that took it back.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    with asked.open(doors) as snapshot:
        require_account(snapshot, account_id)
        rows = statement(
            snapshot.connection,
            known_of_account(snapshot, account_id),
            account_id,
            wallet=wallet,
            asset=asset,
            recorded_from=recorded_from,
            recorded_to=recorded_to,
            **lines.more_than_shown,
        )
        rows = [{"id": line_id(row), **row} for row in with_corrections(snapshot, rows)]
    found = page("lines", rows, lines.limit, place_of_line)
    if form == "csv" or (form is None and CSV in request.headers.get("accept", "")):
        return _as_csv(account_id, snapshot.position, found)
    return answer({"position": snapshot.position, "account_id": account_id, **found})


def _as_csv(account_id: str, position: int, found: dict[str, Any]) -> Response:
    """The lines as RFC 4180 has them; what the JSON says beside them stands in headers."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for row in found["lines"]:
        times = {name: moment(row[name]) for name in ("recorded_at", "effective_at")}
        amounts = {name: amount(row[name]) for name in ("amount", "balance")}
        shown = {**row, **times, **amounts}
        writer.writerow([shown[column] for column in COLUMNS])
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="statement-{account_id.replace(":", "_")}.csv"',
        "X-Log-Position": str(position),
    }
    if found["next"] is not None:
        headers["X-Next-After"] = found["next"]
    return Response(written.getvalue(), headers=headers, media_type=f"{CSV}; charset=utf-8; header=present")
