"""An account folded by business time: what is kept of it at some of its versions, and going on from there.

Balances are sums, and come out the same in whatever order events are taken. Positions, uncharged hours and settings do
not: where an event was entered late, what the log's order made of them is not what the order of the dates makes of
them. So from then on folds by (effective_at, position) are kept. Where an event is entered late, those of later times
stay for who asks what was known before, and new ones are made from its date on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, NamedTuple, get_args

from pydantic import PlainSerializer, TypeAdapter

from ledger import events as e
from ledger.log import RecordedEvent, read_positions, read_stream
from ledger.postgres import Connection
from ledger.postings import postings
from ledger.wallets import Wallets
from ledger.words import SPOT, AccountStatus, Capability, Line, MarginMode, isolated
from projections.dating import LATE, across
from projections.wallet_settings import WalletSettings

EVENTS_BETWEEN = 100
"""Events between two folds that are kept: so many are taken in a few milliseconds."""

LAST_FOLD = """
select dated_to, position, version, state::text from account_folds
where account_id = %(account_id)s and dated_to <= %(until)s and position <= %(position)s
  and (valid_to is null or valid_to > %(position)s)
order by dated_to desc, position desc limit 1
"""
# What stands up to the base is dated up to `moment`. Of what was recorded since, this is dated before that.
EARLIEST_SINCE = f"""
select min(late.effective_at) from {LATE} cross join lateral (
    select effective_at from account_versions
    where account_id = %(account_id)s and lateness > 0 and lateness = class.lateness
      and effective_at >= class.earliest and effective_at < %(moment)s
      and ordered and position > %(base)s and position <= %(position)s
    order by effective_at limit 1
) as late
"""


@dataclass(slots=True)
class DatedAccount:
    """What events made of an account, of its margin wallets by name also what is set of them."""

    wallets: Wallets
    position: int = 0
    version: int = 0
    status: AccountStatus = AccountStatus.OPEN
    # In order, so that what is kept does not depend on the process that wrote it.
    blocks: Annotated[frozenset[Capability], PlainSerializer(sorted, return_type=list[str])] = frozenset()
    modes: dict[str, MarginMode] = field(default_factory=dict)
    leverages: dict[str, Decimal] = field(default_factory=dict)
    settings: dict[str, WalletSettings] = field(default_factory=dict)

    def take(self, event: e.AccountEvent, position: int) -> None:
        """Takes one event in, in whatever order they come; `position` and `version` are the last in the log's."""
        lines = postings(event)
        self.position = max(self.position, position)
        self.version = max(self.version, event.version)
        self.wallets.apply(event, lines)
        for name in margin_wallets_of(event, lines):
            self.settings[name] = self.settings.get(name, WalletSettings()).after(event, name)
        match event:
            case e.AccountOpened():
                self.status = AccountStatus.OPEN
            case e.AccountUnfrozen():
                self.status, self.blocks = AccountStatus.OPEN, frozenset()
            case e.AccountFrozen():
                self.status, self.blocks = AccountStatus.FROZEN, frozenset(event.blocks)
            case e.AccountClosed():
                self.status = AccountStatus.CLOSED
            case e.MarginModeSet():
                self.modes[event.pair] = event.mode
            case e.LeverageSet():
                self.leverages[event.wallet] = event.leverage
            case _:
                pass


class Base(NamedTuple):
    """An account as those of its events made it that were known at a position and are dated up to a time, by date.

    All events up to `version` are dated so; `dated_to` None: there are none.
    """

    dated_to: datetime | None
    position: int
    version: int
    state: DatedAccount

    def has(self, recorded: RecordedEvent) -> bool:
        """Whether an event is in it."""
        return (
            self.dated_to is not None
            and recorded.position <= self.position
            and recorded.event.effective_at <= self.dated_to
        )


_FOLDS = TypeAdapter(DatedAccount)


def margin_wallets_of(event: e.AnyEvent, lines: Iterable[Line]) -> set[str]:
    """The margin wallets that an event posts to, acts on, or sets something of."""
    names = {line.book.name for line in lines if line.book.account_id is not None}
    return {name for name in (*names, _acts_on(event), _sets(event)) if name is not None and name != SPOT}


def _acts_on(event: e.AnyEvent) -> str | None:
    """The wallet that an event acts on also where it posts nothing to it."""
    match event:
        case e.InterestAccrued() | e.LiquidationStarted() | e.LiquidationCompleted():
            return event.wallet
        case _:
            return None


def _sets(event: e.AnyEvent) -> str | None:
    """The wallet of which an event sets something beside balances."""
    match event:
        case e.LeverageSet() | e.MarginCalled():
            return event.wallet
        case e.MarginModeSet():
            return isolated(event.pair)
        case _:
            return None


_ORDERED = {
    *get_args(e.LifeEvent),
    e.InterestAccrued,
    e.LiquidationStarted,
    e.LiquidationCompleted,
    e.LeverageSet,
    e.MarginCalled,
    e.MarginModeSet,
}
"""The events of a life, and those that act on a margin wallet or set something of one."""


def order_counts(event: e.AnyEvent, lines: Iterable[Line]) -> bool:
    """Whether it matters before or after which other events this one is taken; what is in spot is a mere sum."""
    # Every event is asked, so no set of wallets is made.
    for (account_id, name, _), _, _ in lines:
        if account_id is not None and name != SPOT:
            return True
    return type(event) in _ORDERED


def kept_fold(connection: Connection, account_id: str, position: int, until: datetime) -> Base:
    """The last fold that holds of what is known at a position and dated up to a time; if none is kept, of nothing."""
    asked = {"account_id": account_id, "position": position, "until": until}
    row = connection.execute(LAST_FOLD, asked).fetchone()
    return nothing_yet(account_id) if row is None else Base(row[0], row[1], row[2], _FOLDS.validate_json(row[3]))


def written(state: DatedAccount) -> str:
    """What is kept of an account."""
    return _FOLDS.dump_json(state).decode()


def earliest_since(
    connection: Connection, account_id: str, base: int, dated_to: datetime, position: int
) -> datetime | None:
    """When the first of those events counts that were recorded after a base, up to a position, and belong before it.

    All events up to the base are dated up to `dated_to`.
    """
    asked = {"account_id": account_id, "base": base, "position": position, **across(dated_to)}
    row = connection.execute(EARLIEST_SINCE, asked).fetchone()
    return None if row is None else row[0]


def go_on(connection: Connection, account_id: str, base: Base, version: int, beyond: Sequence[int]) -> DatedAccount:
    """The base after the account's events up to a version and those at the positions `beyond`, by date."""
    for recorded in by_date(missing(connection, account_id, base, version, beyond)):
        base.state.take(recorded.event, recorded.position)  # type: ignore[arg-type]
    return base.state


def missing(
    connection: Connection, account_id: str, base: Base, version: int, beyond: Sequence[int]
) -> list[RecordedEvent]:
    """The account's events up to a version, and at the positions `beyond`, that a base has not; in log order."""
    found: list[RecordedEvent] = []
    if version > base.version:
        found += read_stream(connection, account_id, after_version=base.version, limit=version - base.version)
    if beyond:
        found += read_positions(connection, beyond)
    return [recorded for recorded in found if not base.has(recorded)]


def by_date(recorded: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """Events in the order in which they count."""
    return sorted(recorded, key=lambda one: (one.event.effective_at, one.position))


def nothing_yet(account_id: str) -> Base:
    """Before the first event of an account."""
    return Base(None, 0, 0, DatedAccount(Wallets(account_id)))
