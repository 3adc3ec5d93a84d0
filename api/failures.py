"""What a failure of any kind is answered with: a refusal in words; a fault of ours also leaves its trace in the log."""

import logging

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from api.problems import ServerFailed
from ledger.errors import EventUnreadable, Refusal, Unavailable

DATABASE_LOST = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed, TooManyRequests)

logger = logging.getLogger("ledger.api")


def refusal_of(error: Exception, correlation_id: str) -> Refusal:
    """The refusal that a failed request is answered with; the log has the trace of a fault under its correlation id."""
    if isinstance(error, EventUnreadable):
        logger.error("request %s: %s", correlation_id, error)
    if isinstance(error, Refusal):
        return error
    if isinstance(error, DATABASE_LOST):
        logger.warning("the database cannot be reached: %s", error)
        return Unavailable("the database cannot be reached; ask again, a command with the same idempotency key")
    logger.error("request %s failed", correlation_id, exc_info=error)
    return ServerFailed(
        f"the server failed at this request; its log has the trace under correlation id {correlation_id}"
    )
