"""The plain loop of `ledger serve`: after each price vector it charges interest and examines the wallets at risk."""

import logging
import threading
from datetime import datetime
from decimal import Decimal
from itertools import islice

import psycopg
from psycopg_pool import PoolTimeout

from api import jobs
from api.keys import Pool
from ledger import Ledger, Outcome, Refused, Unavailable, parse_command
from ledger.errors import NothingToDo
from ledger.log import read_stream
from ledger.market import Market
from ledger.postgres import connect, open_pool
from ledger.wallets import hour_of
from ledger.words import PRICES
from projections.market.queries import market_at
from projections.questions.levels import READS, Candidate, candidates
from projections.snapshot import open_snapshot

ACTOR = "ledger:examination"
EVENTS_CHANNEL = "ledger_events"
POLL_SECONDS = 0.25
FIRST_PAUSE_SECONDS = 0.25
LAST_PAUSE_SECONDS = 15.0
WAIT_SECONDS = 30.0
EXAMINED_AT_ONCE = 500

logger = logging.getLogger("ledger.examining")


def examine_wallets(ledger: Ledger, url: str, stop: threading.Event) -> None:
    """Examines after each price vector until `stop` is set, through whatever fails meanwhile.

    What could not be done for a vector is done with the next try, then at the newest prices.
    """
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            with (
                connect(url, application_name="ledger examining", autocommit=True) as listening,
                open_pool(url, application_name="ledger examining", max_size=2) as pool,
            ):
                listening.execute(f"listen {EVENTS_CHANNEL}")
                examiner = Examiner(ledger, pool)
                while not stop.is_set():
                    examiner.step()
                    pause = FIRST_PAUSE_SECONDS
                    _wait_for_events(listening)
        except Exception as error:
            logger.warning("examining: %s; trying again in %.1f s", error, pause, exc_info=_is_unexpected(error))
            stop.wait(pause)
            pause = min(2 * pause, LAST_PAUSE_SECONDS)


def _wait_for_events(listening: psycopg.Connection[tuple[object, ...]]) -> None:
    """Returns when something was recorded, or after a while all the same: a notice may be lost."""
    for _ in islice(listening.notifies(timeout=POLL_SECONDS, stop_after=1), 1):
        pass


def _is_unexpected(error: Exception) -> bool:
    return not isinstance(error, psycopg.Error | PoolTimeout | Unavailable)


class Examiner:
    """Acts on each price vector once; several may do so at once, for an examination that finds nothing does nothing."""

    def __init__(self, ledger: Ledger, pool: Pool, *, actor: str = ACTOR, wait_seconds: float = WAIT_SECONDS) -> None:
        self._ledger = ledger
        self._pool = pool
        self._actor = actor
        self._wait_seconds = wait_seconds
        self._prices_version = 0
        self._charged_hour: datetime | None = None

    def step(self) -> int:
        """Acts on the newest price vector, if it was not acted on; returns how many wallets were called or liquidated.

        Waits until the projections have everything recorded before; Unavailable where they do not get there in time.
        """
        with self._pool.connection() as connection:
            if not read_stream(connection, PRICES, after_version=self._prices_version, limit=1):
                return 0
        market = self._market()
        correlation_id = f"examination:{market.prices_version}"
        self._charge_interest(market, correlation_id)
        found = self._at_risk()
        acted = self._examine(found, correlation_id)
        self._prices_version = market.prices_version
        return acted

    def _market(self) -> Market:
        with open_snapshot(self._pool, timeout_seconds=self._wait_seconds, names=["market"]) as snapshot:
            return market_at(snapshot.connection, snapshot.position)

    def _charge_interest(self, market: Market, correlation_id: str) -> None:
        """Charges all who owe up to the hour of the newest prices, hours that were missed included."""
        if market.newest_prices_at is None:
            return
        hour = hour_of(market.newest_prices_at)
        if self._charged_hour is not None and hour <= self._charged_hour:
            return
        stated = hour.isoformat().replace("+00:00", "Z")
        job = parse_command({"type": "accrue_interest", "hour": stated, "idempotency_key": f"interest:{stated}"})
        outcomes = jobs.submit(
            self._ledger,
            self._pool,
            [job],
            actor=self._actor,
            correlation_id=correlation_id,
            wait_seconds=self._wait_seconds,
        )
        _log_refusals(f"interest of {stated}", outcomes)
        self._charged_hour = hour

    def _at_risk(self) -> list[Candidate]:
        """The wallets that an examination would act on, the worst first, then by account and wallet."""
        with open_snapshot(self._pool, timeout_seconds=self._wait_seconds, names=READS) as snapshot:
            found = [one for one in candidates(snapshot.connection, snapshot.position) if one.level is not None]
        return sorted(found, key=lambda one: (Decimal(one.level or 0), one.account_id, one.wallet))

    def _examine(self, found: list[Candidate], correlation_id: str) -> int:
        acted = 0
        for start in range(0, len(found), EXAMINED_AT_ONCE):
            part = found[start : start + EXAMINED_AT_ONCE]
            commands = [
                parse_command({"type": "examine", "account_id": one.account_id, "wallet": one.wallet}) for one in part
            ]
            outcomes = self._ledger.submit(commands, actor=self._actor, correlation_id=correlation_id)
            _log_refusals("examination", outcomes)
            acted += sum(not isinstance(outcome, Refused) for outcome in outcomes)
        return acted


def _log_refusals(what: str, outcomes: list[Outcome]) -> None:
    """Tells of refusals that are not expected; Unavailable is raised, for then all of it is to be done again."""
    for outcome in outcomes:
        if isinstance(outcome, Refused) and isinstance(outcome.refusal, Unavailable):
            raise outcome.refusal
        if isinstance(outcome, Refused) and not isinstance(outcome.refusal, NothingToDo):
            logger.warning("%s was refused (%s): %s", what, outcome.refusal.code, outcome.refusal.detail)
