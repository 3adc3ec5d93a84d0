"""Checks that the idempotency keys and the events say the same: each key that a decision claimed, and no other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ledger.events import AnyEvent, EventReversed, FundsDeposited, TradeBooked, TransferReceived, TransferSent
from ledger.log import RecordedEvent
from ledger.postgres import Connection

SHOWN_DIFFERENCES = 20

_TABLE = """
create temporary table claimed_keys (
    account_id text, key text, first_position bigint, last_position bigint, earliest bigint, latest bigint
)
"""
_COPY = "copy pg_temp.claimed_keys (account_id, key, first_position, last_position, earliest, latest) from stdin"
# A further key has a space in it, and no content. Contents are looked at as text: one may hold \u0000, which no text
# made of it can. Only a trade between two accounts reaches over both, so only there the whole of both is required.
_DIFFERENCES = r"""
with claim as (
    select account_id, key, count(*) as times, min(first_position) as first, max(last_position) as last,
           max(earliest) as earliest, min(latest) as latest
    from pg_temp.claimed_keys group by account_id, key
), compared as (
    select account_id, key, times, first, last, first_position, last_position,
        case when position(' ' in key) > 0 then content is null
             else coalesce(json_typeof(content) = 'object' and content::text ~ '"type"\s*:\s*"\w+"', false)
        end as content_fits,
        first_position <= first and last_position >= last and first_position >= earliest and last_position <= latest
        and (content is null or content::text !~ '"type"\s*:\s*"book_trade"'
             or (first_position = earliest and last_position = latest)) as positions_fit
    from claim full outer join public.idempotency_keys using (account_id, key)
    where times is not null or first_position <= %(until)s
)
select count(*) over (), account_id, key, times, first, last, first_position, last_position, content_fits, positions_fit
from compared
where times is null or times > 1 or first_position is null or not content_fits or not positions_fit
order by coalesce(first, first_position), account_id, key limit %(shown)s
"""
_BEYOND = """
with log as (select coalesce(max(notification_id), 0) as position from public.events)
select count(*) over (), account_id, key, first_position, last_position, log.position
from public.idempotency_keys, log where last_position > log.position
order by first_position, account_id, key limit %(shown)s
"""


class Claim(NamedTuple):
    """A key as events claim it: it names `first` to `last` at least, nothing before `earliest` or after `latest`."""

    account_id: str
    key: str
    first: int
    last: int
    earliest: int
    latest: int


@dataclass(slots=True)
class _Part:
    """What one decision left on one account: events one after the other, under the same key and correlation id.

    Without a key it may be several decisions of one request, of which at most one claims a further key. `follows` names
    the account that the decision was asked of, where a reversal follows that of the other account's event.
    """

    opening: AnyEvent
    first: int
    last: int
    earliest: int
    latest: int
    further: list[tuple[str, int]] = field(default_factory=list)
    joined: bool = False
    follows: str | None = None

    def takes(self, event: AnyEvent) -> bool:
        """Whether the next event may be of the same decision; both parts of a sending are one event."""
        if isinstance(event, TransferReceived) or isinstance(self.opening, TransferReceived):
            return False
        if _marks(event) != _marks(self.opening) or event.account_id != self.opening.account_id:
            return False
        return event.idempotency_key is not None or not self.further or _further_key(event) is None

    def add(self, position: int, event: AnyEvent) -> None:
        self.last = self.latest = position
        if isinstance(event, EventReversed) and event.follows:
            self.follows = event.other_account_id
        further = _further_key(event)
        if further is not None:
            self.further.append((further, position))

    def join(self, after: "_Part") -> None:
        """Takes the part right after this one as the other account's of the same decision, where it is that."""
        one, other = self.opening, after.opening
        if self.joined or _marks(one) != _marks(other) or after.first != self.last + 1:
            return
        if isinstance(one, TransferSent) and isinstance(other, TransferReceived):
            if (one.to_account_id, one.account_id) == (other.account_id, other.from_account_id):
                self.last = self.latest = after.last
        elif after.follows is not None:
            if after.follows == one.account_id:
                self.last = self.latest = after.last
        elif one.account_id != other.account_id and self.further_keys & after.further_keys:
            self.latest, after.earliest = after.latest, self.earliest
            after.joined = True

    @property
    def further_keys(self) -> set[str]:
        return {key for key, _ in self.further}

    def claims(self) -> Iterator[Claim]:
        account_id, key = self.opening.account_id, self.opening.idempotency_key
        reach = (self.earliest, self.latest)
        if key is not None and self.follows is None and not isinstance(self.opening, TransferReceived):
            yield Claim(account_id, key, self.first, self.last, *reach)
        for further, position in self.further:
            known = (position, position) if key is None else (self.first, self.last)
            yield Claim(account_id, further, *known, *reach)


