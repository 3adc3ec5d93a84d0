"""The present as one process has read it from the log: the market and the accounts used last, as of one position."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from ledger import account, exchange
from ledger.account import Account
from ledger.events import AccountEvent, AnyEvent, ExchangeEvent, read_event
from ledger.log import Connection, StoredRow, log_end, read_positions, read_rows, read_stream
from ledger.market import Market
from ledger.snapshots import EVENTS_BETWEEN, MARKET, Snapshot, find_market
from ledger.words import EXCHANGE, PRICES

# How many events are read at once, so that a long log is never held in memory as a whole.
EVENTS_AT_ONCE = 2_000
# Beyond so many events of others it is cheaper to read again what is needed than to follow.
MOST_NEWS = 200_000
# About what an account and the things in it take of memory (benchmarks/write_path.py measures the whole).
ACCOUNT_BYTES, THING_BYTES, BALANCE_BYTES = 2_000, 400, 600


class Present:
    """What is known of the log up to `position`; nothing in it was ever recorded otherwise.

    Accounts and the market are never changed once they are here, only replaced, so that other threads may read those
    they got. `offer` gets what should be kept as a snapshot.
    """

    def __init__(self, most_accounts: int, most_bytes: int, offer: Callable[[Snapshot], None]) -> None:
        self._most_accounts = most_accounts
        self._most_bytes = most_bytes
        self._offer = offer
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._weights: dict[str, int] = {}
        self._bytes = 0
        # The versions of the snapshots that are known or under way, of the accounts here and of the market.
        self._kept_at: dict[str, int] = {}
        self.position = 0
        self._last: AnyEvent | None = None
        self.market = Market()
        self.is_read = False

    def forget(self) -> None:
        """Know nothing any more; the next reading starts anew."""
        for known in (self._accounts, self._weights, self._kept_at):
            known.clear()
        self._bytes = 0
        self.is_read = False

    def recognise(self, connection: Connection) -> None:
        """Forget everything if this database's log is not the one that was read, as after a restored backup."""
        if self.is_read and _names(_event_at(connection, self.position)) != _names(self._last):
            self.forget()

    def is_at(self, position: int) -> bool:
        """Whether the log is known up to a position, and no further."""
        return self.is_read and self.position == position

    def catch_up(self, connection: Connection) -> set[str]:
        """Read the log to its end; returns the streams of all that was read, with the exchange's if it began anew."""
        touched: set[str] = set()
        if self.is_read and log_end(connection).position > self.position + MOST_NEWS:
            self.forget()
        if not self.is_read:
            self._start(connection)
            touched.add(EXCHANGE)
        while news := read_rows(connection, self.position, EVENTS_AT_ONCE):
            try:
                touched |= self._take_in(news)
            except BaseException:
                self.forget()
                raise
            if len(news) < EVENTS_AT_ONCE:
                break
        return touched

    def missing(self, account_ids: Iterable[str]) -> list[str]:
        """Those of the accounts that are not here."""
        return [account_id for account_id in account_ids if account_id not in self._accounts]

    def take(self, account: Account, kept_at: int) -> None:
        """Have an account as of this position; its snapshot, if there is one, is of version `kept_at`, else 0."""
        self._put(account, kept_at)

    def account(self, account_id: str) -> Account:
        """An account that was loaded; it must not be changed."""
        return self._accounts[account_id]

    def publish(self, position: int, last: AnyEvent, accounts: Mapping[str, Account], market: Market) -> None:
        """Take over what a committed batch decided; `last` is its event at the position."""
        self.position, self._last = position, last
        self._replace(market)
        for after in accounts.values():
            # One that was let go of meanwhile is not taken for one that never had a snapshot.
            self._put(after, self._kept_at.get(after.id, after.version))

    def keep_to_size(self, used: Iterable[str]) -> None:
        """Mark accounts as used last, and let go of those used longest ago."""
        for account_id in used:
            if account_id in self._accounts:
                self._accounts.move_to_end(account_id)
        while self._accounts and (len(self._accounts) > self._most_accounts or self._bytes > self._most_bytes):
            account_id, _ = self._accounts.popitem(last=False)
            self._bytes -= self._weights.pop(account_id)
            del self._kept_at[account_id]

    def _put(self, after: Account, kept_at: int) -> None:
        """Hold an account, and have it kept as a snapshot when it has moved on far enough since the last one."""
        account_id = after.id
        before = self._accounts.get(account_id)
        # To weigh an account at every event would cost more than it tells.
        if before is None or before.version >> 4 != after.version >> 4:
            self._bytes += (weight := bytes_of(after)) - self._weights.get(account_id, 0)
            self._weights[account_id] = weight
        self._accounts[account_id] = after
        self._kept_at[account_id] = kept_at
        # A snapshot is as long as the account's open things are many, and made the less often.
        if after.version - kept_at >= EVENTS_BETWEEN + len(after.holds) + len(after.withdrawals) + len(
            after.adjustments
        ):
            self._keep(after.id, after.version, after)

    def _replace(self, market: Market) -> None:
        self.market = market
        version = market.version + market.prices_version
        if version - self._kept_at.setdefault(MARKET, 0) >= EVENTS_BETWEEN:
            self._keep(MARKET, version, market)

    def _keep(self, stream: str, version: int, state: Account | Market) -> None:
        self._kept_at[stream] = version
        assert self._last is not None
        self._offer(Snapshot(stream, version, self.position, self._last, state))

    def _start(self, connection: Connection) -> None:
        self.forget()
        self.position = log_end(connection).position
        self._last = _event_at(connection, self.position)
        market = find_market(connection, self.position) or Market()
        self._kept_at[MARKET] = market.version + market.prices_version
        for stream, version in ((EXCHANGE, market.version), (PRICES, market.prices_version)):
            while recorded := read_stream(
                connection, stream, after_version=version, until_position=self.position, limit=EVENTS_AT_ONCE
            ):
                for one in recorded:
                    exchange.evolve(market, cast(ExchangeEvent, one.event))
                version = recorded[-1].event.version
        self._replace(market)
        self.is_read = True

    def _take_in(self, news: Sequence[StoredRow]) -> set[str]:
        """Follow what others recorded: only what is of the market or of an account here is looked into."""
        settings: list[AnyEvent] = []
        accounts: dict[str, Account] = {}
        for row in news:
            stream = row.originator_id
            if stream in (EXCHANGE, PRICES):
                settings.append(read_event(row.topic, row.state))
            elif (known := accounts.get(stream)) is not None or (known := self._copy_of(stream)) is not None:
                account.evolve(known, cast(AccountEvent, read_event(row.topic, row.state)))
                accounts[stream] = known
        last = news[-1]
        self.publish(last.position, read_event(last.topic, last.state), accounts, market_after(self.market, settings))
        return {row.originator_id for row in news}

    def _copy_of(self, account_id: str) -> Account | None:
        known = self._accounts.get(account_id)
        return None if known is None else known.copy()


