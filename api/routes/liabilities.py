"""Liabilities: what is owed to customers at checkpoints, published and signed, and what proves a customer's part."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import LAST_POSITION, AccountId, AnyCaller, Limit, LogSize, Position, TheDoors, page
from api.examples import example
from api.examples_of_liabilities import LIABILITIES, LIABILITY_PROOF, PUBLICATION
from api.roles import Resource, require_may_read
from api.words import Whole
from ledger import latest_liabilities, liabilities_of, liability_proof, list_liabilities

router = APIRouter(tags=["liabilities"])


@router.get("/v1/liabilities", summary="Publications of liabilities", responses=example(LIABILITIES))
def get_publications(
    caller: AnyCaller,
    doors: TheDoors,
    after: Annotated[Position, Query(description="Only those at larger checkpoints; `next` of the page before.")] = 0,
    limit: Limit = 100,
) -> Response:
    """Publications in order of size. `note` is what was signed, `trees` what it says, `checkpoint` where it stands."""
    require_may_read(caller, Resource.LIABILITIES)
    with doors.pool.connection() as connection:
        rows = list_liabilities(connection, after, limit + 1)
    return answer(page("liabilities", rows, limit, lambda row: row["size"]))


@router.get("/v1/liabilities/latest", summary="The latest published liabilities", responses=example(PUBLICATION))
def get_latest_publication(caller: AnyCaller, doors: TheDoors) -> Response:
    """What is owed at the largest checkpoint it was published at; 404 while there is none.

    Kept in a file it is what `ledger-verify-liability --publication` takes. Compare it with what others were given.
    """
    require_may_read(caller, Resource.LIABILITIES)
    with doors.pool.connection() as connection:
        return answer(latest_liabilities(connection))


@router.get("/v1/liabilities/{size}", summary="Published liabilities of a size", responses=example(PUBLICATION))
def get_publication(caller: AnyCaller, doors: TheDoors, size: LogSize) -> Response:
    """What is owed at the checkpoint of this size; 404 where it was not published there."""
    require_may_read(caller, Resource.LIABILITIES)
    with doors.pool.connection() as connection:
        return answer(liabilities_of(connection, size))


@router.get(
    "/v1/accounts/{account_id}/liability-proof",
    summary="A proof that liabilities count an account",
    responses=example(LIABILITY_PROOF),
)
def get_liability_proof(
    caller: AnyCaller,
    doors: TheDoors,
    account_id: AccountId,
    size: Annotated[
        Whole | None, Query(ge=1, le=LAST_POSITION, description="At the checkpoint of this size; else the latest.")
    ] = None,
) -> Response:
    """For each tree in which the account has anything its leaves, their salts, and their paths to the root.

    `ledger-verify-liability --proof` checks it against a publication. It is the customer's own: who has it can tell
    his leaves from others'.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    with doors.pool.connection() as connection:
        return answer(liability_proof(connection, account_id, size))
