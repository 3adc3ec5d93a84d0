"""Accounts as the log leaves them, event by event: folded once for all projectors that stand at the same position."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import count
from typing import NamedTuple, TypeVar, cast, get_args

import psycopg

from ledger import events as e
from ledger.account import Account, evolve
from ledger.events import AccountEvent, AnyEvent
from ledger.log import Connection, RecordedEvent
from ledger.postings import postings
from ledger.snapshots import accounts_at, read_account, write_state
from ledger.wallets import Wallet
from ledger.words import SPOT, Line
from projections.halves import Half

Setting = (
    e.MarginModeSet | e.LeverageSet | e.MarginCalled | e.InterestAccrued | e.LiquidationStarted | e.LiquidationCompleted
)
"""The events that act on a margin wallet or set something of it, whatever they post to it."""
SETTINGS = frozenset(get_args(Setting))

KEPT_ACCOUNTS = 50_000
"""How many accounts a fold keeps in memory; the others are set aside in a table of its session."""

_NUMBERS = count(1)

T = TypeVar("T")


class Step(NamedTuple):
    """One event with the lines it posts, and its account before and after; neither may be changed.

    `written` are the wallets that the event wrote to, as they were (None: a bucket that was never used) and as they
    are. An event of the exchange has no account.
    """

    position: int
    event: AnyEvent
    lines: list[Line]
    before: Account | None
    after: Account | None
    written: list[tuple[Wallet | None, Wallet]]


class Fold:
    """Every account as of one position of the log, from which it goes on event by event.

    What accounts are comes from the log and the snapshots beside it, never from a projection's tables. A fold that met
    an event which it could not take is of no more use.
    """

    def __init__(self, connection: Connection, position: int, limit: int = KEPT_ACCOUNTS) -> None:
        self.position = position
        self._started_at = position
        self._connection = connection
        self._limit = limit
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._aside = f"folded_accounts_{next(_NUMBERS)}"
        self._has_set_aside = False

    def take(self, events: Sequence[RecordedEvent], last: int | None = None) -> list[Step]:
        """The steps of the events next to its position, up to `last` where these are not all events."""
        self._bring(events)
        steps = [self._step(recorded) for recorded in events]
        self.position = events[-1].position if last is None else last
        self._keep_to_limit()
        return steps

    def close(self) -> None:
        """Gives back what was set aside."""
        if self._has_set_aside and not self._connection.closed:
            with suppress(psycopg.Error):  # A session that is gone has dropped it.
                self._connection.execute(f"drop table {self._aside}")

    def _step(self, recorded: RecordedEvent) -> Step:
        event = recorded.event
        lines = postings(event)
        before = self._accounts.get(event.account_id)
        if before is None:
            return Step(recorded.position, event, lines, None, None, [])
        after = before.copy()
        evolve(after, cast(AccountEvent, event), lines)
        self._accounts[event.account_id] = after
        return Step(recorded.position, event, lines, before, after, _written(before, after))

    def _bring(self, events: Sequence[RecordedEvent]) -> None:
        """Has the accounts of these events in memory as of the position before them."""
        first: dict[str, AnyEvent] = {}
        for recorded in events:
            first.setdefault(recorded.event.account_id, recorded.event)
        missing = []
        for account_id, event in first.items():
            if account_id in self._accounts:
                self._accounts.move_to_end(account_id)
            elif event.version == 1:
                if not account_id.startswith("@"):
                    self._accounts[account_id] = Account.unopened(account_id)
            elif not account_id.startswith("@"):
                missing.append(account_id)
        if missing:
            self._load(missing)

    def _load(self, account_ids: Sequence[str]) -> None:
        found: dict[str, Account] = {}
        if self._has_set_aside:
            rows = self._connection.execute(
                f"select account_id, state from {self._aside} where account_id = any(%s)", [list(account_ids)]
            )
            found = {account_id: read_account(state) for account_id, state in rows}
        # An account that was not met since the fold began is as it was there.
        unmet = [account_id for account_id in account_ids if account_id not in found]
        if unmet and self._started_at:
            found |= accounts_at(self._connection, unmet, self._started_at)
        for account_id in account_ids:
            self._accounts[account_id] = found.get(account_id) or Account.unopened(account_id)

    def _keep_to_limit(self) -> None:
        excess = len(self._accounts) - self._limit
        if excess <= 0:
            return
        # Some more than must go, so that not every batch has a few to set aside.
        leaving = [self._accounts.popitem(last=False) for _ in range(excess + self._limit // 10)]
        if not self._has_set_aside:
            self._connection.execute(f"create temp table {self._aside} (account_id text primary key, state bytea)")
            self._has_set_aside = True
        self._connection.execute(
            f"insert into {self._aside} select * from unnest(%s::text[], %s::bytea[])"
            " on conflict (account_id) do update set state = excluded.state",
            [[account_id for account_id, _ in leaving], [write_state(account) for _, account in leaving]],
        )


def _written(before: Account, after: Account) -> list[tuple[Wallet | None, Wallet]]:
    """The wallets that are not what they were; an event puts new ones in place of those it writes to."""
    written: list[tuple[Wallet | None, Wallet]] = []
    old, new = before.wallets, after.wallets
    if old.spot is not new.spot:
        written.append((old.spot, new.spot))
    if old.cross is not new.cross:
        written.append((old.cross, new.cross))
    if old.isolated is not new.isolated:
        for pair, bucket in new.isolated.items():
            was = old.isolated.get(pair)
            if was is not bucket:
                written.append((was, bucket))
    return written


def _wrote_margin(step: Step) -> bool:
    """A step that wrote to spot as well wrote to it first."""
    written = step.written
    return bool(written) and written[-1][1].name != SPOT


class Batch:
    """Events of the log next to each other; their steps are folded when the first projector asks for them.

    With a `half` they are those of its accounts only, after the position `start` up to `last`.
    """

    def __init__(
        self, events: Sequence[RecordedEvent], fold: Fold, last: int | None = None, half: Half | None = None
    ) -> None:
        self.events = events
        self.start = fold.position
        self.last = events[-1].position if last is None else last
        self._fold = fold
        self._half = half
        self._steps: list[Step] | None = None
        self._failure: Exception | None = None

    @property
    def writes_sums(self) -> bool:
        """Whether rows that are of no account are to be written: of two halves only the first one does."""
        return self._half is None or self._half.is_first

    def of_others(self, name: str, own: Iterable[T]) -> Sequence[T]:
        """What the other half tells of these positions under a name, for which it is told `own`; nothing if alone."""
        return () if self._half is None else self._half.exchange((name, self.last), list(own))

    @property
    def steps(self) -> list[Step]:
        """One step for each event; raises, each time it is asked, what an event raised that cannot be folded."""
        if self._failure is not None:
            raise self._failure
        if self._steps is None:
            try:
                self._steps = self._fold.take(self.events, self.last)
            except Exception as failure:
                self._failure = failure
                raise
        return self._steps

    @cached_property
    def margin_steps(self) -> list[Step]:
        """The steps that wrote to a margin wallet or set something of one: most projectors look at no others."""
        return [step for step in self.steps if type(step.event) in SETTINGS or _wrote_margin(step)]

    @property
    def has_failed(self) -> bool:
        """Whether an event could not be folded, so that the fold is of no more use."""
        return self._failure is not None
