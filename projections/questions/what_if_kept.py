"""What a what-if keeps of the wallets it acts on: sums, what the insurance fund goes through, and the worst."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from ledger.insurance import uncovered_part
from ledger.money import VALUATION_ASSET, ZERO
from ledger.words import Band
from projections.questions.what_if_examination import Amounts, CloseOut, add_amounts


class Place(NamedTuple):
    """Where a wallet stands among those acted on: liquidations come before calls, then by level as shown.

    Then by account and name, as the risk engine takes them.
    """

    is_call: bool
    level: Decimal
    account_id: str
    wallet: str


class Seen(NamedTuple):
    """A wallet as an examination sees it: with what is due, its bands and its level as shown, and its equity."""

    band: Band
    level: str
    equity: Decimal


class Outcome(NamedTuple):
    """A wallet that an examination at shocked prices would call, or liquidate (`close_out` says how)."""

    account_id: str
    wallet: str
    before: Seen
    after: Seen
    close_out: CloseOut | None

    @property
    def place(self) -> Place:
        """Where it comes among the others."""
        return Place(self.close_out is None, Decimal(self.after.level), self.account_id, self.wallet)


@dataclass(slots=True)
class Acted:
    """How many wallets are called and liquidated, and what the liquidations do in sum."""

    called: int = 0
    liquidated: int = 0
    closed: CloseOut = field(default_factory=CloseOut)

    def take(self, close_out: CloseOut | None) -> None:
        """Take one wallet in: a call has no close-out."""
        if close_out is None:
            self.called += 1
        else:
            self.liquidated += 1
            self.closed.add(close_out)

    def add(self, other: "Acted") -> None:
        """Add those of another one."""
        self.called += other.called
        self.liquidated += other.liquidated
        self.closed.add(other.closed)


class Fund(NamedTuple):
    """The insurance fund after liquidations, and what of their deficits it did not hold when they came."""

    assets: Amounts
    uncovered: Decimal


class FundUse:
    """What liquidations post to the insurance fund, taken in any order.

    In which order they come matters for the valuation asset only, which deficits are paid in: of each liquidation its
    amounts of that are kept with its place, of all others the sums.
    """

    def __init__(self) -> None:
        self._posted: Amounts = {}
        self._in_order: list[tuple[Place, tuple[Decimal, ...]]] = []

    def take(self, place: Place, lines: Iterable[tuple[str, Decimal]]) -> None:
        """Take the lines of one liquidation, in the order in which they are posted."""
        valued = []
        for asset, amount in lines:
            add_amounts(self._posted, {asset: amount})
            if asset == VALUATION_ASSET:
                valued.append(amount)
        if valued:
            self._in_order.append((place, tuple(valued)))

    def after(self, fund: Amounts) -> Fund:
        """The fund after the liquidations in order of their places: fees go in, deficits are paid as far as it holds.

        What it does not hold is uncovered, and leaves it below zero by as much (domain, section 7).
        """
        assets, there, uncovered = dict(fund), fund.get(VALUATION_ASSET, ZERO), ZERO
        add_amounts(assets, self._posted)
        self._in_order.sort()
        for _, amounts in self._in_order:
            for amount in amounts:
                if amount < 0:
                    uncovered += uncovered_part(-amount, there)
                there += amount
        return Fund(assets, uncovered)


class Worst:
    """Of the outcomes after a place the first `most`, whatever the order in which they are taken."""

    def __init__(self, after: Place | None, most: int) -> None:
        self._after = after
        self._most = most
        self._found: list[tuple[Place, Outcome]] = []

    def __len__(self) -> int:
        """How many are kept by now: at most twice as many as are asked for, and one."""
        return len(self._found)

    def take(self, outcome: Outcome) -> None:
        """Take one in, unless it stands at the place or before it."""
        place = outcome.place
        if self._after is None or place > self._after:
            self._found.append((place, outcome))
        if len(self._found) > 2 * self._most:
            self._cut()

    def first(self) -> list[Outcome]:
        """The first ones, in order of their places."""
        self._cut()
        return [outcome for _, outcome in self._found]

    def _cut(self) -> None:
        self._found.sort()
        del self._found[self._most :]
