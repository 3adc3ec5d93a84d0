"""Snapshots: what the events of long streams left, kept beside the log so that nobody folds them from the start.

A snapshot is never the truth: it is made from what the write side holds in memory after a commit, it is used only by
the very rules that made it, and `ledger verify` folds every one again.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from threading import Condition, Thread
from typing import Any, NamedTuple, cast

import psycopg
from psycopg.rows import tuple_row
from pydantic import VERSION, TypeAdapter

from ledger.account import Account, evolve
from ledger.arrays import Integer, Text, Texts
from ledger.events import AccountEvent, AnyEvent, write_event
from ledger.log import Connection, read_at
from ledger.market import Market
from ledger.postgres import SERVICE, connect
from ledger.wire import Call, Row, Statement, execute

MARKET = "@market"
"""The name under which the market is kept, which is what @exchange and @prices left together."""
EVENTS_BETWEEN = 200
"""How many events a stream has between two snapshots, at least: so many are folded in a few milliseconds."""
MOST_WAITING = 10_000
PAUSE_SECONDS = 1.0
CLOSE_SECONDS = 20.0

logger = logging.getLogger("ledger.snapshots")

_ACCOUNTS = TypeAdapter(Account)
_MARKETS = TypeAdapter(Market)

# A snapshot is of a log in which the event at its position is the one that it is anchored in: where a log was replaced,
# as by a restored backup, none of the other one is stored or used.
_KEEP = """
insert into snapshots as kept (stream, version, position, anchor, rules, state)
select made.stream, made.version, made.position, made.anchor, %b, made.state
from unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bytea[])
    as made (stream, version, position, anchor, state)
join events on notification_id = made.position and sha256(events.state) = made.anchor
on conflict (stream) do update
set version = excluded.version, position = excluded.position, anchor = excluded.anchor, rules = excluded.rules,
    state = excluded.state, made_at = now()
where kept.rules <> excluded.rules or kept.version < excluded.version
   or not exists (select from events where notification_id = kept.position and sha256(events.state) = kept.anchor)
"""
# Snapshots and the events after them, in one statement, so that no snapshot is replaced between the two. The sum keeps
# the position out of the index: no plan may walk the log by position to find a few streams.
FIND_ACCOUNTS = Statement(
    "find_accounts",
    """
with asked as (select unnest($1) as stream),
     kept as (
         select stream, version, position, snapshots.state from asked join snapshots using (stream)
         join events on notification_id = position and sha256(events.state) = anchor
         where rules = $2 and position <= $3
     )
select stream, version, position, null as topic, state from kept
union all
select stream, originator_version, notification_id, topic, events.state
from asked left join kept using (stream)
join events on originator_id = stream and originator_version > coalesce(kept.version, 0) and notification_id + 0 <= $3
order by 1, 2
""",
    (Texts, Text, Integer),
)
_FIND_MARKET = """
select snapshots.state from snapshots join events on notification_id = position and sha256(events.state) = anchor
where stream = %s and rules = %s and position <= %s
"""
_STORED = """
select stream, version, position, snapshots.state
from snapshots join events on notification_id = position and sha256(events.state) = anchor
where rules = %s and stream > %s order by stream limit %s
"""


class Snapshot(NamedTuple):
    """What a stream's events up to a version left, the log being at a position, where it has the event `last`."""

    stream: str
    version: int
    position: int
    last: AnyEvent
    state: Account | Market


class StoredSnapshot(NamedTuple):
    """A snapshot as it is stored, its state not yet read."""

    stream: str
    version: int
    position: int
    state: bytes


@cache
def rules_in_force() -> str:
    """The SHA-256, in hexadecimal digits, of what a snapshot depends on: this package's code and pydantic's version."""
    digest = hashlib.sha256(VERSION.encode())
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def write_state(state: Account | Market) -> bytes:
    """What is stored of an account or the market."""
    return _ACCOUNTS.dump_json(state) if isinstance(state, Account) else _MARKETS.dump_json(state)


def read_state(stream: str, state: bytes) -> Account | Market:
    """What was stored so, the market under its own name."""
    return _MARKETS.validate_json(state) if stream == MARKET else read_account(state)


def read_account(state: bytes) -> Account:
    """The account that was stored so."""
    return _ACCOUNTS.validate_json(state)


def asked_accounts(account_ids: Sequence[str], until: int, *, by_events_alone: bool = False) -> Call:
    """The question what accounts are as of a position; `found_accounts` reads the answer."""
    rules = "none" if by_events_alone else rules_in_force()
    return Call(FIND_ACCOUNTS, [Texts.of(account_ids), Text.of(rules), Integer.of(until)])


