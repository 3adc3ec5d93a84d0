"""Events of the exchange's own streams to the history of its settings and prices."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from ledger import events as e
from ledger.words import EXCHANGE, PRICES
from projections.projector import Batch, RecordedEvent, Tables, Writes

SETTINGS = {
    "position": "bigint",
    "version": "bigint",
    "topic": "text",
    "scope": "text",
    "content": "jsonb",
    "effective_at": "timestamptz",
    "recorded_at": "timestamptz",
}
PRICE_COLUMNS = {
    "pair": "text",
    "position": "bigint",
    "version": "bigint",
    "price": "numeric",
    "effective_at": "timestamptz",
    "recorded_at": "timestamptz",
    "source": "text",
}
HELD = {
    "pair": "text",
    "source": "text",
    "position": "bigint",
    "version": "bigint",
    "effective_at": "timestamptz",
    "recorded_at": "timestamptz",
    "is_rejected": "boolean",
    "held": "jsonb",
}

STREAMS = {EXCHANGE, PRICES}


class MarketProjector:
    """Keeps nothing in memory, and writes nothing per wallet."""

    name: ClassVar[str] = "market"
    tables: ClassVar[tuple[str, ...]] = ("market_settings", "market_prices", "market_held_prices")

    def project(self, batch: Batch, tables: Tables) -> Writes:  # noqa: ARG002
        # To ask each event of the log for its class, three times, would take longer than all else here.
        events = [one for one in batch.events if one.event.account_id in STREAMS]
        writes = Writes()
        writes.append("market_settings", SETTINGS, list(_settings(events)))
        writes.append("market_prices", PRICE_COLUMNS, list(_prices(events)))
        writes.append("market_held_prices", HELD, list(_held(events)))
        return writes

    def forget(self) -> None:
        pass


def _settings(events: Sequence[RecordedEvent]) -> Iterator[tuple[Any, ...]]:
    for position, recorded_at, event in events:
        if event.account_id == EXCHANGE:
            content = e.write_event(event).decode()
            about = (event.TOPIC, _scope_of(event), content)
            yield (position, event.version, *about, event.effective_at, recorded_at)


def _scope_of(event: e.AnyEvent) -> str:
    """What a setting is about: an asset, a pair, or `cross`."""
    for name in ("asset", "pair", "scope"):
        scope: str | None = getattr(event, name, None)
        if scope is not None:
            return scope
    raise ValueError(f"{event.TOPIC} names neither an asset nor a pair nor a scope")


def _prices(events: Sequence[RecordedEvent]) -> Iterator[tuple[Any, ...]]:
    for position, recorded_at, event in events:
        if isinstance(event, e.PricesMarked):
            for pair, price in event.prices.items():
                yield (pair, position, event.version, price, event.effective_at, recorded_at, event.source)


def _held(events: Sequence[RecordedEvent]) -> Iterator[tuple[Any, ...]]:
    for position, recorded_at, event in events:
        if not isinstance(event, e.PricesHeld | e.PriceRejected):
            continue
        is_rejected = isinstance(event, e.PriceRejected)
        for pair, held in _held_by_pair(event):
            about = (pair, held.source, position, event.version, held.effective_at, recorded_at)
            yield (*about, is_rejected, held.model_dump_json())


def _held_by_pair(event: e.PricesHeld | e.PriceRejected) -> Iterator[tuple[str, e.HeldPrice]]:
    if isinstance(event, e.PricesHeld):
        yield from event.prices.items()
    else:
        yield from ((event.pair, held) for held in event.rejected)
