"""The market: listings, limits, rates and prices."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import answer
from api.asking import AnyCaller, Asked, TheDoors
from api.examples import MARKET, example
from api.roles import Resource, require_may_read
from projections.questions.market import market_answer

router = APIRouter(tags=["exchange"])


@router.get("/v1/market", summary="Listings, limits, rates and prices", responses=example(MARKET))
def get_market(caller: AnyCaller, doors: TheDoors, asked: Asked) -> Response:
    """What every decision at that position read of the exchange."""
    require_may_read(caller, Resource.MARKET)
    with asked.open(doors) as snapshot:
        return answer(market_answer(snapshot.connection, snapshot.position))
