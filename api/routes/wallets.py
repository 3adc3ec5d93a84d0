"""Questions about margin wallets: the pool and the buckets as a whole, and the levels that decisions found."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AccountId, AnyCaller, Asked, Limit, TheDoors, page
from api.examples import BUCKETS, LEVELS, POOL, example
from api.roles import Resource, require_may_read
from api.words import MarginWalletName
from projections.margin_levels.queries import assessments
from projections.questions.known import known_of_account
from projections.questions.margin_wallets import buckets_answer, pool_answer

router = APIRouter(tags=["accounts"])
LevelsAfter = Annotated[
    str | None, Query(pattern=r"^[0-9]{1,18},[a-zA-Z0-9:/]{1,40}$", description="`next` of the page before.")
]


@router.get("/v1/accounts/{account_id}/cross", summary="The cross pool as a whole", responses=example(POOL))
def get_cross(caller: AnyCaller, doors: TheDoors, asked: Asked, account_id: AccountId) -> Response:
    """Its leverage, what it owes, the last margin call and a running liquidation; null for a pool never used."""
    require_may_read(caller, Resource.ACCOUNT, account_id)
    with asked.open(doors) as snapshot:
        pool = pool_answer(snapshot.connection, snapshot.position, account_id, asked.effective_at)
    return answer({"account_id": account_id, "position": snapshot.position, "pool": pool})


@router.get("/v1/accounts/{account_id}/isolated", summary="All isolated buckets", responses=example(BUCKETS))
def get_isolated(caller: AnyCaller, doors: TheDoors, asked: Asked, account_id: AccountId) -> Response:
    """Each bucket ever used or set, with both its assets, mode, leverage, tier, last call and running liquidation."""
    require_may_read(caller, Resource.ACCOUNT, account_id)
    with asked.open(doors) as snapshot:
        found = buckets_answer(snapshot.connection, snapshot.position, account_id, asked.effective_at)
    return answer({"account_id": account_id, "position": snapshot.position, "buckets": found})


@router.get("/v1/accounts/{account_id}/levels", summary="Levels that decisions found", responses=example(LEVELS))
def get_levels(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    account_id: AccountId,
    wallet: Annotated[MarginWalletName | None, Query(description="Only this margin wallet.")] = None,
    after: LevelsAfter = None,
    limit: Limit = 100,
) -> Response:
    """The level before and after each decision that used a price: the collateral level in cross, else the level."""
    require_may_read(caller, Resource.ACCOUNT, account_id)
    place, _, of_wallet = (after or "0,").partition(",")
    with asked.open(doors) as snapshot:
        rows = assessments(
            snapshot.connection,
            known_of_account(snapshot, account_id),
            account_id,
            wallet=wallet,
            after=(int(place), of_wallet),
            limit=limit + 1,
        )
    found = page("levels", rows, limit, lambda row: f"{row['position']},{row['wallet']}")
    return answer({"position": snapshot.position, **found})
