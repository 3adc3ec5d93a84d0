"""An account's past, read from the log alone: its events with the prices that they met, one step after the other."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, cast

from api.command_line.conditions import Condition
from api.command_line.standing import standing_of
from ledger.account import Account
from ledger.events import ExchangeEvent, PricesMarked, write_event
from ledger.log import Connection, RecordedEvent, read_stream
from ledger.margin import valued_assets
from ledger.market import Market
from ledger.money import valuation_pair
from ledger.shown_texts import showing
from ledger.words import EXCHANGE, PRICES
from projections.questions.walk import Step, Walk


class Span(NamedTuple):
    """What is replayed: of what is recorded up to a position all after `first`, up to `last`.

    Both are positions, or both business times; None: from the beginning.
    """

    position: int
    first: int | datetime | None
    last: int | datetime

    @property
    def by_business_time(self) -> bool:
        return isinstance(self.last, datetime)

    def key(self, one: RecordedEvent) -> Any:
        """The order of things: that of the log, or by business time, where prices come before events of a moment."""
        event = one.event
        return (event.effective_at, event.account_id != PRICES, one.position) if self.by_business_time else one.position

    def includes(self, one: RecordedEvent) -> bool:
        """Whether it happens up to the last point."""
        if not isinstance(self.last, datetime):
            return one.position <= self.last
        return one.event.effective_at <= self.last

    def is_past(self, one: RecordedEvent) -> bool:
        """Whether it happened up to the first point, and is not shown."""
        if isinstance(self.first, datetime):
            return one.event.effective_at <= self.first
        return self.first is not None and one.position <= self.first


class Passage(NamedTuple):
    """A step, its event as JSON with texts as they can be shown, and the whole account before and after it where that
    was asked for.
    """

    step: Step
    event: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Stopped(NamedTuple):
    """Where a condition first held; None of `recorded`: at the first point already."""

    condition: Condition
    recorded: RecordedEvent | None
    value: str


class Replay:
    """An account taken from the beginning of the log to the first point; `passages` leads on to the last one."""

    def __init__(self, connection: Connection, stream: str, span: Span) -> None:
        self.stream = stream
        self.stopped: Stopped | None = None
        self.walk = Walk(Account.unopened(stream), Market())
        own = [one for one in read_stream(connection, stream, until_position=span.position) if span.includes(one)]
        self.is_known = bool(own)
        self._shown = showing(connection, [one.event for one in own])
        if own and stream not in (EXCHANGE, PRICES):
            own += self._of_the_house(connection, span)
        ordered = sorted(own, key=span.key)
        self._ahead = [one for one in ordered if not span.is_past(one)]
        for one in ordered[: len(ordered) - len(self._ahead)]:
            self._take(one)

    def _of_the_house(self, connection: Connection, span: Span) -> list[RecordedEvent]:
        """What was set and marked; by business time all that is known to be set counts from the beginning."""
        settings, prices = (read_stream(connection, name, until_position=span.position) for name in (EXCHANGE, PRICES))
        if not span.by_business_time:
            return [one for one in (*settings, *prices) if span.includes(one)]
        for one in settings:
            self._take(one)
        return [one for one in prices if span.includes(one)]

    def standing(self) -> dict[str, Any] | None:
        """The account as it is now; of a stream of the exchange there is none."""
        return None if self.stream in (EXCHANGE, PRICES) else standing_of(self.walk.account, self.walk.market)

    def passages(self, until: Condition | None = None, *, whole: bool = False) -> Iterator[Passage]:
        """The steps to the last point, or to where a condition holds, which `stopped` says then.

        `whole`: with the account before and after each.
        """
        if until is not None and self._stops(until, None):
            return
        for one in self._ahead:
            before = self.standing() if whole and one.event.account_id == self.stream else None
            step = self._take(one)
            if step is not None:
                event = self._shown(json.loads(write_event(one.event)))
                yield Passage(step, event, before, self.standing() if whole else None)
            if until is not None and self._stops(until, one):
                return

    def _take(self, one: RecordedEvent) -> Step | None:
        if one.event.account_id == self.stream:
            return self.walk.take(one)
        self.walk.take_setting(cast(ExchangeEvent, one.event))
        return None

    def _stops(self, condition: Condition, one: RecordedEvent | None) -> bool:
        if not self.walk.account.version or not self._matters(condition, one):
            return False
        if not condition.holds(self.walk):
            return False
        self.stopped = Stopped(condition, one, condition.told(self.walk))
        return True

    def _matters(self, condition: Condition, one: RecordedEvent | None) -> bool:
        """A price vector matters to a figure of a wallet that holds or owes what it values."""
        if one is None or one.event.account_id == self.stream:
            return True
        if not condition.moves_with_prices or not isinstance(one.event, PricesMarked):
            return condition.moves_with_prices
        valued = valued_assets(self.walk.account.wallets.wallet(condition.wallet))
        return any(valuation_pair(asset) in one.event.prices for asset in valued)
