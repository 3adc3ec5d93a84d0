"""What a backtest reports, per day and in all, as tables and as JSON: the same of every run of one seed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from api.backtest.falls import Fall
from api.backtest.tally import Day, Figures, Tally, total_of
from api.command_line.screen import out, table_of, tell
from ledger.money import VALUATION_ASSET, ZERO, plain, round_down
from projections.verify import VerifyReport

SHOWN_SCALE = 2
COLUMNS = [
    "day (UTC)",
    "lowest",
    "calls",
    "cross",
    "isolated",
    "repaid",
    "fees",
    "deficits",
    "paid by fund",
    "uncovered",
    f"fund, {VALUATION_ASSET}",
    "worth in all",
]


class Replayed(NamedTuple):
    """A backtest that is over: what was asked, what was sent and refused, and what the log and its check say."""

    falls: Sequence[Fall]
    accounts: int
    seed: int
    commands: int
    refusals: Counter[str]
    tally: Tally
    trial_balance: dict[str, dict[str, Any]]
    verified: VerifyReport

    @property
    def agrees(self) -> bool:
        """Whether verification found nothing, and all books together are zero in every asset."""
        zero = not any(one["total"] for one in self.trial_balance.values())
        return not self.verified.differences and self.verified.trial_balance_zero and zero

    def days_of(self, fall: Fall) -> list[Day]:
        """The days of a fall in order, those on which its accounts were opened included."""
        first, last = (fall.scenario.vectors[number].at.date() for number in (0, -1))
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return [self.tally.days[day] for day in days if day in self.tally.days]


def report_of(replayed: Replayed) -> dict[str, Any]:
    """The report as JSON says it: amounts exact, in the valuation asset where nothing else is said."""
    tally, verified = replayed.tally, replayed.verified
    return {
        "seed": replayed.seed,
        "accounts": replayed.accounts,
        "digest": tally.digest,
        "events": tally.events,
        "commands": replayed.commands,
        "refused": dict(sorted(replayed.refusals.items())),
        "falls": [_fall(replayed, fall) for fall in replayed.falls],
        "total": _figures(total_of(tally.days.values())),
        "fund": dict(sorted(tally.fund.items())),
        "trial_balance": replayed.trial_balance,
        "verified": {**verified._asdict(), "agrees": replayed.agrees},
    }


def _fall(replayed: Replayed, fall: Fall) -> dict[str, Any]:
    days = replayed.days_of(fall)
    return {
        "name": fall.name,
        "market": fall.scenario.title,
        "days": [_day(one) for one in days],
        "total": _figures(total_of(days)),
    }


def _day(one: Day) -> dict[str, Any]:
    return {
        "day": one.day.isoformat(),
        **_figures(one.figures),
        "lowest": one.lowest,
        "fund": one.fund,
        "fund_worth": one.fund_worth,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {one.name: getattr(figures, one.name) for one in fields(figures)}


def print_report(replayed: Replayed) -> None:
    """A table for each fall, what it came to, the trial balance, and the digest of the log."""
    for fall in replayed.falls:
        _print_fall(replayed, fall)
    _print_total(replayed)
    _print_trial_balance(replayed)
    tell(
        f"\n{replayed.tally.events:,} events of {replayed.commands:,} commands with seed {replayed.seed}; "
        f"digest of the log {replayed.tally.digest}"
    )


def _print_fall(replayed: Replayed, fall: Fall) -> None:
    days = replayed.days_of(fall)
    rows = [_row(f"{one.day}", one.figures, one) for one in days]
    rows.append(_row("together", total_of(days), None))
    out().rule(f"{fall.name}: {fall.scenario.title}", align="left")
    out().print(table_of(None, COLUMNS, rows, right=range(2, len(COLUMNS))))


def _row(name: str, figures: Figures, day: Day | None) -> tuple[str, ...]:
    counts = (figures.calls, figures.cross_liquidations, figures.isolated_liquidations)
    amounts = (figures.repaid, figures.fees, figures.deficits, figures.paid_by_fund, figures.uncovered)
    lowest = "" if day is None else "\n".join(f"{pair} {plain(price)}" for pair, price in day.lowest.items())
    fund = ("", "") if day is None else (_shown(day.fund.get(VALUATION_ASSET, ZERO)), _shown(day.fund_worth))
    return (name, lowest, *(f"{count:,}" for count in counts), *map(_shown, amounts), *fund)


def _print_total(replayed: Replayed) -> None:
    total = total_of(replayed.tally.days.values())
    out().rule("Together", align="left")
    liquidations = total.cross_liquidations + total.isolated_liquidations
    tell(
        f"{total.vectors:,} price vectors, {total.calls:,} margin calls, {liquidations:,} liquidations "
        f"({total.isolated_liquidations:,} isolated, {total.cross_liquidations:,} cross)."
    )
    tell(
        f"In {VALUATION_ASSET}: {plain(total.repaid)} of debt was repaid from liquidated wallets, {plain(total.fees)} "
        f"charged for it. Deficits of {plain(total.deficits)}: the fund, given {plain(total.funded)}, paid "
        f"{plain(total.paid_by_fund)}; {plain(total.uncovered)} was left uncovered."
    )
    tell(f"The fund holds {', '.join(f'{plain(amount)} {asset}' for asset, amount in replayed.tally.fund.items())}.")
    if replayed.refusals:
        refused = ", ".join(f"{code} {count}" for code, count in sorted(replayed.refusals.items()))
        tell(f"Refused of what traders sent: {refused}.")


def _print_trial_balance(replayed: Replayed) -> None:
    totals = ", ".join(f"{plain(one['total'])} {asset}" for asset, one in replayed.trial_balance.items())
    tell(f"Trial balance at position {replayed.verified.position}: {totals}.")


def _shown(amount: Decimal) -> str:
    return f"{round_down(amount, SHOWN_SCALE):,f}"
