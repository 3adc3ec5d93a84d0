"""Events to the states of margin wallets that owe, and to the levels that decisions recorded; prices write nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from ledger import events as e
from ledger.money import plain
from ledger.postings import postings
from ledger.wallets import Wallet, Wallets
from ledger.words import CROSS, SPOT, Line, isolated, pair_of
from projections.folding import Kept
from projections.margin_levels.wallet_rows import wallet_of
from projections.projector import Batch, Connection, RecordedEvent
from projections.writing import append, put

COLUMNS = {
    "account_id": "text",
    "wallet": "text",
    "position": "bigint",
    "owes": "boolean",
    "leverage": "numeric",
    "liquidation_id": "text",
    "called_at": "timestamptz",
    "balances": "jsonb",
}
ASSESSMENTS = ("position", "account_id", "wallet", "topic", "level_before", "level_after", "tier", "effective_at")


class Settings(NamedTuple):
    """What events set of a margin wallet, beside what they post to it."""

    leverage: Decimal | None = None
    liquidation_id: str | None = None
    called_at: datetime | None = None

    def after(self, event: e.AnyEvent) -> "Settings":
        match event:
            case e.LeverageSet():
                return self._replace(leverage=event.leverage)
            case e.MarginCalled():
                return self._replace(called_at=event.effective_at)
            case e.LiquidationStarted():
                return self._replace(liquidation_id=event.liquidation_id)
            case e.LiquidationCompleted():
                return self._replace(liquidation_id=None)
            case _:
                return self


@dataclass(slots=True)
class MarginWallets:
    """The margin wallets of one account as last projected; the positions that fold along are never read."""

    wallets: Wallets
    settings: dict[str, Settings] = field(default_factory=dict)


class MarginLevelsProjector:
    """Keeps the margin wallets of the accounts used last."""

    name: ClassVar[str] = "margin_levels"
    tables: ClassVar[tuple[str, ...]] = ("margin_wallets", "margin_wallet_states", "margin_assessments")

    def __init__(self) -> None:
        self._kept = Kept(_load, lambda account_id: MarginWallets(Wallets(account_id)))

    def project(self, connection: Connection, batch: Batch) -> None:
        steps = list(_steps(batch))
        accounts = self._kept.bring(connection, (recorded.event.account_id for recorded, _ in steps))
        current: dict[tuple[str, str], tuple[Any, ...]] = {}
        states: list[tuple[Any, ...]] = []
        for recorded, lines in steps:
            account = accounts[recorded.event.account_id]
            for row, owed in _apply(account, recorded, lines):
                current[row[0], row[1]] = row
                if owed or row[3]:
                    states.append(row)
        append(connection, "margin_wallet_states", COLUMNS, states)
        put(connection, "margin_wallets", COLUMNS, list(current.values()), key=("account_id", "wallet"))
        append(connection, "margin_assessments", ASSESSMENTS, list(_assessments(batch)))

    def forget(self) -> None:
        self._kept.forget()


def _steps(batch: Batch) -> Iterator[tuple[RecordedEvent, list[Line]]]:
    """The events that change a margin wallet, with their lines on margin wallets only."""
    for recorded in batch:
        lines = [line for line in postings(recorded.event) if line.book.account_id and line.book.name != SPOT]
        if lines or _set_wallet(recorded.event) is not None:
            yield recorded, lines


def _set_wallet(event: e.AnyEvent) -> str | None:
    """The wallet that an event sets something of, where it sets any."""
    match event:
        case e.LeverageSet() | e.MarginCalled() | e.LiquidationStarted() | e.LiquidationCompleted():
            return event.wallet
        case _:
            return None


def _apply(
    account: MarginWallets, recorded: RecordedEvent, lines: list[Line]
) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Take one event in; the new row of each wallet it changes, and whether that wallet owed before."""
    event, wallets = recorded.event, account.wallets
    names = dict.fromkeys(line.book.name for line in lines)
    name = _set_wallet(event)
    if name is not None:
        names[name] = None
        account.settings[name] = account.settings.get(name, Settings()).after(event)
    owed = {name: bool(wallets.wallet(name).debts) for name in names}
    wallets.apply(event, lines)
    for name in names:
        wallet, settings = wallets.wallet(name), account.settings.get(name, Settings())
        state = (bool(wallet.debts), *settings, _balances(wallet))
        yield (event.account_id, name, recorded.position, *state), owed[name]


def _balances(wallet: Wallet) -> str:
    """The balances of a wallet as JSON: four amounts and the first uncharged hour by asset, in order of symbol."""
    written = {}
    for asset, balance in sorted(wallet.balances.items()):
        hour = wallet.next_hours.get(asset)
        written[asset] = [*map(plain, balance), None if hour is None else hour.isoformat()]
    return json.dumps(written)


def _load(connection: Connection, account_ids: Sequence[str]) -> dict[str, MarginWallets]:
    accounts: dict[str, MarginWallets] = {}
    rows = connection.execute(
        "select account_id, wallet, balances, leverage, liquidation_id, called_at from margin_wallets"
        " where account_id = any(%s)",
        [list(account_ids)],
    )
    for account_id, name, balances, *settings in rows:
        account = accounts.setdefault(account_id, MarginWallets(Wallets(account_id)))
        account.settings[name] = Settings(*settings)
        _put(account.wallets, wallet_of(name, balances))
    return accounts


def _put(wallets: Wallets, wallet: Wallet) -> None:
    pair = pair_of(wallet.name)
    if pair is None:
        wallets.cross = wallet
    else:
        wallets.isolated[pair] = wallet


def _assessments(batch: Batch) -> Iterator[tuple[Any, ...]]:
    for position, _, event in batch:
        for wallet, assessment in _assessed(event):
            if assessment is not None and (assessment.level_before or assessment.level_after):
                levels = (assessment.level_before, assessment.level_after, assessment.tier)
                yield (position, event.account_id, wallet, event.TOPIC, *levels, event.effective_at)


def _assessed(event: e.AnyEvent) -> list[tuple[str, e.Assessment | None]]:
    """The wallets whose levels a decision assessed: both, where it moved margin between the pool and a bucket."""
    match event:
        case e.MarginAdded():
            return [(isolated(event.pair), event.assessment), (CROSS, event.source_assessment)]
        case e.MarginRemoved():
            return [(isolated(event.pair), event.assessment), (CROSS, event.target_assessment)]
        case e.LeverageSet() | e.LoanBorrowed() | e.FundsHeld() | e.TradeBooked():
            return [(event.wallet, event.assessment)]
        case e.FundsTransferred():
            return [(CROSS, event.assessment)]
        case _:
            return []
