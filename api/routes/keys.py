"""Keys, made, listed and revoked by admins."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers import answer
from api.asking import AnyCaller, TheDoors
from api.bodies import JsonObject, parse_object, read_body
from api.doors import Doors, caller_of, doors_of
from api.examples import KEYS, NEW_KEY, example
from api.keys import create_key, list_keys, revoke_key
from api.roles import Resource, require_may_read
from ledger import Malformed

FIELDS = {"name", "role", "account_id"}

router = APIRouter(tags=["keys"])


@router.get("/v1/keys", summary="All keys, also revoked ones", responses=example(KEYS))
def get_keys(caller: AnyCaller, doors: TheDoors) -> Response:
    """What is known of each key; the keys themselves are not kept."""
    require_may_read(caller, Resource.KEYS)
    with doors.pool.connection() as connection:
        return answer({"keys": [key._asdict() for key in list_keys(connection)]})


@router.post("/v1/keys", summary="Make a key", responses=example(NEW_KEY), openapi_extra={"x-body": "NewKey"})
async def post_key(request: Request) -> Response:
    """The key is in this answer and nowhere else, ever."""
    require_may_read(await caller_of(request), Resource.KEYS)
    body = parse_object(await read_body(request.receive, request.headers.get("content-length", "")))
    return await run_in_threadpool(_make, doors_of(request), body)


def _make(doors: Doors, body: JsonObject) -> Response:
    unknown = sorted(set(body) - FIELDS)
    if unknown:
        raise Malformed(
            f"the field {unknown[0]!a} is not known here; a key has a name, a role and, of a customer, account_id"
        )
    name, role, account_id = (body.get(field) for field in ("name", "role", "account_id"))
    with doors.pool.connection() as connection:
        key = create_key(connection, name, role, account_id)  # type: ignore[arg-type]
    return answer({"name": name, "role": role, "account_id": account_id, "key": key})


@router.delete("/v1/keys/{name}", summary="Revoke a key", responses=example(KEYS))
def delete_key(caller: AnyCaller, doors: TheDoors, name: str) -> Response:
    """It is refused everywhere within about a second, and its name is not used again."""
    require_may_read(caller, Resource.KEYS)
    with doors.pool.connection() as connection:
        return answer(revoke_key(connection, name)._asdict())
