"""The seal of the log: signed checkpoints, and proofs that an event is in the log and that a log goes on from one."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import LAST_POSITION, AccountId, AnyCaller, Limit, LogSize, Position, TheDoors, page
from api.examples import example
from api.examples_of_proofs import CHECKPOINT, CHECKPOINT_KEYS, CHECKPOINTS, CONSISTENCY, INCLUSION
from api.problems import Forbidden
from api.roles import Resource, require_may_read, seen_by
from api.words import Whole
from ledger import (
    checkpoint_of,
    consistency_proof,
    inclusion_proof,
    latest_checkpoint,
    list_checkpoints,
    public_keys,
)
from projections.audit_trail.queries import entry_at

router = APIRouter(tags=["proofs"])

Size = Annotated[Whole, Query(ge=1, le=LAST_POSITION, description="How many events, from the first on.")]
ProvedSize = Annotated[
    Whole | None,
    Query(ge=1, le=LAST_POSITION, description="In the log of this size; without it, the latest checkpoint's."),
]
EventPosition = Annotated[Whole, Path(ge=1, le=LAST_POSITION, description="The event's position in the log.")]


@router.get("/v1/checkpoints", summary="Signed checkpoints", responses=example(CHECKPOINTS))
def get_checkpoints(
    caller: AnyCaller,
    doors: TheDoors,
    after: Annotated[Position, Query(description="Only those of more events; `next` of the page before.")] = 0,
    limit: Limit = 100,
) -> Response:
    """Checkpoints in order of size. `note` is what was signed, to be kept elsewhere: origin, size, root, time."""
    require_may_read(caller, Resource.CHECKPOINTS)
    with doors.pool.connection() as connection:
        rows = list_checkpoints(connection, after, limit + 1)
    return answer(page("checkpoints", rows, limit, lambda row: row["size"]))


@router.get("/v1/checkpoints/latest", summary="The latest signed checkpoint", responses=example(CHECKPOINT))
def get_latest_checkpoint(caller: AnyCaller, doors: TheDoors) -> Response:
    """The checkpoint of the most events; 404 while there is none."""
    require_may_read(caller, Resource.CHECKPOINTS)
    with doors.pool.connection() as connection:
        return answer(latest_checkpoint(connection))


@router.get("/v1/checkpoints/keys", summary="Public keys of checkpoints", responses=example(CHECKPOINT_KEYS))
def get_checkpoint_keys(caller: AnyCaller, doors: TheDoors) -> Response:
    """Every key that checkpoints were signed with, the earliest first. Keep them: who verifies must not ask again."""
    require_may_read(caller, Resource.CHECKPOINTS)
    with doors.pool.connection() as connection:
        return answer({"keys": public_keys(connection)})


@router.get("/v1/checkpoints/consistency", summary="A proof of consistency", responses=example(CONSISTENCY))
def get_consistency(caller: AnyCaller, doors: TheDoors, from_size: Size, to_size: Size) -> Response:
    """That the log of `to_size` events begins with the very log of `from_size` events (RFC 6962, section 2.1.2)."""
    require_may_read(caller, Resource.CHECKPOINTS)
    with doors.pool.connection() as connection:
        return answer(consistency_proof(connection, from_size, to_size))


@router.get("/v1/checkpoints/{size}", summary="The checkpoint of a size", responses=example(CHECKPOINT))
def get_checkpoint(caller: AnyCaller, doors: TheDoors, size: LogSize) -> Response:
    """The checkpoint of this many events; 404 where none was made of just so many."""
    require_may_read(caller, Resource.CHECKPOINTS)
    with doors.pool.connection() as connection:
        return answer(checkpoint_of(connection, size))


@router.get("/v1/events/{position}/proof", summary="A proof of inclusion", responses=example(INCLUSION))
def get_proof_of_event(
    caller: AnyCaller, doors: TheDoors, position: EventPosition, size: ProvedSize = None
) -> Response:
    """The bytes of an event's leaf (`leaf`), and their path to the root of the log (RFC 6962, section 2.1.1).

    `note` is the checkpoint of that size, where there is one. `ledger-verify --proof` checks what is answered here.
    """
    require_may_read(caller, Resource.EVENTS)
    with doors.pool.connection() as connection:
        return answer(inclusion_proof(connection, position, size))


@router.get(
    "/v1/accounts/{account_id}/events/{position}/proof",
    summary="A proof of inclusion of an account's event",
    responses=example(INCLUSION),
)
def get_proof_of_account_event(
    caller: AnyCaller, doors: TheDoors, account_id: AccountId, position: EventPosition, size: ProvedSize = None
) -> Response:
    """As `/v1/events/{position}/proof`, of an event of this account; 404 where it is another's.

    Of a reversed trade between two accounts customers get none (403): its bytes say whose the other side was.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    with doors.pool.connection() as connection:
        proof = inclusion_proof(connection, position, size, account_id)
        told = entry_at(connection, position)
    if seen_by(caller, told) != told:
        raise Forbidden(
            f"event {position} is the reversal of a trade, and its bytes say whose the other side was, which a key of "
            f"role {caller.role} is not told; ask for a proof with a key of an auditor"
        )
    return answer(proof)
