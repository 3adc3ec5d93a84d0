"""Numbers of a liquidation or a margin call worked out once more, in fractions and apart from the code that decided."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

from ledger.account import Account, leverage_of
from ledger.account.liquidation import CALL_PAUSE
from ledger.events import InterestAccrued, LiquidationCompleted, LiquidationStarted, MarginCalled, MarkPrice
from ledger.log import RecordedEvent
from ledger.market import Market
from ledger.money import ONE, VALUATION_ASSET, ZERO, base_of, plain, quote_of, valuation_pair
from ledger.postings import postings
from ledger.tiers import RiskTier
from ledger.wallets import Balance, Wallet
from ledger.words import CROSS, pair_of
from projections.questions.explanation_prices import LoggedMark

LEVEL_DECIMALS = 8
HOURS_OF_A_DAY = 24


class Check(NamedTuple):
    """One number that an event states, and what it comes to when it is worked out again."""

    name: str
    position: int
    stated: str | None
    recomputed: str | None
    agrees: bool


class Standpoint(NamedTuple):
    """What a decision was made on: the account and the market just before its event, and the prices of the log."""

    account: Account
    market: Market
    marks: Mapping[str, LoggedMark]


def same(name: str, recorded: RecordedEvent, stated: Any, recomputed: Any) -> Check:
    """A number that must be what it is worked out to be."""
    return Check(name, recorded.position, _written(stated), _written(recomputed), stated == recomputed)


def _written(value: Any) -> str | None:
    if value is None:
        return None
    return plain(value) if isinstance(value, Decimal) else str(value)


def raised(value: Fraction, scale: int) -> Decimal:
    """A value at so many decimals, rounded up."""
    return Decimal(ceil(value * 10**scale)).scaleb(-scale)


def cut(value: Fraction, scale: int) -> Decimal:
    """A value at so many decimals, rounded down."""
    return Decimal(floor(value * 10**scale)).scaleb(-scale)


def checks_of_start(recorded: RecordedEvent, event: LiquidationStarted, at: Standpoint) -> Iterator[Check]:
    """Every number of liquidation.started; level, sums and tier from the balances and prices that it states."""
    wallet = at.account.wallets.wallet(event.wallet)
    yield same("liquidation_id", recorded, event.liquidation_id, f"{event.account_id}.{event.version}")
    yield from _balances(recorded, event, wallet)
    yield from _prices(recorded, event.prices, at.marks)
    held = {asset: balance.free + balance.locked for asset, balance in event.balances.items()}
    owed = {asset: balance.borrowed + balance.interest for asset, balance in event.balances.items()}
    yield from _level(recorded, event, held, owed)
    row, tier = _line(at, event.wallet, {asset: one.borrowed for asset, one in event.balances.items()})
    yield same("tier", recorded, event.tier, tier)
    yield same("liquidation_level", recorded, event.liquidation_level, row.liquidation)
    yield _is_at_or_below(recorded, event.liquidation_level, event)
    yield same("fee_rate", recorded, event.fee_rate, at.market.limits_of(_scope(event.wallet)).liquidation_fee)
    yield same("target", recorded, event.target, at.market.limits_of(_scope(event.wallet)).liquidation_target)
    holds = {name: hold for name, hold in at.account.holds.items() if hold.wallet == event.wallet}
    stated = {one.hold_id: (one.asset, one.amount) for one in event.released_holds}
    for name in sorted({*holds, *stated}):
        there = (holds[name].asset, holds[name].amount) if name in holds else None
        yield same(f"released_holds.{name}", recorded, _asset_and_amount(stated.get(name)), _asset_and_amount(there))


def checks_of_going_on(
    recorded: RecordedEvent, event: LiquidationCompleted, at: Standpoint, borrowed: Mapping[str, Decimal]
) -> Iterator[Check]:
    """The tier and the line that a wallet goes on under by what it has borrowed; of one that owes nothing neither."""
    row, tier = _line(at, event.wallet, borrowed) if event.owed else (None, None)
    yield same("tier in the end", recorded, event.tier, tier)
    yield same("liquidation_level in the end", recorded, event.liquidation_level, row and row.liquidation)


def checks_of_call(recorded: RecordedEvent, event: MarginCalled, at: Standpoint) -> Iterator[Check]:
    """Every number of margin.called; the sums from the wallet that its events left and the prices that it states."""
    balances = at.account.wallets.wallet(event.wallet).balances
    needed = {asset for asset, balance in balances.items() if any(balance)} - {VALUATION_ASSET}
    pairs = sorted(valuation_pair(asset) for asset in needed)
    yield same("prices", recorded, ", ".join(sorted(event.prices)), ", ".join(pairs))
    yield from _prices(recorded, event.prices, at.marks)
    held = {asset: balance.free + balance.locked for asset, balance in balances.items()}
    owed = {asset: balance.borrowed + balance.interest for asset, balance in balances.items()}
    yield from _level(recorded, event, held, owed)
    row, tier = _line(at, event.wallet, {asset: balance.borrowed for asset, balance in balances.items()})
    yield same("tier", recorded, event.tier, tier)
    yield same("threshold", recorded, event.threshold, row.margin_call)
    yield _is_at_or_below(recorded, event.threshold, event)
    above = Fraction(event.assets) > Fraction(row.liquidation) * Fraction(event.debt)
    yield Check("level is above the liquidation line", recorded.position, event.level, plain(row.liquidation), above)
    last = at.account.called_at.get(event.wallet)
    if last is not None:
        paused = event.effective_at - last >= CALL_PAUSE
        told = f"{(event.effective_at - last).total_seconds():.0f} s"
        least = f"at least {CALL_PAUSE.total_seconds():.0f} s"
        yield Check("time since the last call", recorded.position, told, least, paused)


def checks_of_interest(recorded: RecordedEvent, event: InterestAccrued, at: Standpoint) -> Iterator[Check]:
    """Each line: hours x (principal x daily rate / 24, rounded up), at the rate of its hours."""
    wallet = at.account.wallets.wallet(event.wallet)
    for line in event.lines:
        name, listing = f"interest.{line.asset}", at.market.asset(line.asset)
        yield same(f"{name}.principal", recorded, line.principal, wallet.balance(line.asset).borrowed)
        yield same(f"{name}.rate", recorded, line.rate, listing.rates.at(line.first_hour))
        hour = raised(Fraction(line.principal) * Fraction(line.rate) / HOURS_OF_A_DAY, listing.scale)
        yield same(f"{name}.amount", recorded, line.amount, line.hours * hour)


def checks_of_postings(recorded: RecordedEvent, wallet: str) -> Iterator[Check]:
    """What an event posts sums to zero for every asset, and touches no other wallet of its account."""
    sums: dict[str, Decimal] = {}
    others = set()
    for line in postings(recorded.event):
        sums[line.asset] = sums.get(line.asset, ZERO) + line.amount
        if line.book.account_id is not None and line.book.name != wallet:
            others.add(f"{line.book.account_id} {line.book.name}")
    topic = recorded.event.TOPIC
    for asset, total in sorted(sums.items()):
        yield same(f"{topic} postings in {asset}", recorded, ZERO, total)
    yield same(f"{topic} touches no other wallet", recorded, "none", ", ".join(sorted(others)) or "none")


def _balances(recorded: RecordedEvent, event: LiquidationStarted, wallet: Wallet) -> Iterator[Check]:
    for asset in sorted({*event.balances, *wallet.balances}):
        stated, there = event.balances.get(asset), wallet.balance(asset)
        for part in Balance._fields:
            said = None if stated is None else getattr(stated, part)
            yield same(f"balances.{asset}.{part}", recorded, said, getattr(there, part))


def _prices(
    recorded: RecordedEvent, stated: Mapping[str, MarkPrice], marks: Mapping[str, LoggedMark]
) -> Iterator[Check]:
    """A stated price is that of the newest vector of the log which marks the pair."""
    for pair, mark in sorted(stated.items()):
        logged = marks.get(pair)
        yield same(f"prices.{pair}", recorded, _mark(mark), None if logged is None else _mark(logged.mark))


def _mark(mark: MarkPrice) -> str:
    return f"{plain(mark.price)} of {mark.effective_at.isoformat()} by vector {mark.version}"


def _level(
    recorded: RecordedEvent,
    event: LiquidationStarted | MarginCalled,
    held: Mapping[str, Decimal],
    owed: Mapping[str, Decimal],
) -> Iterator[Check]:
    """A = sum of A_i P_i, D = sum of D_i P_i, ML = A / D (domain, section 5)."""
    prices = prices_of(event.prices)
    lacking = sorted(asset for asset in held if (held[asset] or owed[asset]) and asset not in prices)
    if lacking:
        yield Check("prices", recorded.position, "none", f"one of {', '.join(lacking)} is needed", agrees=False)
        return
    assets, debt = (sum((part[one] * prices.get(one, ZERO) for one in part), ZERO) for part in (held, owed))
    yield same("assets", recorded, event.assets, assets)
    yield same("debt", recorded, event.debt, debt)
    if debt > 0:
        worked_out = cut(Fraction(assets) / Fraction(debt), LEVEL_DECIMALS)
        yield same("level", recorded, event.level, f"{worked_out:f}")


def prices_of(marks: Mapping[str, MarkPrice]) -> dict[str, Decimal]:
    """The price of each asset in the valuation asset."""
    valuing = {base_of(pair): mark.price for pair, mark in marks.items() if quote_of(pair) == VALUATION_ASSET}
    return {VALUATION_ASSET: ONE, **valuing}


def _line(at: Standpoint, wallet: str, borrowed: Mapping[str, Decimal]) -> tuple[RiskTier, int | None]:
    """The row of the risk limits then in force that judges the wallet: by leverage in the pool, by size in a bucket."""
    tiers, pair = at.market.limits_of(_scope(wallet)).tiers, pair_of(wallet)
    if pair is None:
        leverage = leverage_of(at.account, wallet, at.market)
        return next((row for row in tiers if row.max_leverage == leverage), tiers[-1]), None
    loans = [borrowed.get(base_of(pair), ZERO), borrowed.get(quote_of(pair), ZERO)]
    for number, row in enumerate(tiers, 1):
        limits = (row.base_limit, row.quote_limit)
        if all(limit is None or loan <= limit for loan, limit in zip(loans, limits, strict=True)):
            return row, number
    return tiers[-1], len(tiers)


def _scope(wallet: str) -> str:
    return pair_of(wallet) or CROSS


def _is_at_or_below(recorded: RecordedEvent, line: Decimal, event: LiquidationStarted | MarginCalled) -> Check:
    crossed = Fraction(event.assets) <= Fraction(line) * Fraction(event.debt)
    return Check("level is at or below its line", recorded.position, event.level, plain(line), crossed)


def _asset_and_amount(held: tuple[str, Decimal] | None) -> str | None:
    return None if held is None else f"{plain(held[1])} {held[0]}"


def disagreeing(checks: Iterable[Check]) -> list[Check]:
    """Those that do not agree."""
    return [check for check in checks if not check.agrees]