def bytes_of(account: Account) -> int:
    """About how many bytes an account takes in memory, by what it has many of."""
    things = len(account.holds) + len(account.withdrawals) + len(account.modes) + len(account.leverages)
    wallets = account.wallets
    things += (
        len(account.adjustments) + len(account.reversals) + len(account.liquidations) + len(wallets.cross.positions)
    )
    balances = len(wallets.spot.balances) + len(wallets.cross.balances) + 4 * len(wallets.isolated)
    return ACCOUNT_BYTES + THING_BYTES * things + BALANCE_BYTES * balances


def _event_at(connection: Connection, position: int) -> AnyEvent | None:
    return next((recorded.event for recorded in read_positions(connection, [position])), None)


def _names(event: AnyEvent | None) -> tuple[str, int, str] | None:
    """What tells an event from any other that could stand at its position in another history."""
    return None if event is None else (event.account_id, event.version, event.correlation_id)


def market_after(market: Market, events: Iterable[AnyEvent]) -> Market:
    """The market after events of the exchange's streams; the one given stays as it is, and is returned if none."""
    owned = market
    owns_listings = False
    for event in events:
        if event.account_id != PRICES and not owns_listings:
            owned, owns_listings = owned.copy(), True
        elif owned is market:
            # Marks replace prices only, and come often: the listings may be shared, and what is held is put anew.
            owned = replace(market, prices=market.prices.copy())
        exchange.evolve(owned, cast(ExchangeEvent, event))
    return owned