def _marks(event: AnyEvent) -> tuple[str | None, str]:
    return event.idempotency_key, event.correlation_id


def _further_key(event: AnyEvent) -> str | None:
    match event:
        case TradeBooked():
            return f"trade_id {event.trade_id}"
        case FundsDeposited() if event.deposit_id is not None:
            return f"deposit_id {event.deposit_id}"
        case _:
            return None


class ClaimReader:
    """Takes the log's events in order and gives the claims of each decision once it has ended."""

    def __init__(self) -> None:
        self._before: _Part | None = None
        self._open: _Part | None = None

    def take(self, batch: Iterable[RecordedEvent]) -> Iterator[Claim]:
        """The claims of those decisions that end with these events."""
        for position, _, event in batch:
            if self._open is None or not self._open.takes(event):
                earliest = self._earliest(position, event)
                yield from self._turn()
                self._open = _Part(event, position, position, earliest, position)
            self._open.add(position, event)

    def finish(self) -> Iterator[Claim]:
        """The claims of the last decisions, where the log ends with them."""
        yield from self._turn()
        yield from self._turn()

    @property
    def before_pending(self) -> int | None:
        """The position up to which all claims were given; None where none is pending."""
        pending = self._before or self._open
        return None if pending is None else pending.earliest - 1

    def _earliest(self, position: int, event: AnyEvent) -> int:
        """Where a decision may begin: without a key, right after the event that claimed the further key before."""
        part = self._open
        if part is None or event.idempotency_key is not None or _marks(event) != _marks(part.opening):
            return position
        same = event.account_id == part.opening.account_id and part.further
        return part.further[-1][1] + 1 if same else position

    def _turn(self) -> Iterator[Claim]:
        if self._before is not None:
            if self._open is not None:
                self._before.join(self._open)
            yield from self._before.claims()
        self._before, self._open = self._open, None


class KeyCheck:
    """Gathers what the events claim in a temporary table of this session, and compares it with the keys kept."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reader = ClaimReader()
        connection.execute("drop table if exists pg_temp.claimed_keys")
        connection.execute(_TABLE)

    def take(self, batch: Sequence[RecordedEvent]) -> None:
        """Gathers the claims of the next events."""
        self._keep(self._reader.take(batch))

    def differences(self, position: int, *, complete: bool) -> list[str]:
        """What is wrong with the keys up to the position read; without `complete` the log goes on unread after it."""
        until = position
        if complete:
            self._keep(self._reader.finish())
        elif (pending := self._reader.before_pending) is not None:
            until = pending
        beyond = self._connection.execute(_BEYOND, {"shown": SHOWN_DIFFERENCES}).fetchall()
        self._connection.execute("analyze pg_temp.claimed_keys")
        asked = {"until": until, "shown": SHOWN_DIFFERENCES}
        found = self._connection.execute(_DIFFERENCES, asked).fetchall()
        return [
            *_told("name events beyond the log's end", beyond, _beyond_in_words),
            *_told("differ from what the events claim", found, _in_words),
        ]

    def _keep(self, claims: Iterator[Claim]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for claim in claims:
                # An event that was tampered with may hold what no text in PostgreSQL can.
                copy.write_row([one.replace("\0", "?") if isinstance(one, str) else one for one in claim])


def _told(what: str, rows: Sequence[Any], in_words: Callable[..., str]) -> Iterator[str]:
    if rows:
        yield f"idempotency keys: {rows[0][0]} {what}"
    for _, account_id, key, *rest in rows:
        yield f"  key {key!r} of {account_id} {in_words(*rest)}"


def _beyond_in_words(first: int, last: int, end: int) -> str:
    return f"names {_events(first, last)}, the log ends at {end}"


def _in_words(
    times: int | None, first: int, last: int, kept_first: int | None, kept_last: int, content: bool, positions: bool
) -> str:
    if times is None:
        assert kept_first is not None
        return f"names {_events(kept_first, kept_last)}, which did not claim it"
    if times > 1:
        return f"is claimed by {times} decisions, the first at event {first}, the last at event {last}"
    if kept_first is None:
        return f"is missing, {_events(first, last)} claimed it"
    if not positions:
        return f"names {_events(kept_first, kept_last)}, {_events(first, last)} claimed it"
    assert not content
    return "has content that does not fit: an idempotency key has that of its command, a further key has none"


def _events(first: int, last: int) -> str:
    return f"event {first}" if first == last else f"events {first} to {last}"
