"""The wiring of the HTTP doors: routes, keys, correlation ids, and every failure as a problem."""

import logging
from importlib.metadata import version

import psycopg
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.asking import refuse_unknown_parameters
from api.doors import CORRELATION_HEADER, Correlation, Doors, caller_of
from api.keys import KeyRing, Pool
from api.openapi import document
from api.problems import MethodNotAllowed, ServerFailed, UnknownRoute, answer_problem
from api.routes import (
    accounts,
    actions,
    commands,
    events,
    health,
    keys,
    liquidations,
    lists,
    market,
    problems,
    reports,
    statements,
    wallets,
)
from ledger import Ledger
from ledger.errors import Malformed, Refusal, Unavailable

WAIT_SECONDS = 5.0
KEYED = [accounts, wallets, events, statements, lists, market, liquidations, reports, keys]
OPEN = [health, problems]

logger = logging.getLogger("ledger.api")


def create_app(ledger: Ledger, pool: Pool, *, wait_seconds: float = WAIT_SECONDS) -> FastAPI:
    """The HTTP application over a ledger and a pool of connections for reading; who made them closes them.

    `wait_seconds` bounds how long a question waits for the projections to have what was recorded before it came.
    """
    app = FastAPIOffline(title="Margin ledger", version=version("margin-ledger"), redirect_slashes=False)
    app.state.doors = Doors(ledger, pool, KeyRing(pool), wait_seconds)
    app.state.unpriced = health.new_count()
    app.router.routes.append(commands.route)
    app.include_router(actions.router)
    for module in KEYED:
        # In this order: who asks, and whether the question is spelled as the route knows it.
        app.include_router(module.router, dependencies=[Depends(caller_of), Depends(refuse_unknown_parameters)])
    for module in OPEN:
        app.include_router(module.router)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    _answer_failures_as_problems(app)
    app.add_middleware(Correlation)
    return app


def _answer_failures_as_problems(app: FastAPI) -> None:
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _no_route)
    for kind in (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed, TooManyRequests):
        app.add_exception_handler(kind, _unavailable)
    app.add_exception_handler(Exception, _failed)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return answer_problem(error)


async def _malformed(_: Request, error: Exception) -> Response:
    """What FastAPI found wrong with parameters, in words."""
    assert isinstance(error, RequestValidationError)
    found = [
        f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors()
    ]
    return answer_problem(Malformed(f"the request is malformed: {'; '.join(found)}"))


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


async def _unavailable(_: Request, error: Exception) -> Response:
    logger.warning("the database cannot be reached: %s", error)
    return answer_problem(
        Unavailable("the database cannot be reached; ask again, a command with the same idempotency key")
    )


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours: the log has the trace under the correlation id that the answer names."""
    correlation_id = getattr(request.state, "correlation_id", "")
    logger.exception("request %s failed", correlation_id, exc_info=error)
    response = answer_problem(
        ServerFailed(f"the server failed at this request; its log has the trace under correlation id {correlation_id}")
    )
    response.headers[CORRELATION_HEADER] = correlation_id
    return response