def found_accounts(answer: Iterable[Row]) -> Iterator[tuple[Account, int]]:
    """The answer to `asked_accounts`: each that has events, with the version of its snapshot, 0 if it has none.

    Raises ValueError where a snapshot cannot be read, EventUnreadable where an event cannot.
    """
    for _, rows in groupby(answer, key=itemgetter(0)):
        account, kept_at = None, 0
        for stream, version, position, topic, state in rows:
            if topic is None:
                account, kept_at = read_account(state), version
                if (account.id, account.version) != (stream, version):
                    raise ValueError(f"the snapshot of {stream} is of {account.id} at version {account.version}")
                continue
            account = account or Account.unopened(stream)
            evolve(account, cast(AccountEvent, read_at(position, topic, state)))
        assert account is not None
        yield account, kept_at


def accounts_at(connection: Connection, account_ids: Sequence[str], until: int) -> dict[str, Account]:
    """Accounts as of a position, those that have events by then."""
    try:
        found = list(found_accounts(execute(connection, asked_accounts(account_ids, until))))
    except ValueError:
        # A snapshot that cannot be read is as good as none.
        found = list(found_accounts(execute(connection, asked_accounts(account_ids, until, by_events_alone=True))))
    return {account.id: account for account, _ in found}


def find_market(connection: Connection, until: int) -> Market | None:
    """The market as its last snapshot has it, unless that is of a later position or of other rules."""
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    row = cursor.execute(_FIND_MARKET, [MARKET, rules_in_force(), until]).fetchone()
    try:
        return None if row is None else _MARKETS.validate_json(row[0])
    except ValueError:
        return None  # The events are there; `ledger verify` tells.


def keep(connection: psycopg.Connection[Any], snapshots: Sequence[Snapshot]) -> None:
    """Store snapshots in the place of older ones."""
    rows = [
        (one.stream, one.version, one.position, hashlib.sha256(write_event(one.last)).digest(), write_state(one.state))
        # In one order, so that two processes that store the same ones wait for each other and no more.
        for one in sorted(snapshots, key=lambda one: one.stream)
    ]
    connection.execute(_KEEP, [rules_in_force(), *map(list, zip(*rows, strict=True))])


def stored_snapshots(connection: Connection, after: str, limit: int) -> list[StoredSnapshot]:
    """Those that the rules in force would use, in order of their streams, up to `limit` after one stream."""
    rows = connection.cursor(binary=True, row_factory=tuple_row).execute(_STORED, [rules_in_force(), after, limit])
    return [StoredSnapshot(*row) for row in rows]


class SnapshotKeeper:
    """Stores snapshots in a thread and over a connection of its own, so that no commit waits for them.

    What cannot be stored is let go: the stream is offered again some events later.
    """

    def __init__(self, url: str) -> None:
        rules_in_force()  # Those that this process has loaded, whatever is put in their place while it runs.
        self._url = url
        self._waiting: dict[str, Snapshot] = {}
        self._changed = Condition()
        self._is_closed = False
        self._thread = Thread(target=self._run, name="ledger-snapshots", daemon=True)
        self._thread.start()

    def offer(self, snapshot: Snapshot) -> None:
        """Have a snapshot stored some time soon; its state must not change any more."""
        with self._changed:
            if len(self._waiting) < MOST_WAITING:
                self._waiting[snapshot.stream] = snapshot
                self._changed.notify()

    def close(self) -> None:
        """Store what waits, and end; a database that is not there, or busy, is not waited for long."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while waiting := self._take():
            try:
                self._store(waiting)
            except Exception as error:
                logger.warning("%d snapshots were not stored: %s", len(waiting), error)

    def _take(self) -> list[Snapshot]:
        """What waits; a moment's pause lets more come together, and a hot stream be stored once."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if not self._is_closed:
                self._changed.wait_for(lambda: self._is_closed, PAUSE_SECONDS)
            waiting = list(self._waiting.values())
            self._waiting.clear()
        return waiting

    def _store(self, snapshots: Sequence[Snapshot]) -> None:
        with connect(
            self._url, application_name="ledger snapshots", role=SERVICE, autocommit=True, connect_timeout=5
        ) as connection:
            connection.execute("set lock_timeout = '2s'; set statement_timeout = '10s'")
            keep(connection, snapshots)
