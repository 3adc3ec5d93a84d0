"""Liquidations with their explanation, and margin calls; customers see their own."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AnyCaller, Asked, AskedPage, TheDoors, no_liquidation, page
from api.examples import LIQUIDATION, LIQUIDATIONS, MARGIN_CALLS, example
from api.roles import Resource, own_account, require_may_read
from api.words import Identifier, MarginWalletName
from ledger import texts_shown
from projections.liquidations.queries import margin_calls
from projections.questions.known import known_of_accounts
from projections.questions.liquidations import liquidation_answer, liquidations_answer

router = APIRouter(tags=["liquidations"])

OfAccount = Annotated[Identifier | None, Query(description="Only of this account.")]


@router.get("/v1/liquidations", summary="Liquidations in log order", responses=example(LIQUIDATIONS))
def get_liquidations(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    account_id: OfAccount = None,
    status: Annotated[Literal["running", "completed"] | None, Query(description="Only in this status.")] = None,
    overdue: Annotated[bool, Query(description="Only those that run though their time is over.")] = False,
    *,
    shown: AskedPage,
) -> Response:
    """In log order or from the last back, each with what it started from, what it did, and the uncovered deficit.

    One that is executed outside the ledger and still runs after `execute_by` is `overdue`, by the newest prices' time.
    """
    require_may_read(caller, Resource.LIQUIDATIONS, account_id)
    account_id = own_account(caller, account_id)
    with asked.open(doors) as snapshot:
        rows = liquidations_answer(
            snapshot.connection,
            snapshot.position,
            account_id=account_id,
            status=status,
            overdue_only=overdue,
            effective_at=asked.effective_at,
            **shown.asked,
        )
        rows = texts_shown(snapshot.connection, rows)
    found = page("liquidations", rows, shown.limit, lambda row: row["started_position"])
    return answer({"position": snapshot.position, **found})


@router.get("/v1/liquidations/{liquidation_id}", summary="One liquidation, explained", responses=example(LIQUIDATION))
def get_liquidation(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    liquidation_id: Annotated[
        str, Path(pattern=r"^[A-Za-z0-9_.:\-]{1,64}\.[0-9]{1,18}$", description="ACCOUNT.VERSION")
    ],
) -> Response:
    """Why it started, each step in log order with its prices, and how it ended."""
    require_may_read(caller, Resource.LIQUIDATIONS, liquidation_id.rpartition(".")[0])
    with asked.open(doors) as snapshot:
        found = liquidation_answer(snapshot.connection, snapshot.position, liquidation_id, asked.effective_at)
        found = texts_shown(snapshot.connection, found)
    if found is None:
        raise no_liquidation(liquidation_id, snapshot.position)
    return answer({"position": snapshot.position, **found})


@router.get("/v1/margin-calls", summary="Margin calls in log order", responses=example(MARGIN_CALLS))
def get_margin_calls(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    account_id: OfAccount = None,
    wallet: Annotated[MarginWalletName | None, Query(description="Only of this wallet.")] = None,
    *,
    shown: AskedPage,
) -> Response:
    """In log order or from the last back, each with the level, the line that it crossed, and the prices."""
    require_may_read(caller, Resource.LIQUIDATIONS, account_id)
    account_id = own_account(caller, account_id)
    with asked.open(doors) as snapshot:
        rows = margin_calls(
            snapshot.connection,
            known_of_accounts(snapshot, account_id),
            account_id=account_id,
            wallet=wallet,
            **shown.asked,
        )
        rows = texts_shown(snapshot.connection, rows)
    found = page("margin_calls", rows, shown.limit, lambda row: row["position"])
    return answer({"position": snapshot.position, **found})
