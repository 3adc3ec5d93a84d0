"""An account's events one by one: the lines each posted, and what every balance and position was before and after."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ledger import exchange
from ledger.account import Account, evolve
from ledger.events import AccountEvent
from ledger.log import RecordedEvent
from ledger.market import Market
from ledger.positions import FLAT, Position
from ledger.postings import postings
from ledger.wallets import NOTHING, Balance
from ledger.words import Line


class BalanceChange(NamedTuple):
    wallet: str
    asset: str
    before: Balance
    after: Balance


class PositionChange(NamedTuple):
    wallet: str
    pair: str
    before: Position
    after: Position


class Step(NamedTuple):
    """One event and all it changed on the account."""

    recorded: RecordedEvent
    lines: list[Line]
    balances: list[BalanceChange]
    positions: list[PositionChange]


def dated_up_to(recorded: Sequence[RecordedEvent], effective_at: datetime | None) -> list[RecordedEvent]:
    """All events in order of version; as of a business time those dated up to it, in order of that time."""
    if effective_at is None:
        return list(recorded)
    known = [one for one in recorded if one.event.effective_at <= effective_at]
    return sorted(known, key=lambda one: (one.event.effective_at, one.position))


def steps_of(account: Account, recorded: Sequence[RecordedEvent]) -> Iterator[Step]:
    """Takes events into the account one after the other, in whatever order, and yields what each changed."""
    for one in recorded:
        balances, positions, version = _balances(account), _positions(account), account.version
        if isinstance(one.event, AccountEvent):
            evolve(account, one.event)
        account.version = max(version, one.event.version)
        lines = postings(one.event)
        yield Step(one, lines, _changed_balances(account, balances), _changed_positions(account, positions))


def _balances(account: Account) -> dict[tuple[str, str], Balance]:
    return {
        (wallet.name, asset): balance for wallet in account.wallets.all() for asset, balance in wallet.balances.items()
    }


def _positions(account: Account) -> dict[tuple[str, str], Position]:
    return {
        (wallet.name, pair): position for wallet in account.wallets.all() for pair, position in wallet.positions.items()
    }


def _changed_balances(account: Account, before: dict[tuple[str, str], Balance]) -> list[BalanceChange]:
    return [
        BalanceChange(*key, before.get(key, NOTHING), after)
        for key, after in _balances(account).items()
        if after != before.get(key, NOTHING)
    ]


def _changed_positions(account: Account, before: dict[tuple[str, str], Position]) -> list[PositionChange]:
    return [
        PositionChange(*key, before.get(key, FLAT), after)
        for key, after in _positions(account).items()
        if after != before.get(key, FLAT)
    ]


def market_of(recorded: Sequence[RecordedEvent]) -> Market:
    """The market that the events of the exchange's streams leave, taken in this order."""
    market = Market()
    for one in recorded:
        exchange.evolve(market, one.event)  # type: ignore[arg-type]  # Only the exchange's events stand on its streams.
    return market
