"""The wiring of the HTTP doors: routes, keys, correlation ids, and every failure as a problem."""

from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from api.asking import documented, refuse_unknown_parameters
from api.crossing import Crossing
from api.doors import CORRELATION_HEADER, Correlation, Doors, caller_of
from api.failures import DATABASE_LOST, refusal_of
from api.keys import KeyRing, Pool
from api.openapi import document
from api.problems import MethodNotAllowed, UnknownRoute, answer_problem
from api.reads.door import Reads, notice
from api.reads.log import ReadLog
from api.routes import (
    accounts,
    actions,
    commands,
    corrections,
    differences,
    events,
    explanations,
    health,
    keys,
    level_path,
    liabilities,
    liquidations,
    lists,
    market,
    metrics,
    problems,
    proofs,
    reads,
    reports,
    risk,
    statement_documents,
    statements,
    wallets,
)
from api.routes import (
    streams as event_streams,
)
from api.streams.house import Streams
from ledger import Ledger
from ledger.errors import Malformed, Refusal
from ledger.misfits import misfits

WAIT_SECONDS = 5.0
KEYED = [
    accounts,
    differences,
    level_path,
    wallets,
    events,
    statements,
    statement_documents,
    corrections,
    lists,
    market,
    liquidations,
    explanations,
    reports,
    risk,
    proofs,
    liabilities,
    event_streams,
    reads,
    keys,
]
OPEN = [health, metrics, problems]


def create_app(
    ledger: Ledger,
    pool: Pool,
    streams: Streams | None = None,
    *,
    wait_seconds: float = WAIT_SECONDS,
    console: bool = False,
) -> ASGIApp:
    """The HTTP application over a ledger and a pool of connections for reading; who made them closes them.

    `streams` are those that a server ends when it stops. `wait_seconds` bounds how long a question waits for the
    projections to have what was recorded before it came. With `console` the back-office pages are at /console.
    """
    app = FastAPIOffline(title="Margin ledger", version=version("margin-ledger"), redirect_slashes=False)
    app.state.doors = doors = Doors(
        ledger,
        pool,
        KeyRing(pool),
        Crossing(ledger),
        streams or Streams(pool),
        ReadLog(str(pool.conninfo)),
        wait_seconds,
    )
    app.state.unpriced = health.new_count()
    _include_routes(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    _answer_failures_as_problems(app)
    app.add_middleware(Reads, log=doors.reads)
    app.add_middleware(Correlation)
    doors_in_front = commands.Commands(app, doors)
    if console:
        # The console takes longer to import than all the rest, so it is left to those that show it.
        from api.console.mounting import mount_console

        return mount_console(app, doors_in_front)
    return doors_in_front


def _include_routes(app: FastAPI) -> None:
    app.router.routes.append(commands.route)
    app.include_router(actions.router)
    app.include_router(corrections.previews, dependencies=[Depends(caller_of), Depends(notice)])
    for module in KEYED:
        # In this order: who asks, whether the question is spelled as the route knows it, and what is read of customers.
        app.include_router(
            module.router, dependencies=[Depends(caller_of), Depends(refuse_unknown_parameters), Depends(notice)]
        )
    for module in OPEN:
        app.include_router(module.router)


def _answer_failures_as_problems(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _no_route)
    for kind in (Refusal, *DATABASE_LOST, Exception):
        app.add_exception_handler(kind, _failed)


async def _malformed(request: Request, error: Exception) -> Response:
    """What FastAPI found wrong with parameters, in words."""
    assert isinstance(error, RequestValidationError)
    # A place begins with where it is: in the path, in the query.
    found = [{**one, "loc": one["loc"][1:]} for one in error.errors()]
    return answer_problem(Malformed(f"the request is malformed: {misfits(found, documented=documented(request))}"))


async def _no_route(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: a path that is not there, or a method that it does not take."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return answer_problem(UnknownRoute(f"there is nothing at {request.url.path!a}; /docs lists what there is"))
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return answer_problem(
            MethodNotAllowed(f"{request.url.path} does not take {request.method}, only {allowed}", allow=allowed)
        )
    return answer_problem(Malformed(str(error.detail)))


async def _failed(request: Request, error: Exception) -> Response:
    correlation_id = getattr(request.state, "correlation_id", "")
    response = answer_problem(refusal_of(error, correlation_id))
    response.headers[CORRELATION_HEADER] = correlation_id
    return response
