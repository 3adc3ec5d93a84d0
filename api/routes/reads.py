"""Who looked at customers' data; a customer is told who looked at the own account, by role and not by name."""

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AccountId, AnyCaller, Limit, Order, TheDoors, page
from api.doors import Doors
from api.examples import example
from api.examples_of_reads import READS, READS_OF_ACCOUNT
from api.reads.queries import FIRST, LAST, PLACE, Place, Which, place_of, reads
from api.roles import Resource, Role, require_may_read
from api.words import Actor, Identifier, Time

router = APIRouter(tags=["reads"])


class Page(NamedTuple):
    """Which page of the log: between two reads, from the first or from the last back."""

    after: Place
    before: Place
    limit: int
    newest_first: bool


def asked_page(
    after: Annotated[str | None, Query(pattern=PLACE, description="Only reads after the one of this id.")] = None,
    before: Annotated[str | None, Query(pattern=PLACE, description="Only reads before the one of this id.")] = None,
    limit: Limit = 100,
    order: Order = "asc",
) -> Page:
    """Which page; with `order=desc` the first has the last reads."""
    first = FIRST if after is None else place_of(after)
    return Page(first, LAST if before is None else place_of(before), limit, order == "desc")


AskedPage = Annotated[Page, Depends(asked_page)]
ReadFrom = Annotated[Time | None, Query(alias="from", description="Read at or after this time.")]
ReadTo = Annotated[Time | None, Query(alias="to", description="Read at or before this time.")]


@router.get("/v1/reads", summary="Who looked at customers' data", responses=example(READS))
def get_reads(
    caller: AnyCaller,
    doors: TheDoors,
    account_id: Annotated[Identifier | None, Query(description="Only reads that named this account.")] = None,
    actor: Annotated[Actor | None, Query(description="ROLE:NAME of who read; `local:USER` on the server.")] = None,
    read_from: ReadFrom = None,
    read_to: ReadTo = None,
    *,
    shown: AskedPage,
) -> Response:
    """Reads in order of time, each logged before it was answered; this one is the next.

    `account_id` is null where no account was named: a list over all accounts showed whatever its `parameters` let pass.
    `position` is what was answered as of, `status` what became of it: refused reads are logged too.
    """
    require_may_read(caller, Resource.READS)
    return answer(_page(doors, Which(account_id, actor, read_from, read_to), shown))


@router.get("/v1/accounts/{account_id}/reads", summary="Who looked at an account", responses=example(READS_OF_ACCOUNT))
def get_reads_of_account(
    caller: AnyCaller,
    doors: TheDoors,
    account_id: AccountId,
    read_from: ReadFrom = None,
    read_to: ReadTo = None,
    *,
    shown: AskedPage,
) -> Response:
    """Reads that named the account, by others than its customer. A customer sees when, what, by which role.

    An auditor sees who and why, as in `/v1/reads`. Lists over all accounts are not among them.
    """
    require_may_read(caller, Resource.READS_OF_ACCOUNT, account_id)
    found = _page(doors, Which(account_id, None, read_from, read_to), shown)
    if caller.role is Role.CUSTOMER:
        found["reads"] = [_for_the_customer(row) for row in found["reads"]]
    return answer({"account_id": account_id, **found})


def _page(doors: Doors, which: Which, shown: Page) -> dict[str, Any]:
    with doors.pool.connection() as connection:
        rows = reads(connection, which, **{**shown._asdict(), "limit": shown.limit + 1})
    return page("reads", rows, shown.limit, lambda row: row["id"])


def _for_the_customer(row: dict[str, Any]) -> dict[str, Any]:
    """Neither who works there nor why somebody looked: an inquiry that may not be told of would tell of itself."""
    return {
        "id": row["id"],
        "read_at": row["read_at"],
        "role": row["actor"].partition(":")[0],
        "what": row["what"],
        "status": row["status"],
    }
