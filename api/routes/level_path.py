"""The level of a margin wallet between two points: after every price vector and every event that moved it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AccountId, AnyCaller, AsOf, MinPosition, Position, Stale, TheDoors, one_of
from api.examples import example
from api.examples_of_level_paths import LEVEL_PATH
from api.roles import Resource, require_may_read
from api.words import MarginWalletName, Time, Whole
from ledger import Malformed
from projections import snapshot as points_of
from projections.questions.level_path import level_path_answer, level_path_around

LONGEST_SPAN_SECONDS = 100 * 366 * 24 * 3600

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
    around_position: Annotated[
        Position | None, Query(description="In place of both points: with this position of the log within.")
    ] = None,
    span_seconds: Annotated[
        Whole | None,
        Query(ge=60, le=LONGEST_SPAN_SECONDS, description="With it: over so much business time, else over all."),
    ] = None,
    points: Annotated[int, Query(ge=10, le=2000, description="About how many points are told.")] = 400,
    min_position: MinPosition = None,
    stale: Stale = False,
) -> Response:
    """The level, its lines and the prices after each step, in log order: prices as last marked, interest as charged.

    Every event that acted on the wallet is told, as are both ends. Of more than `points` price vectors those are walked
    that have the lowest and highest price of each stretch (`vectors`: `extremes`), of very many samples (`samples`);
    what is told is exact. At most `points` events of the account are walked: where there are more, the path is of the
    last, or of those nearest to `around_position`, and `is_cut`.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    asked = one_of(AsOf(to_position, to_recorded_at, None, min_position, stale))
    first = points_of.as_of(from_position, from_recorded_at, None)
    last = points_of.as_of(to_position, to_recorded_at, None)
    _require_either(around_position, span_seconds, first, last)
    with asked.open(doors) as snapshot:
        if around_position is None:
            return answer(level_path_answer(snapshot, account_id, wallet, first, last, points))
        span = None if span_seconds is None else timedelta(seconds=span_seconds)
        return answer(level_path_around(snapshot, account_id, wallet, around_position, span, points))


def _require_either(
    around: int | None, span: int | None, first: points_of.AsOf | None, last: points_of.AsOf | None
) -> None:
    """Malformed where a path is asked for both around a position and between points, or a span around none."""
    if around is not None and (first or last):
        raise Malformed("around_position and the points from and to exclude each other; state either")
    if around is None and span is not None:
        raise Malformed(f"span_seconds={span} is stated without around_position; state the position it lies around")
