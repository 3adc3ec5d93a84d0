"""The level of a margin wallet between two points: after every price vector and every event that moved it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AccountId, AnyCaller, AsOf, MinPosition, Position, Stale, TheDoors, one_of
from api.examples import example
from api.examples_of_level_paths import LEVEL_PATH
from api.roles import Resource, require_may_read
from api.words import MarginWalletName, Time
from projections import snapshot as points_of
from projections.questions.level_path import level_path_answer

router = APIRouter(tags=["accounts"])


@router.get(
    "/v1/accounts/{account_id}/level-path",
    summary="The level of a margin wallet along the log",
    responses=example(LEVEL_PATH),
)
def get_level_path(
    caller: AnyCaller,
    doors: TheDoors,
    account_id: AccountId,
    wallet: Annotated[MarginWalletName, Query(description="`cross` or `isolated:BTC/USDT`.")],
    from_position: Annotated[Position | None, Query(description="From this position of the log on.")] = None,
    from_recorded_at: Annotated[Time | None, Query(description="From what was recorded up to this time on.")] = None,
    to_position: Annotated[Position | None, Query(description="Up to this position of the log.")] = None,
    to_recorded_at: Annotated[Time | None, Query(description="Up to what was recorded by this time.")] = None,
    points: Annotated[int, Query(ge=10, le=2000, description="About how many points are told.")] = 400,
    min_position: MinPosition = None,
    stale: Stale = False,
) -> Response:
    """The level, its lines and the prices after each step, in log order: prices as last marked, interest as charged.

    Every event that acted on the wallet is told, as are both ends and each change of the band; where that leaves more
    than `points`, the rest is told by the lowest and the highest level of each stretch. At most 20,000 prices and 1,000
    events are walked: where there are more, the path begins later (`from_position`) and is `is_cut`.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    asked = one_of(AsOf(to_position, to_recorded_at, None, min_position, stale))
    first = points_of.as_of(from_position, from_recorded_at, None)
    last = points_of.as_of(to_position, to_recorded_at, None)
    with asked.open(doors) as snapshot:
        return answer(level_path_answer(snapshot, account_id, wallet, first, last, points))
