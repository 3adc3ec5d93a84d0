"""Simple interest on principal, per clock hour: what each uncharged hour costs, as pure arithmetic."""

from datetime import datetime
from decimal import Decimal

from ledger.events import InterestLine, made
from ledger.market import AssetListing, Market, Rates
from ledger.money import divide_up
from ledger.wallets import ONE_HOUR, Wallet, hour_of
from ledger.words import Part

HOURS_OF_A_DAY = Decimal(24)


def hour_amount(principal: Decimal, daily_rate: Decimal, scale: int) -> Decimal:
    """Interest of one hour: principal x daily rate / 24, rounded up at the asset's scale (domain, section 6)."""
    return divide_up(principal * daily_rate, HOURS_OF_A_DAY, scale)


def interest_lines(listing: AssetListing, principal: Decimal, first: datetime, end: datetime) -> list[InterestLine]:
    """One line for each run of hours at one rate, from hour `first` up to but not `end`; free hours have none."""
    lines = []
    hour = first
    while hour < end:
        rate = listing.rates.at(hour)
        run_end = min(end, _next_hour_of_another_rate(listing.rates, hour, end))
        hours = (run_end - hour) // ONE_HOUR
        amount = hours * hour_amount(principal, rate, listing.scale)
        if amount:
            terms = {"asset": listing.symbol, "rate": rate, "principal": principal}
            line = made(InterestLine, {**terms, "first_hour": hour, "hours": hours, "amount": amount})
            lines.append(line)
        hour = run_end
    return lines


def _next_hour_of_another_rate(rates: Rates, hour: datetime, end: datetime) -> datetime:
    """The first hour at or after the next rate change; a rate counts for the hours that start at or after it."""
    change = rates.next_change(hour)
    if change is None:
        return end
    started = hour_of(change)
    return started if started == change else started + ONE_HOUR


def due_lines(wallet: Wallet, market: Market, at: datetime) -> list[InterestLine]:
    """What a wallet owes for every hour that has begun by `at` and is not charged yet, assets in order of symbol."""
    first_hours = wallet.next_hours
    if not first_hours or min(first_hours.values()) > at:
        return []
    end = hour_of(at) + ONE_HOUR
    return [
        line
        for asset, first in sorted(wallet.next_hours.items())
        for line in interest_lines(market.asset(asset), wallet.balance(asset).borrowed, first, end)
    ]


def further_borrow_lines(
    wallet: Wallet, market: Market, asset: str, amount: Decimal, at: datetime
) -> list[InterestLine]:
    """What a loan pays at once: its own hour, and later ones that the wallet's debt is charged for already."""
    own = hour_of(at)
    end = max(own + ONE_HOUR, wallet.next_hours.get(asset, own))
    return interest_lines(market.asset(asset), amount, own, end)


def charged(wallet: Wallet, lines: list[InterestLine]) -> Wallet:
    """A wallet as it will be once these lines are charged; the wallet itself if there are none."""
    if not lines:
        return wallet
    after = wallet.with_balances(wallet.balances.copy())
    for line in lines:
        after.balances[line.asset] = after.balance(line.asset).posted(Part.INTEREST, -line.amount)
    return after
