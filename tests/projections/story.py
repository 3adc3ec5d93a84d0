"""A story told on a real database: events recorded one by one, projected by the runner, and asked about."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger import account as accounts_room
from ledger import exchange
from ledger.account import Account
from ledger.events import AnyEvent, Event, ExchangeEvent, write_event
from ledger.market import Market
from ledger.postgres import Connection, connect
from ledger.words import EXCHANGE, PRICES
from projections.catalogue import ALL
from projections.runner import catch_up
from projections.tables import LIVE, work_in
from tests.ledger.given import NOON, Happened, decided, envelope, of_the_exchange

FIRST_RECORDED_AT = datetime(2026, 1, 16, tzinfo=UTC)


class Story:
    """What happened so far: the events in log order, and the accounts and the market that they made.

    The event at position n is recorded n seconds after FIRST_RECORDED_AT.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.events: list[AnyEvent] = []
        self.accounts: dict[str, Account] = {}
        self.market = Market()

    @property
    def position(self) -> int:
        return len(self.events)

    def on_exchange(self, *news: Happened, at: datetime = NOON) -> None:
        """Events of the exchange's own streams happen."""
        for new in news:
            self._record(of_the_exchange(new, self.market, at))

    def of(self, account_id: str, *news: Happened, at: datetime = NOON) -> None:
        """Events of an account happen, whether or not a decision would have allowed them."""
        for new in news:
            self._record(new(envelope(account_id, self.account(account_id).version + 1, at)))

    def when(self, account_id: str, at: datetime = NOON, **content: Any) -> list[Event]:
        """A command is decided, and its events happen; returns them."""
        events, _ = decided(self.market, self.account(account_id), at=at, **content)
        for event in events:
            self._record(event)
        return events

    def account(self, account_id: str) -> Account:
        return self.accounts.setdefault(account_id, Account.unopened(account_id))

    def _record(self, event: Event) -> None:
        self.events.append(event)  # type: ignore[arg-type]
        if event.account_id in (EXCHANGE, PRICES):
            assert isinstance(event, ExchangeEvent)
            exchange.evolve(self.market, event)
        else:
            accounts_room.evolve(self.account(event.account_id), event)  # type: ignore[arg-type]

    def recorded_at(self, position: int) -> datetime:
        return FIRST_RECORDED_AT + timedelta(seconds=position)

    def write(self) -> None:
        """Puts the events that are not in the log yet into it."""
        with connect(self.url) as connection:
            row = connection.execute("select coalesce(max(notification_id), 0) from events").fetchone()
            written = row[0] if row else 0
            with connection.cursor() as cursor:
                cursor.executemany(
                    "insert into events (notification_id, recorded_at, originator_id, originator_version, topic, state)"
                    " values (%s, %s, %s, %s, %s, %s)",
                    [
                        (
                            place,
                            self.recorded_at(place),
                            event.account_id,
                            event.version,
                            event.TOPIC,
                            write_event(event),
                        )
                        for place, event in enumerate(self.events[written:], start=written + 1)
                    ],
                )

    @contextmanager
    def projected(self, batch_size: int = 1000) -> Iterator[Connection]:
        """A connection to ask on, once all that happened is projected."""
        self.write()
        catch_up(self.url, ALL, batch_size=batch_size, timeout_seconds=60)
        with connect(self.url) as connection:
            work_in(connection, LIVE)
            yield connection

    def market_at(self, position: int) -> Market:
        """The market that the events up to a position made."""
        market = Market()
        for event in self.events[:position]:
            if isinstance(event, ExchangeEvent):
                exchange.evolve(market, event)
        return market

    def account_at(self, position: int, account_id: str) -> Account:
        """The account that its events up to a position made."""
        own = [event for event in self.events[:position] if event.account_id == account_id]
        return accounts_room.fold(account_id, own)  # type: ignore[arg-type]
