"""Health: where the log ends, how far each projection is, and what stands still; asked without a key."""

import logging
import threading
import time

import psycopg
from fastapi import APIRouter, Request
from psycopg_pool import PoolTimeout
from starlette.responses import Response

from api.answers import answer
from api.doors import Doors, doors_of
from api.examples import HEALTH, example
from projections.progress import status
from projections.questions.levels import UNPRICED, count_by_band
from projections.snapshot import open_snapshot

CONNECTION_WAIT_SECONDS = 2.0
UNPRICED_KEPT_SECONDS = 5.0
"""How long a count of unpriced wallets is told again: counting looks at every wallet that owes."""

logger = logging.getLogger("ledger.api")
router = APIRouter(tags=["health"])


class _Unpriced:
    """The last count of wallets that lack a price."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: tuple[float, int | None] = (0.0, None)

    def count(self, doors: Doors) -> int | None:
        """How many wallets cannot be examined for lack of prices; None where the projections cannot tell."""
        with self._lock:
            if self._counted[1] is None or time.monotonic() > self._counted[0] + UNPRICED_KEPT_SECONDS:
                with open_snapshot(doors.pool, stale=True, timeout_seconds=CONNECTION_WAIT_SECONDS) as snapshot:
                    found = count_by_band(snapshot.connection, snapshot.position)[UNPRICED]
                self._counted = (time.monotonic(), found)
            return self._counted[1]


@router.get("/health", summary="Whether the ledger answers", responses=example(HEALTH))
def get_health(request: Request) -> Response:
    """200 where the database answers and no projection stands still; else 503, with what is known."""
    doors = doors_of(request)
    try:
        with doors.pool.connection(timeout=CONNECTION_WAIT_SECONDS) as connection:
            projections = status(connection)
    except (psycopg.Error, PoolTimeout) as error:
        logger.warning("health: the database does not answer: %s", error)
        return answer({"status": "unavailable", "detail": "the database cannot be reached"}, 503)
    failed = [one.name for one in projections if one.error is not None]
    position = max((one.position + one.lag for one in projections), default=0)
    content = {
        "status": "failing" if failed else "ok",
        "position": position,
        "projections": {
            one.name: {"position": one.position, "lag": one.lag, "error": one.error} for one in projections
        },
        "unpriced_wallets": None if failed else request.app.state.unpriced.count(doors),
    }
    return answer(content, 503 if failed else 200)


new_count = _Unpriced
