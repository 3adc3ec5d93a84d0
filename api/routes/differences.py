"""What changed between two points of an account, by which events, and how much of it came from what."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AccountId, AnyCaller, AsOf, Limit, MinPosition, Position, Stale, TheDoors, one_of
from api.examples import example
from api.examples_of_differences import DIFFERENCES
from api.roles import Resource, require_may_read
from api.words import Time, WalletName
from ledger import texts_shown
from projections import snapshot as points
from projections.questions.differences import differences_answer
from projections.questions.tally import Shown

router = APIRouter(tags=["accounts"])


def asked_from(
    from_position: Annotated[Position | None, Query(description="From this position of the log on.")] = None,
    from_recorded_at: Annotated[Time | None, Query(description="From what was recorded up to this time on.")] = None,
    from_effective_at: Annotated[Time | None, Query(description="From what counts up to this time on.")] = None,
) -> points.AsOf | None:
    """The point that changes are told from; None: where the account was opened."""
    return points.as_of(from_position, from_recorded_at, from_effective_at, "from_")


def asked_to(
    to_position: Annotated[Position | None, Query(description="Up to this position of the log.")] = None,
    to_recorded_at: Annotated[Time | None, Query(description="Up to what was recorded by this time.")] = None,
    to_effective_at: Annotated[Time | None, Query(description="Up to what counts by this business time.")] = None,
    min_position: MinPosition = None,
    stale: Stale = False,
) -> AsOf:
    """The point that changes are told up to; without one, now."""
    return one_of(AsOf(to_position, to_recorded_at, to_effective_at, min_position, stale))


@router.get("/v1/accounts/{account_id}/diff", summary="What changed between two points", responses=example(DIFFERENCES))
def get_differences(
    caller: AnyCaller,
    doors: TheDoors,
    account_id: AccountId,
    first: Annotated[points.AsOf | None, Depends(asked_from)],
    last: Annotated[AsOf, Depends(asked_to)],
    wallet: Annotated[WalletName | None, Query(description="Only this wallet.")] = None,
    after: Annotated[Position, Query(description="Only events after the one at this position.")] = 0,
    limit: Limit = 100,
) -> Response:
    """Both states, what each event between them changed, and what moved equity and levels, exactly.

    State positions and recorded times as you like; of business times both or none. Equity is attributed exactly. Levels
    have 8 decimals, and their parts, each less than a step from its exact amount, add up to the difference as shown. A
    level is there only while something is owed: `from_none` and `to_none` are the levels that began and ended with a
    debt, and take part in that sum, where no level counts as 0. `unexplained` is empty unless the events do not lead
    from one state to the other. Sums and counts are whole on every page; `next` is what `after` must be to read on.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    with last.open(doors) as snapshot:
        to = points.as_of(last.position, last.recorded_at, last.effective_at)
        found = differences_answer(snapshot, account_id, first, Shown(wallet, after, limit), last=to)
        return answer(texts_shown(snapshot.connection, found))
