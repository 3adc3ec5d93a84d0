"""The risk engine: follows the log, has every wallet examined that came to a line, and interest charged by the hour.

Whoever acts, acts safely: an examination is decided on the wallet as it then is, so a second one finds nothing to do.
That one engine leads only saves the others the work.
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice

import psycopg

from api.charging import READS as READS_OF_CHARGING
from api.charging import Charging
from api.keys import Pool
from api.risk_standing import ENGINE, Stand, write_stand
from api.turns import Answered, Turns
from ledger import Ledger, Recorded, Refused, Unavailable, parse_command
from ledger.commands import Examine
from ledger.errors import NothingToDo
from ledger.log import log_end
from ledger.postgres import SERVICE, Connection, connect
from ledger.storage import CHANNEL
from projections.leadership import try_to_lead
from projections.market.queries import market_at
from projections.questions.levels import READS, Candidate
from projections.snapshot import open_snapshot
from projections.watch.watch import Watch

ACTOR = "ledger:examination"
POLL_SECONDS = 0.25
BEHIND_SECONDS = 0.01
"""How long to wait for the projections, which have yet to take in what was recorded."""
FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 1.0
WAIT_SECONDS = 30.0
EXAMINED_AT_ONCE = 1_000
EXAMINING_SECONDS = 1.0
CHARGING_SECONDS = 0.25
"""How long is worked before what has happened meanwhile is looked at: interest waits for examinations."""
FAULT_PAUSE_SECONDS = 5.0

logger = logging.getLogger("ledger.risk")

Key = tuple[str, str]
"""A wallet by account and name."""


def watch_over(ledger: Ledger, url: str, stop: threading.Event) -> None:
    """Leads the engine, or stands by for whoever does, until `stop` is set and through whatever fails meanwhile."""
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            with _session(url) as connection:
                while not _leads(connection) and not stop.wait(POLL_SECONDS):
                    pause = FIRST_PAUSE_SECONDS
                examiner = Examiner(ledger, connection, stop=stop)
                while not stop.is_set():
                    _advance(examiner, connection)
                    pause = FIRST_PAUSE_SECONDS
        except Exception as error:
            logger.warning("risk engine: %s; trying again in %.1f s", error, pause, exc_info=_is_unexpected(error))
            stop.wait(pause)
            pause = min(2 * pause, LAST_PAUSE_SECONDS)


def _advance(examiner: "Examiner", connection: Connection) -> None:
    """Works for a while and tells how it stands; where nothing is left to be done, waits for what comes."""
    before = examiner.stand
    has_more = examiner.advance()
    if examiner.stand is not None and examiner.stand is not before:
        write_stand(connection, examiner.stand)
    if not has_more:
        _wait_for_events(connection, examiner.position)


@contextmanager
def _session(url: str) -> Iterator[Connection]:
    """A session that leads until it ends; a peer that is gone is noticed within half a minute."""
    keepalives = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 3}
    with connect(
        url, application_name=f"ledger risk {os.getpid()}", role=SERVICE, autocommit=True, **keepalives
    ) as connection:
        connection.execute(f"listen {CHANNEL}")
        yield connection


def _leads(connection: Connection) -> bool:
    leads = bool(try_to_lead(connection, [ENGINE]))
    if leads:
        logger.info("leading the risk engine")
    return leads


def _wait_for_events(connection: Connection, position: int) -> None:
    """Returns when something was recorded, or after a while all the same: a notice may be lost."""
    if log_end(connection).position > position:
        time.sleep(BEHIND_SECONDS)
        return
    for _ in islice(connection.notifies(timeout=POLL_SECONDS, stop_after=1), 1):
        pass


def _is_unexpected(error: Exception) -> bool:
    return not isinstance(error, psycopg.Error | Unavailable)


class Examiner:
    """Examines what asks for it and charges interest, as of what the projections have; several may at once.

    `source` is where it reads. A wallet that was examined is left alone until the projections have what came of it, and
    one whose examination failed for a while.
    """

    def __init__(
        self,
        ledger: Ledger,
        source: Pool | Connection,
        *,
        actor: str = ACTOR,
        wait_seconds: float = WAIT_SECONDS,
        stop: threading.Event | None = None,
    ) -> None:
        self._source = source
        self._wait_seconds = wait_seconds
        self._stop = stop or threading.Event()
        self._turns = Turns(ledger, actor)
        self._watch: Watch | None = None
        self._charging = Charging()
        self._correlation_id = ""
        self._examined: dict[Key, int] = {}
        self._failed: dict[Key, float] = {}
        self._found: Sequence[Candidate] = ()
        self.stand: Stand | None = None

    @property
    def position(self) -> int:
        """The log position that it has looked at; 0 before it looked."""
        return 0 if self._watch is None else self._watch.position

    def step(self) -> int:
        """Acts on everything recorded before the call; returns how many wallets were called or liquidated.

        Waits until the projections have it; Unavailable where they do not get there in time.
        """
        acted = 0
        self._look(stale=False)
        while (found := self._asking()) and not self._stop.is_set():
            acted += self._examine(found)
        while self._charging.has_more and not self._stop.is_set():
            self._charge()
        return acted

    def advance(self) -> bool:
        """Acts for a while on what the projections have by now; False where nothing is left to be done."""
        began = time.monotonic()
        has_moved = self._look(stale=True)
        asking = self._asking()
        if asking:
            self._examine(asking)
        elif self._charging.has_more:
            self._charge()
        left = self._asking()
        if has_moved or asking or self._charging.left:
            self.stand = Stand(
                self.position,
                len(self._watch or ()),
                dict(Counter(one.band for one in self._found)),
                len(left),
                self._charging.left,
                time.monotonic() - began,
            )
        return bool(left or self._charging.has_more)

    def _look(self, *, stale: bool) -> bool:
        """Follows to where the projections are; False where they have not moved."""
        names = (*READS, *READS_OF_CHARGING)
        with open_snapshot(self._source, stale=stale, timeout_seconds=self._wait_seconds, names=names) as snapshot:
            connection, position = snapshot.connection, snapshot.position
            if self._watch is None or position < self._watch.position:
                self._watch = Watch.opened(connection, position)
            elif not self._watch.follow(connection, position):
                return False
            market = market_at(connection, position)
            self._correlation_id = f"examination:{market.prices_version}"
            self._look_at_hours(connection, position, market.newest_prices_at)
        self._found = self._watch.candidates()
        self._examined = {key: until for key, until in self._examined.items() if until > position}
        return True

    def _look_at_hours(self, connection: Connection, position: int, newest_prices_at: datetime | None) -> None:
        if newest_prices_at is not None and self._charging.is_new(newest_prices_at):
            self._charging.begin(connection, position, newest_prices_at)

    def _asking(self) -> list[Candidate]:
        """The wallets that ask to be examined and can be, most under water first, then by account and wallet."""
        now = time.monotonic()
        self._failed = {key: until for key, until in self._failed.items() if until > now}
        return [
            one
            for one in self._found
            if one.level is not None
            and (one.account_id, one.wallet) not in self._examined
            and (one.account_id, one.wallet) not in self._failed
        ]

    def _examine(self, found: Sequence[Candidate]) -> int:
        """Examines the first of these in this order, for a while; returns how many were called or liquidated."""
        began = time.monotonic()
        acted = 0
        commands = [
            parse_command({"type": "examine", "account_id": one.account_id, "wallet": one.wallet})
            for one in found[:EXAMINED_AT_ONCE]
        ]
        for chunk in self._turns.take(commands, self._correlation_id):
            acted += sum(isinstance(one.outcome, Recorded) for one in chunk)
            for one in chunk:
                self._note_examined(one)
            if self._stop.is_set() or time.monotonic() > began + EXAMINING_SECONDS:
                break
        return acted

    def _note_examined(self, answered: Answered) -> None:
        command, outcome = answered
        assert isinstance(command, Examine)
        key = (command.account_id, command.wallet)
        if isinstance(outcome, Recorded):
            self._examined[key] = outcome.position
            return
        if _is_nothing_to_do(answered):
            # Somebody else was there, or the prices have gone back: the projections will have it presently.
            self._examined[key] = self.position + 1
            return
        self._failed[key] = time.monotonic() + FAULT_PAUSE_SECONDS
        _complain(answered)

    def _charge(self) -> None:
        """Charges interest for a while."""
        began = time.monotonic()
        for chunk in self._turns.take(self._charging.commands(), self._correlation_id):
            for one in chunk:
                is_charged = isinstance(one.outcome, Recorded) or _is_nothing_to_do(one)
                self._charging.was_asked(one.command.stream, is_charged=is_charged)
                if not is_charged:
                    _complain(one)
            if self._stop.is_set() or time.monotonic() > began + CHARGING_SECONDS:
                break


def _is_nothing_to_do(answered: Answered) -> bool:
    return isinstance(answered.outcome, Refused) and isinstance(answered.outcome.refusal, NothingToDo)


def _complain(answered: Answered) -> None:
    """Tells of a refusal that is not expected; of a fault the log has the trace already."""
    command, outcome = answered
    if isinstance(outcome, Refused):
        code, detail = outcome.refusal.code, outcome.refusal.detail
        logger.warning("%s of %s was refused (%s): %s", command.type, command.stream, code, detail)
