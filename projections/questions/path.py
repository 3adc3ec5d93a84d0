"""What lies between two points of an account: its events in order, and just before each the prices it meets.

Between two events of a wallet its balances stand still, so of all prices marked meanwhile only the last ones count:
what prices did is the same in one step as in ten thousand. So the cost grows with the events between alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ledger.account import Account
from ledger.events import AccountEvent, AssetLimitsSet, MarkPrice
from ledger.log import PAGE_EVENTS, RecordedEvent, read_stream, stream_pages
from ledger.money import VALUATION_ASSET, valuation_pair
from ledger.postings import postings
from ledger.words import CROSS, SPOT
from projections.market.queries import prices_as_of_each, prices_at_each, valuing_settings
from projections.projector import Connection
from projections.questions.walk import wallets_touched

Wanted = Sequence[tuple[str, Any]]
Prices = Callable[[Wanted], Mapping[tuple[str, Any], MarkPrice]]


class Marks(NamedTuple):
    """Prices by pair as they are at this point of the path; those of wallets that the next event does not touch may
    have moved too.
    """

    prices: dict[str, MarkPrice]


Happening = RecordedEvent | Marks


def path_by_position(
    connection: Connection, start: Account, end: Account, first: int, last: int, only: str | None
) -> Iterator[Happening]:
    """All that happened after a position up to another, in log order, with the settings that value wallets.

    `only` is the one wallet that prices are wanted for, None: all.
    """
    pricing = _Pricing(start, only, lambda wanted: prices_at_each(connection, wanted), lambda one: one.position)
    settings = valuing_settings(connection, first, last)
    for page in stream_pages(connection, start.id, start.version, end.version):
        until = page[-1].position
        before = [one for one in settings if one.position < until]
        settings = settings[len(before) :]
        yield from pricing.priced(sorted([*page, *before], key=lambda one: one.position))
    yield from pricing.priced(settings)


def path_by_business_time(
    connection: Connection, start: Account, known: int, first: datetime, last: datetime, only: str | None
) -> Iterator[Happening]:
    """All events dated after a business time up to another, of those known at a position, in order of their time."""
    pricing = _Pricing(
        start,
        only,
        lambda wanted: prices_as_of_each(connection, known, wanted),
        lambda one: one.event.effective_at,
    )
    dated = dated_between(read_stream(connection, start.id, until_position=known), first, last)
    for place in range(0, len(dated), PAGE_EVENTS):
        yield from pricing.priced(dated[place : place + PAGE_EVENTS])


def dated_between(recorded: Iterable[RecordedEvent], first: datetime | None, last: datetime) -> list[RecordedEvent]:
    """The events dated after a business time (None: from the beginning) up to another, in order of that time."""
    dated = [
        one for one in recorded if (first is None or first < one.event.effective_at) and one.event.effective_at <= last
    ]
    return sorted(dated, key=lambda one: (one.event.effective_at, one.position))


class _Pricing:
    """Knows which assets each margin wallet ever had, and asks for their prices where the wallet is touched."""

    def __init__(
        self, account: Account, only: str | None, ask: Prices, point_of: Callable[[RecordedEvent], Any]
    ) -> None:
        self._assets = {wallet.name: set(wallet.balances) for wallet in account.wallets.all()}
        self._only = only
        self._ask = ask
        self._point_of = point_of

    def priced(self, page: Sequence[RecordedEvent]) -> Iterator[Happening]:
        """The events, each after the prices that it meets; one query for all."""
        pairs = [self._pairs(one) for one in page]
        points = [self._point_of(one) for one in page]
        wanted = [(pair, point) for point, of in zip(points, pairs, strict=True) for pair in of]
        found = self._ask(wanted) if wanted else {}
        for one, point, of in zip(page, points, pairs, strict=True):
            yield Marks({pair: found[pair, point] for pair in of if (pair, point) in found})
            yield one

    def _pairs(self, one: RecordedEvent) -> list[str]:
        assets: set[str] = set()
        for wallet in self._wallets(one):
            assets |= self._assets.get(wallet, set())
        return [valuation_pair(asset) for asset in assets if asset != VALUATION_ASSET]

    def _wallets(self, one: RecordedEvent) -> Iterable[str]:
        """The margin wallets to be valued at an event; the assets that it brings count from here on."""
        if not isinstance(one.event, AccountEvent):
            return [CROSS] if isinstance(one.event, AssetLimitsSet) and self._only in (None, CROSS) else []
        lines = postings(one.event)
        for line in lines:
            if line.book.account_id == one.event.account_id:
                self._assets.setdefault(line.book.name, set()).add(line.asset)
        touched = wallets_touched(one.event, lines) - {SPOT}
        return touched if self._only is None else touched & {self._only}
