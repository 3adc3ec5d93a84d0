"""The market: listings, limits, rates and prices."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AnyCaller, Asked, Limit, Position, TheDoors, page
from api.examples import example
from api.examples_of_the_market import MARKET, PRICES, SETTINGS
from api.roles import Resource, require_may_read
from api.words import AssetSymbol, PairName, Time
from projections.market.queries import price_history, settings_history
from projections.questions.market import market_answer

router = APIRouter(tags=["exchange"])


@router.get("/v1/market", summary="Listings, limits, rates and prices", responses=example(MARKET))
def get_market(caller: AnyCaller, doors: TheDoors, asked: Asked) -> Response:
    """What every decision at that position read of the exchange.

    As of a business time the prices are the newest dated up to it; listings, limits and rates are those then known.
    """
    require_may_read(caller, Resource.MARKET)
    with asked.open(doors) as snapshot:
        return answer(market_answer(snapshot.connection, snapshot.position, asked.effective_at))


After = Annotated[Position, Query(description="Only rows after this log position.")]


@router.get("/v1/market/prices", summary="Price history of a pair", responses=example(PRICES))
def get_prices(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    pair: Annotated[PairName, Query(description="Such as `BTC/USDT`.")],
    effective_from: Annotated[Time | None, Query(alias="from", description="Marked for this time or later.")] = None,
    effective_to: Annotated[Time | None, Query(alias="to", description="Marked for this time or earlier.")] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Response:
    """The prices of a pair in log order; `next` says what `after` must be to read on."""
    require_may_read(caller, Resource.MARKET)
    with asked.open(doors) as snapshot:
        rows = price_history(
            snapshot.connection,
            snapshot.position,
            pair,
            effective_from=effective_from,
            effective_to=min((to for to in (effective_to, asked.effective_at) if to is not None), default=None),
            after=after,
            limit=limit + 1,
        )
    return answer({"position": snapshot.position, **page("prices", rows, limit, lambda row: row["position"])})


@router.get("/v1/market/settings", summary="What was ever set", responses=example(SETTINGS))
def get_settings(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    scope: Annotated[Literal["cross"] | AssetSymbol | PairName, Query(description="An asset, a pair, or `cross`.")],
    after: After = 0,
    limit: Limit = 100,
) -> Response:
    """Listings, limits, rates and statuses of an asset, a pair or the cross pool, in log order."""
    require_may_read(caller, Resource.MARKET)
    with asked.open(doors) as snapshot:
        rows = settings_history(
            snapshot.connection,
            snapshot.position,
            scope,
            after=after,
            limit=limit + 1,
            effective_at=asked.effective_at,
        )
    return answer({"position": snapshot.position, **page("settings", rows, limit, lambda row: row["position"])})
