"""The present as one process has read it from the log: the market and the accounts used last, as of one position."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from ledger import account, exchange
from ledger.account import Account
from ledger.events import AccountEvent, AnyEvent, ExchangeEvent, PricesMarked
from ledger.log import Connection, RecordedEvent, log_end, read_log, read_positions, read_stream, read_streams
from ledger.market import Market, Rates
from ledger.words import EXCHANGE, PRICES

# How many events are read at once, so that a long log is never held in memory as a whole.
EVENTS_AT_ONCE = 2_000


class Present:
    """What is known of the log up to `position`; nothing in it was ever recorded otherwise.

    The market is never changed once it is here, only replaced, so that other threads may read the one they got.
    """

    def __init__(self, most_accounts: int) -> None:
        self._most_accounts = most_accounts
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self.position = 0
        self._last: AnyEvent | None = None
        self.market = Market()
        self._is_read = False

    def forget(self) -> None:
        """Know nothing any more; the next reading starts anew."""
        self._accounts.clear()
        self._is_read = False

    def recognise(self, connection: Connection) -> None:
        """Forget everything if this database's log is not the one that was read, as after a restored backup."""
        if self._is_read and _names(_event_at(connection, self.position)) != _names(self._last):
            self.forget()

    def catch_up(self, connection: Connection) -> None:
        """Read the log to its end."""
        if not self._is_read:
            self._start(connection)
        while news := read_log(connection, self.position, EVENTS_AT_ONCE):
            try:
                self._take_in(news)
            except BaseException:
                self.forget()
                raise
            if len(news) < EVENTS_AT_ONCE:
                break

    def load(self, connection: Connection, account_ids: Iterable[str]) -> None:
        """Have these accounts, all that are missing read in one query; one without events is unopened."""
        missing = [account_id for account_id in account_ids if account_id not in self._accounts]
        if not missing:
            return
        loaded = {account_id: Account.unopened(account_id) for account_id in missing}
        for recorded in read_streams(connection, missing, self.position):
            account.evolve(loaded[recorded.event.account_id], cast(AccountEvent, recorded.event))
        self._accounts.update(loaded)

    def account(self, account_id: str) -> Account:
        """An account that was loaded; it must not be changed."""
        return self._accounts[account_id]

    def publish(self, position: int, last: AnyEvent, accounts: Mapping[str, Account], market: Market) -> None:
        """Take over what a committed batch decided; `last` is its event at the position."""
        self.position, self._last, self.market = position, last, market
        self._accounts.update(accounts)

    def keep_to_size(self, used: Iterable[str]) -> None:
        """Mark accounts as used last, and let go of those used longest ago."""
        for account_id in used:
            if account_id in self._accounts:
                self._accounts.move_to_end(account_id)
        while len(self._accounts) > self._most_accounts:
            self._accounts.popitem(last=False)

    def _start(self, connection: Connection) -> None:
        self._accounts.clear()
        self.position = log_end(connection).position
        self._last = _event_at(connection, self.position)
        market = Market()
        for stream in (EXCHANGE, PRICES):
            version = 0
            while recorded := read_stream(
                connection, stream, after_version=version, until_position=self.position, limit=EVENTS_AT_ONCE
            ):
                for one in recorded:
                    exchange.evolve(market, cast(ExchangeEvent, one.event))
                version = recorded[-1].event.version
        self.market = market
        self._is_read = True

    def _take_in(self, news: list[RecordedEvent]) -> None:
        self.market = market_after(
            self.market, (one.event for one in news if one.event.account_id in (EXCHANGE, PRICES))
        )
        for recorded in news:
            known = self._accounts.get(recorded.event.account_id)
            if known is not None:
                account.evolve(known, cast(AccountEvent, recorded.event))
        self.position, self._last = news[-1].position, news[-1].event


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
        if not isinstance(event, PricesMarked) and not owns_listings:
            owned, owns_listings = _copy(owned), True
        elif owned is market:
            # Marks replace prices only, and come often: the listings may be shared.
            owned = replace(market, prices=market.prices.copy())
        exchange.evolve(owned, cast(ExchangeEvent, event))
    return owned


def _copy(market: Market) -> Market:
    assets = {
        symbol: replace(one, rates=Rates(one.rates.listed, one.rates.since.copy(), one.rates.rates.copy()))
        for symbol, one in market.assets.items()
    }
    return replace(
        market,
        assets=assets,
        pairs={name: replace(one) for name, one in market.pairs.items()},
        limits=market.limits.copy(),
        prices=market.prices.copy(),
        withdrawable_insurance=market.withdrawable_insurance.copy(),
    )
