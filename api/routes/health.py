"""Health: where the log ends, how far each projection is, and what stands still; asked without a key."""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from fastapi import APIRouter, Request
from psycopg_pool import PoolTimeout
from starlette.responses import Response

from api.answers import answer
from api.doors import Doors, doors_of
from api.examples import HEALTH, example
from api.risk_standing import read_engine, shown
from projections.progress import ProjectionStatus, status
from projections.questions import feeds
from projections.questions.levels import UNPRICED, count_by_band, levels
from projections.questions.liquidations import overdue_now
from projections.snapshot import open_snapshot

CONNECTION_WAIT_SECONDS = 2.0
UNPRICED_KEPT_SECONDS = 5.0
"""How long what was found of unpriced wallets is told again: finding them looks at every wallet that owes."""
UNPRICED_LISTED = 100
PRICES_LISTED = 100
OK, STALLED, FAILING = "ok", "stalled", "failing"

logger = logging.getLogger("ledger.api")
router = APIRouter(tags=["health"])
_HEALTH = HEALTH | {
    "projections": {
        "balances": {
            "position": 1042,
            "lag": 0,
            "led": True,
            "error": None,
            "error_position": None,
            "failed_at": None,
        }
    },
    "risk": {
        "led": True,
        "position": 1042,
        "watched": 311,
        "asking": {"margin_call": 2, "liquidation": 1, "unpriced": 1},
        "waiting": 0,
        "uncharged": 0,
        "step_seconds": 0.004,
        "stepped_at": "2026-01-10T12:00:00Z",
    },
    "unpriced_wallets": 1,
    "unpriced": [{"account_id": "carol", "wallet": "cross"}],
    "prices": {
        "newest_prices_at": "2020-03-12T10:47:05Z",
        "stale_prices": 1,
        "stale": [
            {
                "pair": "BTC/USDT",
                "effective_at": "2020-03-12T10:45:00Z",
                "age_seconds": 125.8,
                "behind_seconds": 125.0,
                "max_age_seconds": 60,
            }
        ],
        "held_prices": 1,
        "held": [{"pair": "BTC/USDT", "source": "index", "effective_at": "2020-03-12T10:47:05Z"}],
    },
    "overdue_liquidations": 0,
}


class Unpriced(NamedTuple):
    """The wallets that cannot be examined for lack of prices: how many there are, and the first of them."""

    total: int
    wallets: list[dict[str, str]]


class _LastUnpriced:
    """What was last found of wallets that lack a price."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: tuple[float, Unpriced] | None = None

    def now(self, doors: Doors) -> Unpriced:
        """As of the last few seconds."""
        with self._lock:
            if self._found is None or time.monotonic() > self._found[0] + UNPRICED_KEPT_SECONDS:
                found = _unpriced(doors)
                self._found = (time.monotonic(), found)
            return self._found[1]


def _unpriced(doors: Doors) -> Unpriced:
    with open_snapshot(doors.pool, stale=True, timeout_seconds=CONNECTION_WAIT_SECONDS) as snapshot:
        total = count_by_band(snapshot.connection, snapshot.position)[UNPRICED]
        limit = min(total, UNPRICED_LISTED)
        rows = levels(snapshot.connection, snapshot.position, band=UNPRICED, limit=limit) if limit else []
    return Unpriced(total, [{"account_id": row["account_id"], "wallet": row["wallet"]} for row in rows])


def _prices(doors: Doors) -> dict[str, Any]:
    with open_snapshot(doors.pool, stale=True, timeout_seconds=CONNECTION_WAIT_SECONDS, names=feeds.READS) as snapshot:
        found = feeds.feeds(snapshot.connection, snapshot.position, datetime.now(UTC))
    return feeds.feeds_answer(found, PRICES_LISTED)


def _overdue(doors: Doors) -> int:
    names = ("liquidations", "market")
    with open_snapshot(doors.pool, stale=True, timeout_seconds=CONNECTION_WAIT_SECONDS, names=names) as snapshot:
        return overdue_now(snapshot.connection, snapshot.position)


@router.get("/health", summary="Whether the ledger answers", responses=example(_HEALTH))
def get_health(request: Request) -> Response:
    """200 where the database answers and every projection goes on; else 503, with what is known.

    `failing` is a projection that stands still or is beyond the log's end: `error_position` is that of the event before
    which it stands, `failed_at` since when. `stalled` is one that lags while nobody leads it: then `ledger serve` or
    `ledger project` runs nowhere.

    `risk` is the risk engine: up to which `position` every wallet that asked for it was examined, how many wallets owe
    (`watched`), asked by band, and wait, how many accounts wait to be charged their interest, how long its last step
    took. Where it is not `led`, nothing is examined: `ledger serve` or `ledger risk` runs it. That is no reason to take
    the API away from customers, who may then add margin, so it does not change the status.

    `prices` tells what is stale by the clock, and what is held until another source or an operator confirms it, and
    `overdue_liquidations` how many run beyond the time limit of their external execution; none of it changes `status`.
    """
    doors = doors_of(request)
    try:
        with doors.pool.connection(timeout=CONNECTION_WAIT_SECONDS) as connection:
            projections, engine = status(connection), read_engine(connection)
    except (psycopg.Error, PoolTimeout) as error:
        logger.warning("health: the database does not answer: %s", error)
        return answer({"status": "unavailable", "detail": "the database cannot be reached"}, 503)
    word = _word(projections)
    unpriced = None if word == FAILING else request.app.state.unpriced.now(doors)
    content = {
        "status": word,
        "position": max((one.position + one.lag for one in projections), default=0),
        "projections": {one.name: _shown(one) for one in projections},
        "risk": shown(engine),
        "unpriced_wallets": None if unpriced is None else unpriced.total,
        "unpriced": None if unpriced is None else unpriced.wallets,
        "prices": None if word == FAILING else _prices(doors),
        "overdue_liquidations": None if word == FAILING else _overdue(doors),
    }
    return answer(content, 200 if word == OK else 503)


def _word(projections: Sequence[ProjectionStatus]) -> str:
    if any(one.error is not None for one in projections):
        return FAILING
    return STALLED if any(one.lag and one.leader_pid is None for one in projections) else OK


def _shown(one: ProjectionStatus) -> dict[str, Any]:
    return {
        "position": one.position,
        "lag": one.lag,
        "led": one.leader_pid is not None,
        "error": one.error,
        "error_position": one.error_position,
        "failed_at": one.failed_at,
    }


new_count = _LastUnpriced
