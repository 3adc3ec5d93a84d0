"""How much of a change in a margin wallet's equity and levels came from what: exact sums along the way it took."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, assert_never

from ledger import events as e
from ledger.margin import LEVEL_SCALE, Margin, Valuation
from ledger.money import ZERO, Ratio, divide_down, plain, round_down, step_of
from projections.questions.figures import level_figure
from projections.questions.walk import Step

RATIO_SCALE = 40
"""Decimals to which each ratio of a sum is worked out for show; the sum itself is kept as ratios, and is exact."""
SUM_SCALE = 30
HALF = Decimal("0.5")
MOST_CROSSINGS = 100


class Cause(StrEnum):
    """What changes a margin wallet's equity or levels; fees stand apart from their trades."""

    TRADES = "trades"
    FEES = "fees"
    INTEREST = "interest"
    PRICES = "prices"
    FUNDS = "funds"
    LOANS = "loans"
    LIQUIDATION = "liquidation"
    CORRECTIONS = "corrections"
    SETTINGS = "settings"


def cause_of(event: e.AccountEvent) -> Cause:
    """What an event of an account counts as; what moves nothing (holds, calls, proposals) counts as settings."""
    match event:
        case e.TradeBooked():
            return Cause.TRADES if event.liquidation_id is None else Cause.LIQUIDATION
        case e.InterestAccrued():
            return Cause.INTEREST
        case e.LoanBorrowed() | e.LoanRepaid():
            return Cause.LOANS
        case e.LiquidationStarted() | e.LiquidationFilled() | e.DeficitCovered() | e.LiquidationCompleted():
            return Cause.LIQUIDATION
        case e.FundsDeposited() | e.FundsTransferred() | e.TransferSent() | e.TransferReceived():
            return Cause.FUNDS
        case e.MarginAdded() | e.MarginRemoved():
            return Cause.FUNDS
        case e.WithdrawalRequested() | e.WithdrawalSettled() | e.WithdrawalCancelled():
            return Cause.FUNDS
        case e.EventReversed() | e.AdjustmentPosted():
            return Cause.CORRECTIONS
        case e.AccountOpened() | e.AccountFrozen() | e.AccountUnfrozen() | e.AccountClosed():
            return Cause.SETTINGS
        case e.AdjustmentProposed() | e.AdjustmentRejected() | e.TextsErased():
            return Cause.SETTINGS
        case e.MarginModeSet() | e.LeverageSet() | e.FundsHeld() | e.HoldReleased() | e.MarginCalled():
            return Cause.SETTINGS
        case _:
            assert_never(event)


class RatioSum:
    """An exact sum of ratios: by denominator, what stands over it. Ratios that cancel out leave nothing."""

    def __init__(self) -> None:
        self.over: dict[Decimal, Decimal] = {}

    def add(self, ratio: Ratio, sign: int = 1) -> None:
        left = self.over.pop(ratio.denominator, ZERO) + sign * ratio.numerator
        if left:
            self.over[ratio.denominator] = left

    def rounded(self) -> Decimal:
        """The sum at 30 decimals, half up: further than is shown."""
        worked_out = sum((divide_down(above, below, RATIO_SCALE) for below, above in self.over.items()), ZERO)
        return round_down(worked_out + HALF.scaleb(-SUM_SCALE), SUM_SCALE)


class Crossing(NamedTuple):
    """Where a wallet came into debt or out of it: a level began, or ended, with this event."""

    position: int
    topic: str
    level: Ratio


