"""Rules in sentences: given events, when a command, then events or a refusal; it is noon unless told."""

import copy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ledger import account as accounts_room
from ledger import exchange
from ledger.account import Account
from ledger.commands import Command, parse_command
from ledger.decision import Context
from ledger.events import Event, ExchangeEvent, PriceEvent
from ledger.exchange import ExchangeCommand
from ledger.market import Market
from ledger.words import EXCHANGE, PRICES
from tests.ledger.as_read import require_as_read

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
KEY = "K1"
Happened = Callable[[Mapping[str, Any]], Event]
"""An event that still lacks its envelope: account, version, time and actor."""


def happened(kind: type[Event], *, at: datetime | None = None, **fields: Any) -> Happened:
    """An event of this kind with these fields; amounts may be written as strings."""

    def with_envelope(envelope: Mapping[str, Any]) -> Event:
        dated = {**envelope, "effective_at": at or envelope["effective_at"]}
        return kind.model_validate({**dated, **fields}, strict=False)

    return with_envelope


def envelope(stream: str, version: int, at: datetime = NOON, key: str | None = KEY) -> dict[str, Any]:
    """What every event of these tests carries."""
    return {
        "account_id": stream,
        "version": version,
        "effective_at": at,
        "actor": "tester",
        "correlation_id": "request-1",
        "idempotency_key": key,
    }


def numbered(account: Account, *news: Happened, at: datetime = NOON, key: str | None = KEY) -> list[Event]:
    """The events that follow the last one of an account, in the order told."""
    return [new(envelope(account.id, account.version + place, at, key)) for place, new in enumerate(news, start=1)]


def given(*news: Happened, account_id: str = "alice", at: datetime = NOON) -> Account:
    """The account that these events made."""
    account = Account.unopened(account_id)
    return accounts_room.fold(account_id, numbered(account, *news, at=at))  # type: ignore[arg-type]


def and_then(account: Account, *news: Happened, at: datetime = NOON) -> Account:
    """The same account after more has happened."""
    later = account.copy()
    for event in numbered(account, *news, at=at):
        accounts_room.evolve(later, event)  # type: ignore[arg-type]
    return later


def given_market(*news: Happened, at: datetime = NOON) -> Market:
    """The market that these events of the exchange made."""
    market = Market()
    return market_after(market, *news, at=at)


def market_after(market: Market, *news: Happened, at: datetime = NOON) -> Market:
    """The market itself, after more has happened on the exchange."""
    for new in news:
        exchange.evolve(market, of_the_exchange(new, market, at))
    return market


def of_the_exchange(new: Happened, market: Market, at: datetime = NOON) -> ExchangeEvent:
    """The next event of @exchange, or of @prices where it is about prices."""
    event = new(envelope(EXCHANGE, market.version + 1, at))
    if isinstance(event, PriceEvent):
        event = new(envelope(PRICES, market.prices_version + 1, at))
    assert isinstance(event, ExchangeEvent)
    return event


def command_of(content: Mapping[str, Any]) -> Command:
    """The command in the shape that clients send, with the key of these tests if it states none."""
    return parse_command({"idempotency_key": KEY, **content})


def context(at: datetime = NOON) -> Context:
    """A decision by the tester."""
    return Context(at=at, actor="tester", correlation_id="request-1")


def decided(
    market: Market, *accounts: Account, at: datetime = NOON, **content: Any
) -> tuple[list[Event], dict[str, Account]]:
    """The events and the accounts after a command, admitted and decided; the account is the first unless told."""
    if accounts and content["type"] != "book_trade":
        content = {"account_id": accounts[0].id, **content}
    command = command_of(content)
    assert not isinstance(command, ExchangeCommand)
    # The application shows a decision each account that it touches, also one that was never opened.
    unopened = {name: Account.unopened(name) for name in accounts_room.streams_of(command)}  # type: ignore[arg-type]
    known = {**unopened, **{account.id: account for account in accounts}}
    before = {name: account.copy() for name, account in known.items()}
    try:
        accounts_room.admit(command, known, market)  # type: ignore[arg-type]
        decision = accounts_room.decide(command, known, market, context(at))  # type: ignore[arg-type]
    finally:
        assert known == before, "a decision changes no account that it was given"
    for event in decision.events:
        require_as_read(event)
    return list(decision.events), dict(decision.accounts)


def when(market: Market, *accounts: Account, at: datetime = NOON, **content: Any) -> list[Event]:
    """The events of a command; raises its refusal."""
    return decided(market, *accounts, at=at, **content)[0]


def after(market: Market, account: Account, at: datetime = NOON, **content: Any) -> Account:
    """The account after a command."""
    return decided(market, account, at=at, **content)[1][account.id]


def on_exchange(market: Market, at: datetime = NOON, **content: Any) -> Event:
    """The one event of a command on the exchange's own streams; raises its refusal."""
    (event,) = events_on_exchange(market, at, **content)
    return event


def events_on_exchange(market: Market, at: datetime = NOON, **content: Any) -> list[ExchangeEvent]:
    """The events of a command on the exchange's own streams; raises its refusal, and leaves the market as it is."""
    command = command_of(content)
    assert isinstance(command, ExchangeCommand)
    before = copy.deepcopy(market)
    try:
        exchange.admit(command, market)
        events = exchange.decide(command, market, context(at))
    finally:
        assert market == before, "a decision does not change the market"
    for event in events:
        require_as_read(event)
    return list(events)


def topics(events: list[Event]) -> list[str]:
    """What happened, in order."""
    return [event.TOPIC for event in events]


def amount(text: str) -> Decimal:
    """An exact amount."""
    return Decimal(text)


def balance(account: Account, wallet: str, asset: str) -> dict[str, str]:
    """What a wallet has of an asset, written plainly, zeros left out."""
    there = account.wallets.wallet(wallet).balance(asset)
    written = {
        name: f"{value.normalize():f}"
        for name, value in zip(("free", "locked", "borrowed", "interest"), there, strict=True)
    }
    return {name: value for name, value in written.items() if value not in ("0", "-0")}
