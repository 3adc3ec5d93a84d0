"""Statements: the lines of an account's books with their running balance, as JSON or CSV."""

import csv
import io
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import amount, answer, moment
from api.asking import AccountId, AnyCaller, Asked, Limit, TheDoors, page, require_account
from api.examples import STATEMENT, example
from api.roles import Resource, require_may_read
from api.words import AssetSymbol, Time, WalletName
from projections.journal.queries import statement

CSV = "text/csv"
COLUMNS = (
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
)
LinePlace = Annotated[str, Query(pattern=r"^[0-9]{1,18}:[0-9]{1,9}$", description="Only lines after POSITION:LINE.")]

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
    after: LinePlace = "0:0",
    limit: Limit = 100,
    form: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Instead of the header Accept.")
    ] = None,
) -> Response:
    """Each line's `balance` is that of its book (wallet, part, asset) after it; `next` is where to read on."""
    require_may_read(caller, Resource.ACCOUNT, account_id)
    position, line = (int(part) for part in after.split(":"))
    with asked.open(doors) as snapshot:
        require_account(snapshot, account_id)
        rows = statement(
            snapshot.connection,
            snapshot.position,
            account_id,
            wallet=wallet,
            asset=asset,
            recorded_from=recorded_from,
            recorded_to=recorded_to,
            after=(position, line),
            limit=limit + 1,
        )
    found = page("lines", rows, limit, lambda row: f"{row['position']}:{row['line']}")
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
