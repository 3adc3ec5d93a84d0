"""All that a liquidation or margin call states, event by event, worked out again and decided again."""

from collections.abc import Iterator
from typing import NamedTuple, cast

from ledger.account import Account, evolve
from ledger.events import AccountEvent, InterestAccrued, LiquidationCompleted, LiquidationStarted, MarginCalled
from ledger.log import Connection, RecordedEvent, read_stream, stream_pages
from ledger.market import Market
from ledger.present import market_after
from ledger.words import EXCHANGE
from projections.questions.explanation_case import Case, decisions_in
from projections.questions.explanation_checks import (
    Check,
    Standpoint,
    checks_of_call,
    checks_of_going_on,
    checks_of_interest,
    checks_of_postings,
    checks_of_start,
)
from projections.questions.explanation_closing import Closing
from projections.questions.explanation_decisions import Again, Standing, decide_again, market_with
from projections.questions.explanation_path import Approach
from projections.questions.explanation_prices import Feed, LoggedMark, logged_marks


class Review(NamedTuple):
    """What was found: every number checked, every decision made again, the sums, and the account in the end."""

    checks: list[Check]
    decisions: list[Again]
    closing: Closing | None
    marks: dict[str, LoggedMark]
    account: Account
    market: Market


def review_of(connection: Connection, case: Case, approach: Approach) -> Review:
    """Takes the account from just before the decision through all that is explained, and checks each event."""
    marks = approach.known_marks(logged_marks(connection, case.event.prices, case.known))
    passage = _Passage(connection, case, approach, marks)
    checks = [check for one in passage.events() for check in passage.take(one)]
    if passage.closing is not None:
        balances = passage.account.wallets.wallet(case.wallet).balances
        checks += passage.closing.checks_of_end(case.events[-1], balances)
    return Review(checks, passage.decisions, passage.closing, marks, passage.account, passage.market)


class _Passage:
    """The account and the market on their way through the events of a case."""

    def __init__(self, connection: Connection, case: Case, approach: Approach, marks: dict[str, LoggedMark]) -> None:
        assert approach.at_decision is not None
        self._connection, self._case = connection, case
        self.account = approach.at_decision.copy()
        self._marks, self._marked_to = marks, case.cause.position
        self.market = market_with(approach.walk.market, marks)
        self.closing: Closing | None = None
        self.decisions: list[Again] = []
        self._own = {one.position for one in case.events}
        self._groups = {group[0].position: group for group in decisions_in(case.events)}

    def events(self) -> Iterator[RecordedEvent]:
        """Every event of the account from the decision on to the last one that is explained."""
        last = self._case.events[-1].event.version
        for page in stream_pages(self._connection, self._case.account_id, self.account.version, last):
            yield from page

    def take(self, one: RecordedEvent) -> list[Check]:
        """Checks an event where it is one of those explained; a decision, where one begins with it."""
        checks = []
        if (group := self._groups.get(one.position)) is not None:
            self._move_market(one.position)
            standing = Standing(self.account, self.market)
            self.decisions.append(decide_again(self._connection, group, standing, self._case.known))
            checks += self.decisions[-1].checks
        if one.position in self._own:
            checks += self._checked(one)
        self.account = self.account.copy()
        evolve(self.account, cast(AccountEvent, one.event))
        return checks

    def _checked(self, one: RecordedEvent) -> Iterator[Check]:
        event, at = one.event, Standpoint(self.account, self.market, self._marks)
        if isinstance(event, LiquidationStarted) and one.position == self._case.cause.position:
            yield from checks_of_start(one, event, at)
            self.closing = Closing.of(event, self.market)
        elif isinstance(event, MarginCalled):
            yield from checks_of_call(one, event, at)
        elif isinstance(event, InterestAccrued):
            yield from checks_of_interest(one, event, at)
        if self.closing is not None:
            yield from self.closing.take(one)
            if isinstance(event, LiquidationCompleted):
                yield from checks_of_going_on(one, event, at, self.closing.principal)
        yield from checks_of_postings(one, self._case.wallet)

    def _move_market(self, position: int) -> None:
        """Brings settings and prices to a later position, as the fills and the end of an external execution met."""
        if position <= self._marked_to:
            return
        settings = read_stream(self._connection, EXCHANGE, after_version=self.market.version, until_position=position)
        market = market_after(self.market, [one.event for one in settings])
        newer = Feed(self._connection, position).marks_at(position, market.pairs, self._marked_to)
        self._marks, self._marked_to = {**self._marks, **newer}, position
        self.market = market_with(market, self._marks)
