"""The watch: every wallet that owes, in memory, and which of them an examination would act on, tick by tick."""

from collections.abc import Iterable
from decimal import Decimal

from ledger.market import Market
from ledger.money import VALUATION_ASSET, quote_of
from ledger.words import Band, pair_of
from projections.market.queries import market_at
from projections.projector import Connection
from projections.questions.levels import Candidate
from projections.watch.buckets import Buckets
from projections.watch.group import Group
from projections.watch.kept import Wallets
from projections.watch.pools import Pools
from projections.watch.reading import Copy, read_copy, read_gone, read_watched
from projections.watch.tick import Tick

BUCKETS = "buckets"


class Watch:
    """All wallets that owe as of a log position, but those whose liquidation runs, in its market.

    `mark` and `put` are what `follow` does with what it has read. One thread at a time.
    """

    def __init__(self, market: Market, position: int = 0) -> None:
        self.position = position
        self._tick = Tick.of(market)
        self._groups: dict[str, Group] = {}
        self._copy: Copy | None = None

    @classmethod
    def opened(cls, connection: Connection, position: int) -> "Watch":
        """The watch as of a position; the connection is in a snapshot of the projections `market`, `margin_levels`."""
        watch = cls(market_at(connection, position), position)
        watch._copy = read_copy(connection)
        watch._read(connection, 0, position)
        return watch

    def follow(self, connection: Connection, position: int) -> bool:
        """Take everything recorded up to a later position, and all anew where a rebuild has put others in place.

        Returns whether there was anything to take. ValueError where the position is an earlier one.
        """
        if position < self.position:
            raise ValueError(
                f"position {position} was asked for, the watch stands at {self.position} and goes no way back; "
                "open another"
            )
        copy = read_copy(connection)
        if position == self.position and copy == self._copy:
            return False
        self.mark(market_at(connection, position))
        if copy == self._copy:
            self.drop(read_gone(connection, self.position, position))
            self._read(connection, self.position, position)
        else:
            self._copy, self._groups = copy, {}
            self._read(connection, 0, position)
        self.position = position
        return True

    def _read(self, connection: Connection, after: int, position: int) -> None:
        for wallets in read_watched(connection, after, position, list(self._tick.places)):
            self.put(wallets)

    @property
    def market(self) -> Market:
        """The market at the position."""
        return self._tick.market

    def __len__(self) -> int:
        """How many wallets are watched."""
        return sum(len(group) for group in self._groups.values())

    @property
    def decisions(self) -> int:
        """How many times a wallet was decided exactly so far."""
        return sum(group.decisions for group in self._groups.values())

    def mark(self, market: Market) -> None:
        """Go on to another market: its prices, limits, rates, and the time of its newest prices."""
        self._tick = Tick.of(market, self._tick)
        for group in self._groups.values():
            group.mark(self._tick)

    def put(self, wallets: Wallets) -> None:
        """Take wallets that owe as they are now, in order of their names."""
        keys = [_key_of(name) for name, _ in wallets.runs]
        for key in dict.fromkeys(keys):
            self._group(key).put(wallets.of([one == key for one in keys]))

    def drop(self, gone: Iterable[tuple[str, str]]) -> None:
        """Let go of wallets, by name and account, that owe no more or whose liquidation runs."""
        by_group: dict[str, list[tuple[str, str]]] = {}
        for name, account_id in gone:
            by_group.setdefault(_key_of(name), []).append((name, account_id))
        for key, own in by_group.items():
            self._group(key).drop(own)

    def _group(self, key: str) -> Group:
        if key not in self._groups:
            self._groups[key] = Buckets(self._tick) if key == BUCKETS else Pools(key, self._tick)
        return self._groups[key]

    def candidates(self) -> list[Candidate]:
        """The wallets that an examination would act on at the newest prices, and those that lack a price for it.

        The same as those of questions.levels, exactly. The priced ones come first: those to be liquidated before those
        to be called, for the lines of wallets differ; then the lowest level, then by account and wallet.
        """
        found = [one for group in self._groups.values() for one in group.candidates()]
        priced = [(_place(one.band, one.level), one) for one in found if one.level is not None]
        priced.sort(key=lambda each: (each[0], each[1].account_id, each[1].wallet))
        return [one for _, one in priced] + [one for one in found if one.level is None]


def _place(band: str, level: str | None) -> tuple[bool, Decimal]:
    return band != Band.LIQUIDATION, Decimal(level or 0)


def _key_of(name: str) -> str:
    """Which group a wallet is of: buckets that one price moves are together, the others by their names."""
    pair = pair_of(name)
    return BUCKETS if pair is not None and quote_of(pair) == VALUATION_ASSET else name
