"""Lists of what is open: withdrawals, holds, loans; customers see their own."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AnyCaller, Asked, Limit, Position, TheDoors, page
from api.examples import HOLDS, LOANS, WITHDRAWALS, example
from api.roles import Resource, own_account, require_may_read
from api.words import AssetSymbol, Identifier, WalletName, WithdrawalStatus
from ledger import Malformed, texts_shown
from projections.accounts.hold_queries import holds
from projections.accounts.queries import withdrawals
from projections.loans.queries import START, loans, totals
from projections.questions.known import known_of_accounts
from projections.questions.loans import dated_loans, dated_totals
from projections.snapshot import Snapshot

router = APIRouter(tags=["lists"])

OfAccount = Annotated[Identifier | None, Query(description="Only of this account.")]
OfAsset = Annotated[AssetSymbol | None, Query(description="Only in this asset.")]
Cursor = Annotated[
    str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_.:/,\-]+$", description="`next` of the page before.")
]


@router.get("/v1/withdrawals", summary="Withdrawals in order of request", responses=example(WITHDRAWALS))
def get_withdrawals(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    status: Annotated[WithdrawalStatus | None, Query(description="Only in this status.")] = None,
    account_id: OfAccount = None,
    after: Annotated[Position, Query(description="`next` of the page before.")] = 0,
    limit: Limit = 100,
) -> Response:
    """Withdrawals with their status as of the position."""
    require_may_read(caller, Resource.WITHDRAWALS, account_id)
    account_id = own_account(caller, account_id)
    with asked.open(doors) as snapshot:
        rows = withdrawals(
            snapshot.connection,
            snapshot.position,
            status=status,
            account_id=account_id,
            after=after,
            limit=limit + 1,
            effective_at=asked.effective_at,
        )
        rows = texts_shown(snapshot.connection, rows)
    found = page("withdrawals", rows, limit, lambda row: row["requested_position"])
    return answer({"position": snapshot.position, **found})


@router.get("/v1/holds", summary="Funds locked for open orders", responses=example(HOLDS))
def get_holds(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    account_id: OfAccount = None,
    wallet: Annotated[WalletName | None, Query(description="Only in this wallet.")] = None,
    asset: OfAsset = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Holds with something left, in order of account and hold."""
    require_may_read(caller, Resource.HOLDS, account_id)
    account_id = own_account(caller, account_id)
    with asked.open(doors) as snapshot:
        rows = holds(
            snapshot.connection,
            snapshot.position,
            account_id=account_id,
            wallet=wallet,
            asset=asset,
            after=None if after is None else _parts(after, 2),  # type: ignore[arg-type]
            limit=limit + 1,
            effective_at=asked.effective_at,
            through=known_of_accounts(snapshot, account_id).through,
        )
    found = page("holds", rows, limit, lambda row: f"{row['account_id']},{row['hold_id']}")
    return answer({"position": snapshot.position, **found})


@router.get("/v1/loans", summary="Open debts", responses=example(LOANS))
def get_loans(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    account_id: OfAccount = None,
    asset: OfAsset = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Debts by account, wallet and asset; staff also see the totals of each asset.

    As of a business time a loan says nothing of hours: they are charged as the log comes, not by date.
    """
    require_may_read(caller, Resource.LOANS, account_id)
    own = own_account(caller, account_id)
    with asked.open(doors) as snapshot:
        which: dict[str, Any] = {
            "account_id": own,
            "asset": asset,
            "after": START if after is None else _parts(after, 3),
            "limit": limit + 1,
        }
        rows, sums = _loans(snapshot, which, with_totals=own is None)
    found = page("loans", rows, limit, lambda row: f"{row['account_id']},{row['wallet']},{row['asset']}")
    return answer({"position": snapshot.position, **found, **sums})


def _loans(
    snapshot: Snapshot, which: dict[str, Any], *, with_totals: bool
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The loans, and for staff their totals."""
    connection, position, effective_at = snapshot
    if effective_at is None:
        return loans(connection, position, **which), {"totals": totals(connection, position)} if with_totals else {}
    rows = dated_loans(connection, position, effective_at, **which)
    return rows, {"totals": dated_totals(connection, position, effective_at)} if with_totals else {}


def _parts(cursor: str, count: int) -> tuple[str, ...]:
    parts = tuple(cursor.split(","))
    if len(parts) != count:
        raise Malformed("after is not the next of a page of this list")
    return parts
