"""What the exchange is exposed to, and what would happen at other prices; nothing is recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.answers import answer
from api.asking import AnyCaller, Asked, Limit, TheDoors
from api.bodies import JsonObject, parse_object, read_body
from api.doors import Doors
from api.examples import example
from api.examples_of_risk import EXPOSURE, WHAT_IF
from api.roles import Resource, require_may_read
from ledger import Malformed, TooManyRequests
from projections.questions.exposure import exposure_answer
from projections.questions.shocks import Sweep, read_sweep
from projections.questions.what_if import Listed, what_if_answer
from projections.questions.what_if_kept import Place

router = APIRouter(tags=["reports"])

WHAT_IF_FIELDS = ("shocks", "sweep")
SWEEP_FIELDS = ("of", "from", "to", "step")
MOST_VALUATIONS = 100_000
"""Wallets that owe times sets of prices. One takes about 40 us, and 0.4 ms more where the wallet is closed out."""
TURN_SECONDS = 1.0
"""How long a what-if waits for the one before it: it holds a thread meanwhile."""
ActedOnPlace = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=r"^(liquidated|called),[0-9]{1,100}\.[0-9]{8},[A-Za-z0-9_.:\-]{1,64},[a-zA-Z0-9:/]{1,40}$",
        description="`next` of the page before.",
    ),
]
WithinPercent = Annotated[
    str,
    Query(
        pattern=r"^(100|[0-9]{1,2}(\.[0-9]{1,4})?)$",
        description="How many per cent prices may move until a wallet listed is at its liquidation line.",
    ),
]


async def body_of_reader(request: Request, caller: AnyCaller) -> JsonObject:
    """The object that is asked with; whoever may not ask is refused before it is read."""
    require_may_read(caller, Resource.REPORTS)
    return parse_object(await read_body(request.receive, request.headers.get("content-length", "")))


@router.post(
    "/v1/risk/what-if",
    summary="Who would be called or liquidated at other prices",
    responses=example(WHAT_IF),
    openapi_extra={"x-body": "WhatIf"},
)
def post_what_if(
    doors: TheDoors,
    asked: Asked,
    body: Annotated[JsonObject, Depends(body_of_reader)],
    after: ActedOnPlace = None,
    limit: Limit = 100,
) -> Response:
    """Every wallet that owes is examined in memory at the shocked prices, and closed out by the ledger's own rules.

    Interest due by the newest prices is counted, and prices are as fresh as they are now: a wallet that lacks one is
    listed as `unpriced`, not guessed at. The wallets acted on are listed in the order in which they would be examined:
    those liquidated, then those called, each the worst first. `fund` is the insurance fund: deficits are paid in that
    order from what it holds of the valuation asset, and what it does not hold is `uncovered_deficit`. All values are at
    the shocked prices.

    What would take too long is refused before it is begun: `ledger stress` answers it. One is worked at a time.
    """
    shocks, sweep = _shocks(body), _sweep(body)
    listed = Listed(None if after is None else _place(after), limit)
    with _turn(doors), asked.open(doors) as snapshot:
        return answer(what_if_answer(snapshot, shocks, sweep, listed, most_valuations=MOST_VALUATIONS))


@contextmanager
def _turn(doors: Doors) -> Iterator[None]:
    """Lets one what-if at a time be worked in this process; TooManyRequests where the one before it goes on."""
    if not doors.what_if.acquire(timeout=TURN_SECONDS):
        raise TooManyRequests(
            f"another what-if is being worked, at most 1 is at a time, and it did not end within {TURN_SECONDS:g} s; "
            "ask again shortly, or ask `ledger stress` on the command line"
        )
    try:
        yield
    finally:
        doors.what_if.release()


def _place(after: str) -> Place:
    outcome, level, account_id, wallet = after.split(",")
    return Place(outcome == "called", Decimal(level), account_id, wallet)


def _shocks(body: JsonObject) -> JsonObject:
    unknown = sorted(set(body) - set(WHAT_IF_FIELDS))
    if unknown:
        raise Malformed(f"the field {unknown[0][:60]!a} is not known here; a what-if has shocks, and may have a sweep")
    shocks = body.get("shocks", {})
    if not isinstance(shocks, dict):
        raise Malformed('shocks is an object of changes or prices by pair, such as {"BTC/USDT": "-20%"}')
    return shocks


def _sweep(body: JsonObject) -> Sweep | None:
    sweep = body.get("sweep")
    if sweep is None:
        return None
    if not isinstance(sweep, dict) or set(sweep) != set(SWEEP_FIELDS) or not isinstance(sweep["of"], str):
        raise Malformed('a sweep is {"of": "BTC/USDT", "from": "-50%", "to": "+50%", "step": "5%"}, all four of them')
    return read_sweep(*(sweep[name] for name in SWEEP_FIELDS))


@router.get("/v1/reports/exposure", summary="Longs, shorts, debtors and wallets near", responses=example(EXPOSURE))
def get_exposure(
    caller: AnyCaller, doors: TheDoors, asked: Asked, within: WithinPercent = "10", limit: Limit = 100
) -> Response:
    """Open longs and shorts by pair, the largest debtors, concentration of debt and collateral, and who is near.

    `move_percent` is how far prices must move until a wallet is liquidated: in a bucket the price of its pair, in a
    cross pool all prices but the valuation asset's by the same part; below zero it is a fall. `near` counts all within
    the bound and lists the nearest. Concentration is by account, in parts of 1.
    """
    require_may_read(caller, Resource.REPORTS)
    with asked.open(doors) as snapshot:
        return answer(exposure_answer(snapshot, within_percent=Decimal(within), limit=limit))
