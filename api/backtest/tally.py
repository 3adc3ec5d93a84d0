"""What became of a backtest, day by day, read from the log alone; and the digest that says whether two runs agree."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ledger import events as e
from ledger.insurance import uncovered_part
from ledger.log import Connection, read_rows
from ledger.money import ONE, VALUATION_ASSET, ZERO, valuation_pair
from ledger.postings import postings
from ledger.words import CROSS, House

ROWS_AT_ONCE = 5_000
CONCERNING: dict[str, type[e.Event]] = {
    kind.TOPIC: kind
    for kind in (
        e.PricesMarked,
        e.MarginCalled,
        e.LiquidationCompleted,
        e.DeficitCovered,
        e.InsuranceFunded,
        e.InsuranceWithdrawn,
    )
}


@dataclass(slots=True)
class Figures:
    """What was counted; amounts are in the valuation asset, at the prices last marked.

    A deficit is what a liquidated wallet could not pay; `paid_by_fund` is what the fund had for it, the rest is
    `uncovered`.
    """

    vectors: int = 0
    calls: int = 0
    cross_liquidations: int = 0
    isolated_liquidations: int = 0
    repaid: Decimal = ZERO
    fees: Decimal = ZERO
    funded: Decimal = ZERO
    deficits: Decimal = ZERO
    paid_by_fund: Decimal = ZERO
    uncovered: Decimal = ZERO

    def add(self, other: "Figures") -> None:
        """Adds each figure of another day."""
        for name in Figures.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Day:
    """One day of business time (UTC): its figures, the lowest price of each pair, and the fund's books at its end.

    `fund_worth` is what these are worth together, at the prices of then.
    """

    day: date
    figures: Figures = field(default_factory=Figures)
    lowest: dict[str, Decimal] = field(default_factory=dict)
    fund: dict[str, Decimal] = field(default_factory=dict)
    fund_worth: Decimal = ZERO


class Tally:
    """Takes the log's events in order."""

    def __init__(self) -> None:
        self.days: dict[date, Day] = {}
        self.fund: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self.prices: dict[str, Decimal] = {}
        self.events = 0
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal, of two lines for each event: its topic, and its content as it is stored."""
        return self._digest.hexdigest()

    def take(self, topic: str, state: bytes) -> None:
        """Counts one event."""
        self.events += 1
        self._digest.update(b"%s\n%s\n" % (topic.encode(), state))
        if topic in CONCERNING:
            self._count(e.read_event(topic, state))

    def _count(self, event: e.AnyEvent) -> None:
        day = self.days.setdefault(event.effective_at.date(), Day(event.effective_at.date()))
        figures = day.figures
        match event:
            case e.PricesMarked():
                figures.vectors += 1
                self._mark(day, event)
            case e.MarginCalled():
                figures.calls += 1
            case e.LiquidationCompleted():
                figures.cross_liquidations += event.wallet == CROSS
                figures.isolated_liquidations += event.wallet != CROSS
                figures.repaid += event.repaid_value
                figures.fees += self._worth(event.fee)
            case e.DeficitCovered():
                uncovered = uncovered_part(event.value, self.fund[VALUATION_ASSET])
                figures.deficits += event.value
                figures.paid_by_fund += event.value - uncovered
                figures.uncovered += uncovered
            case e.InsuranceFunded():
                figures.funded += self._worth({event.asset: event.amount})
            case _:
                pass
        self._post(day, event)

    def _mark(self, day: Day, event: e.PricesMarked) -> None:
        for pair, price in event.prices.items():
            self.prices[pair] = price
            day.lowest[pair] = min(price, day.lowest.get(pair, price))

    def _worth(self, amounts: dict[str, Decimal]) -> Decimal:
        return worth(amounts, self.prices)

    def _post(self, day: Day, event: e.AnyEvent) -> None:
        for line in postings(event):
            if line.book.account_id is None and line.book.name == House.INSURANCE:
                self.fund[line.asset] += line.amount
        day.fund, day.fund_worth = dict(self.fund), self._worth(self.fund)


def worth(amounts: dict[str, Decimal], prices: dict[str, Decimal]) -> Decimal:
    """The value of amounts by asset, in the valuation asset, at prices by pair."""
    parts = (
        amount * (ONE if asset == VALUATION_ASSET else prices[valuation_pair(asset)])
        for asset, amount in amounts.items()
        if amount
    )
    return sum(parts, ZERO)


def total_of(days: Iterable[Day]) -> Figures:
    """The figures of several days together."""
    total = Figures()
    for day in days:
        total.add(day.figures)
    return total


def tally_of(connection: Connection) -> Tally:
    """The whole log, counted."""
    tally = Tally()
    for topic, state in _log(connection):
        tally.take(topic, state)
    return tally


def _log(connection: Connection) -> Iterator[tuple[str, bytes]]:
    position = 0
    while rows := read_rows(connection, position, ROWS_AT_ONCE):
        yield from ((row.topic, row.state) for row in rows)
        position = rows[-1].position