class LevelChange:
    """The way of one level: what each cause added, and the levels that began from none and ended to none.

    A level is there only while something is owed. Counting none as 0, what it is at the end is what it was at the
    start, and all that is in the sums here.
    """

    def __init__(self, start: Ratio) -> None:
        self.start = self.end = start
        self.causes: dict[str, RatioSum] = {cause: RatioSum() for cause in Cause}
        self.from_none, self.to_none = RatioSum(), RatioSum()
        self.began: list[Crossing] = []
        self.ended: list[Crossing] = []
        self.times_began = self.times_ended = 0

    def reach(self, cause: Cause, level: Ratio, place: tuple[int, str]) -> None:
        """The level is now this one, by that cause; infinite while nothing is owed."""
        before, self.end = self.end, level
        if _is_there(before) and _is_there(level):
            self.causes[cause].add(level)
            self.causes[cause].add(before, -1)
        elif _is_there(level):
            self.times_began += 1
            self.from_none.add(level)
            self.began += [Crossing(*place, level)][: MOST_CROSSINGS - len(self.began)]
        elif _is_there(before):
            self.times_ended += 1
            self.to_none.add(before, -1)
            self.ended += [Crossing(*place, before)][: MOST_CROSSINGS - len(self.ended)]

    def figures(self) -> dict[str, Any]:
        """As answers show it: levels at 8 decimals, down, and parts that add up to the difference as shown."""
        start, end = level_figure(self.start), level_figure(self.end)
        total = Decimal(end or 0) - Decimal(start or 0)
        sums = {**self.causes, "from_none": self.from_none, "to_none": self.to_none}
        parts = {name: plain(part) for name, part in apportioned(sums, total).items()}
        return {
            "from": start,
            "to": end,
            "change": None if start is None or end is None else plain(total),
            "by_cause": {cause: parts[cause] for cause in Cause},
            "from_none": _crossings(self.times_began, parts["from_none"], self.began),
            "to_none": _crossings(self.times_ended, parts["to_none"], self.ended),
        }


def _is_there(level: Ratio) -> bool:
    return level.denominator > 0


def _crossings(times: int, levels: str, crossings: list[Crossing]) -> dict[str, Any]:
    first = [{"position": one.position, "topic": one.topic, "level": level_figure(one.level)} for one in crossings]
    return {"times": times, "levels": levels, "events": first}


def apportioned(sums: Mapping[str, RatioSum], total: Decimal) -> dict[str, Decimal]:
    """Parts at the scale of levels that add up to a total: each cut down, and what is left given, one step each, to
    those that lost most. As the total is less than a step from their exact sum, each is less than a step from its own.
    """
    parts = {name: part.rounded() for name, part in sums.items()}
    cut = {name: round_down(part, LEVEL_SCALE) for name, part in parts.items()}
    steps = int((total - sum(cut.values(), ZERO)).scaleb(LEVEL_SCALE))
    for name in sorted(parts, key=lambda name: cut[name] - parts[name])[:steps]:
        cut[name] += step_of(LEVEL_SCALE)
    return cut


class Attribution:
    """The way of one margin wallet from point to point; equity is exact, and so are the sums of levels.

    Once a price was lacking there is no way to tell: `lacks_price_at` is the position. Only the pool has a collateral
    level.
    """

    def __init__(self, start: Margin | None, position: int, *, pooled: bool) -> None:
        self.lacks_price_at = position if start is None else None
        self.start = self.end = Valuation(ZERO, ZERO, ZERO) if start is None else start.valuation
        self.equity = dict.fromkeys(Cause, ZERO)
        self.level = LevelChange(self.start.level)
        self.collateral_level = LevelChange(self.start.collateral_level) if pooled else None

    def take(self, step: Step, name: str) -> None:
        """An event: first what prices did since the last one, then what it did itself, its fee apart."""
        margin, event, place = (
            step.margins[name],
            step.recorded.event,
            (step.recorded.position, step.recorded.event.TOPIC),
        )
        self.reach(Cause.PRICES, margin.before, place)
        self.reach(cause_of(event), margin.before_fee, place)  # type: ignore[arg-type]  # Of an account, as its step is.
        self.reach(Cause.FEES, margin.after, place)

    def reach(self, cause: Cause, margin: Margin | None, place: tuple[int, str]) -> None:
        """The wallet is now worth that, by that cause."""
        if margin is None or self.lacks_price_at is not None:
            self.lacks_price_at = self.lacks_price_at or place[0]
            return
        before, self.end = self.end, margin.valuation
        self.equity[cause] += self.end.equity - before.equity
        self.level.reach(cause, self.end.level, place)
        if self.collateral_level is not None:
            self.collateral_level.reach(cause, self.end.collateral_level, place)

    def figures(self) -> dict[str, Any]:
        """As answers show it; only where a price was lacking if one was."""
        if self.lacks_price_at is not None:
            return {"lacks_price_at": self.lacks_price_at}
        equity = {
            "from": plain(self.start.equity),
            "to": plain(self.end.equity),
            "change": plain(self.end.equity - self.start.equity),
            "by_cause": {cause: plain(amount) for cause, amount in self.equity.items()},
        }
        levels = {"margin_level": self.level.figures()}
        if self.collateral_level is not None:
            levels["collateral_margin_level"] = self.collateral_level.figures()
        return {"equity": equity, **levels}
