"""Metrics in the text form that Prometheus reads: numbers of the whole ledger, asked without a key."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api.doors import doors_of
from api.measures import registry_of

router = APIRouter(tags=["health"])
_EXAMPLE = 'ledger_projection_lag{projection="balances"} 0.0\n'
_CONTENT = {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}}


@router.get(
    "/metrics",
    summary="Metrics of the ledger",
    response_class=Response,
    responses={200: {"description": "Metrics, one in a line.", "content": _CONTENT}},
)
def get_metrics(request: Request) -> Response:
    """The log, each projection, commands, streams and the process; 200 also while the database is away, which
    `ledger_database_up` tells.
    """
    content = generate_latest(registry_of(doors_of(request)))
    return Response(content, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})
