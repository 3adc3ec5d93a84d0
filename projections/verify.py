"""Verifies the read side: folds the whole log again from nothing, and compares it with what is live, line by line."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from ledger.errors import EventUnreadable, Unavailable
from ledger.log import RecordedEvent, log_end, read_log
from ledger.money import plain
from ledger.postgres import PROJECTIONS, Connection, connect
from projections import leadership, snapshot_check
from projections.account_check import ACCOUNTS_AT_ONCE, AccountCheck
from projections.catalogue import ALL
from projections.copying import BATCH_SIZE, Copy, compare, feeding
from projections.feeding import Feeder
from projections.key_check import KeyCheck
from projections.log_check import LogCheck
from projections.progress import beyond_the_end, ensure_tables, standings
from projections.runner import ProjectionFailed, catch_up
from projections.snapshot import BEGIN, open_snapshot
from projections.tables import drop_schema
from projections.text_key_check import TextKeyCheck

Progress = Callable[[str, int, int], None]
Check = LogCheck | KeyCheck | TextKeyCheck

ACCOUNT_PROJECTIONS = ("accounts", "balances", "positions")
"""Those that accounts are compared with, as the write side folds them."""


class VerificationRefused(RuntimeError):
    """The verification cannot be done now; the message says why."""


class VerifyReport(NamedTuple):
    """What was found: nothing, if `differences` is empty and `trial_balance_zero` holds.

    `position` is what everything was brought to and checked at; `events` and `accounts` count what was folded.
    """

    position: int
    events: int
    differences: list[str]
    accounts: int
    trial_balance_zero: bool


def verify(url: str, progress: Progress = lambda *_: None) -> VerifyReport:
    """Folds every event from nothing and compares the outcome with the live projections.

    Checks the log by itself (positions, versions, times, postings that sum to zero), and that neither projections nor
    idempotency keys know of events beyond its end; the keys against what the events claim; the keys of texts
    against what was sealed and erased; each table of each
    projection against a copy made afresh; and each account as the write side folds it against balances, positions and
    accounts. Snapshots of the write side are folded again too.
    The live projections go on meanwhile. `progress` is told what is being done, how far it is, and how far it has to
    go. Refuses with VerificationRefused while another verification runs.
    """
    application = f"ledger verify {os.getpid()}"
    with (
        connect(url, application_name=application, role=PROJECTIONS, autocommit=True) as connection,
        connect(url, application_name=application, role=PROJECTIONS, autocommit=True) as reader,
        connect(url, application_name=application, role=PROJECTIONS, autocommit=True) as writer,
        feeding(reader, writer) as feeder,
        leadership.alone(connection, leadership.VERIFICATION, "verify") as granted,
    ):
        if not granted:
            raise VerificationRefused("another verification is running; wait for it to end")
        ensure_tables(connection, ALL)
        return _Verification(connection, feeder, progress).run(url)


class _Verification:
    def __init__(self, connection: Connection, feeder: Feeder, progress: Progress) -> None:
        self._connection = connection
        self._reader = feeder.reader
        self._feeder = feeder
        self._progress = progress
        self._differences: list[str] = []

    def run(self, url: str) -> VerifyReport:
        try:
            catch_up(url)
        except ProjectionFailed as failure:
            self._differences.append(str(failure))
        live = self._positions()  # Before the end is: a log only grows.
        end = log_end(self._connection).position
        self._differences += [beyond_the_end(name, at, end) for name, at in live.items() if at > end]
        position = min(end, *(live[name] for name in ACCOUNT_PROJECTIONS))
        log, keys, texts = LogCheck(sum_until=position), KeyCheck(self._connection), TextKeyCheck(self._connection)
        with ExitStack() as leaving:
            copies = [leaving.enter_context(self._copy(name)) for name in ALL]
            fed = self._fold(end, (log, keys, texts), copies, live)
            self._differences += log.differences
            self._differences += keys.differences(log.position, complete=log.position == end)
            self._differences += texts.differences()
            self._compare(url, fed)
        accounts = sorted(
            stream for stream, first in log.first.items() if first <= position and not stream.startswith("@")
        )
        balanced = self._check_accounts(accounts, position, log)
        self._differences += snapshot_check.differences(self._connection)
        return VerifyReport(position, log.events, self._differences, len(accounts), balanced)

    def _positions(self) -> dict[str, int]:
        known = standings(self._connection)
        return {name: known[name].position for name in ALL}

    @contextmanager
    def _copy(self, name: str) -> Iterator[Copy]:
        copy = Copy.created(self._connection, name, f"verify_{name}")
        try:
            yield copy
        finally:
            if not self._connection.closed:
                drop_schema(self._connection, copy.schema)

    def _fold(self, end: int, checks: Sequence[Check], copies: Sequence[Copy], live: dict[str, int]) -> list[Copy]:
        """Checks the log and feeds it to the copies, each as far as its live one; returns those that took it."""
        good = list(copies)
        for events in self._read(end):
            for check in checks:
                check.take(events)
            good = self._taken(good, events, live)
            self._progress("events", events[-1].position, end)
        self._feeder.settle()
        return [copy for copy in self._without_failed(good) if copy.position == live[copy.name]]

    def _taken(self, copies: Sequence[Copy], events: list[RecordedEvent], live: dict[str, int]) -> list[Copy]:
        """Feeds events to the copies, to each those that its live one has; returns the copies that did not fail."""
        groups: dict[int, list[Copy]] = {}
        for copy in copies:
            if copy.position + 1 == events[0].position:
                groups.setdefault(min(len(events), live[copy.name] - copy.position), []).append(copy)
        for many, group in sorted(groups.items(), reverse=True):
            if many > 0:
                self._feeder.feed(group, events[:many])
        return self._without_failed(copies)

    def _without_failed(self, copies: Sequence[Copy]) -> list[Copy]:
        """The copies that took all they were fed; of the others it is said which event they cannot take."""
        for copy in copies:
            if copy.failure is not None:
                at, error = self._culprit(copy)
                self._differences.append(f"projection {copy.name} cannot take event {at}: {_in_one_line(error)}")
        return [copy for copy in copies if copy.failure is None]

    def _culprit(self, copy: Copy) -> tuple[int, Exception]:
        """The one event that a copy cannot take, of those that it failed at, and why."""
        assert copy.failure is not None
        error, events = copy.failure
        while events > 1:
            copy.failure = None
            self._feeder.feed([copy], read_log(self._connection, copy.position, events // 2))
            self._feeder.settle()
            failure: tuple[Exception, int] | None = copy.failure
            if failure is None:
                events -= events // 2
            else:
                error, events = failure
        copy.failure = (error, 1)
        return copy.position + 1, error

    def _read(self, until: int, *, after: int = 0) -> Iterator[list[RecordedEvent]]:
        """The log in batches, as far as it can be read: up to the first event whose bytes say nothing."""
        size = BATCH_SIZE
        while after < until:
            try:
                batch = read_log(self._connection, after, size, until)
            except EventUnreadable as unreadable:
                if size == 1:
                    self._differences.append(f"log: {unreadable.detail}")
                    return
                size = size // 2
                continue
            if not batch:
                return
            yield batch
            after = batch[-1].position

    def _compare(self, url: str, copies: Sequence[Copy]) -> None:
        for number, copy in enumerate(copies, start=1):
            # Those that stand together go on together, so that what they fold is folded once.
            along = [one for one in copies[number - 1 :] if one.position == copy.position]
            self._differences += self._compared(url, along)
            self._progress("projections", number, len(copies))

    def _compared(self, url: str, copies: Sequence[Copy]) -> list[str]:
        """Brings copies to where the first one's live one stands, and compares these two as of that moment."""
        copy = copies[0]
        if standings(self._connection)[copy.name].obstacle(copy.name) is None:
            # Going along with others, a copy may have come further than its live one.
            with suppress(ProjectionFailed):
                catch_up(url, [copy.name])
        with leadership.leading(self._connection, copy.name):
            live = self._positions()[copy.name]
            for events in self._read(live, after=copy.position):
                self._feeder.feed(copies, events)
            self._feeder.settle()
            if copy not in self._without_failed(copies):
                return []
            if copy.position != live:
                return [f"projection {copy.name} was not compared: it stands at {live}, its copy at {copy.position}"]
            self._reader.execute(BEGIN)
            standings(self._reader)  # The first query takes the snapshot; the live copy may go on from here.
        try:
            found = compare(self._reader, copy.name, copy.schema)
        finally:
            self._reader.rollback()
        if not found.differences:
            return []
        head = f"projection {copy.name} at position {live}: {found.differences} rows differ from folding the log"
        return [head, *(f"  {example}" for example in found.examples)]

    def _check_accounts(self, account_ids: Sequence[str], position: int, log: LogCheck) -> bool:
        """Compares accounts as the write side folds them; returns whether all books are zero in every asset."""
        try:
            with open_snapshot(self._reader, position=position, stale=True, names=ACCOUNT_PROJECTIONS) as snapshot:
                check = AccountCheck(snapshot.connection, snapshot.position)
                for start in range(0, len(account_ids), ACCOUNTS_AT_ONCE):
                    check.take(account_ids[start : start + ACCOUNTS_AT_ONCE])
                    self._progress("accounts", min(start + ACCOUNTS_AT_ONCE, len(account_ids)), len(account_ids))
        except Unavailable as refusal:
            self._differences.append(str(refusal))
            return False
        self._differences += check.differences
        totals = {asset: log.house[asset] + check.net[asset] for asset in {*log.house, *check.net}}
        self._differences += [
            f"trial balance: {asset} sums to {plain(total)}, not to zero" for asset, total in totals.items() if total
        ]
        return log.balances and not any(totals.values())


def _in_one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
