"""The level of one margin wallet along the log: after every price vector and every event that moved it."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple, cast

from ledger.events import ExchangeEvent, PricesMarked
from ledger.log import RecordedEvent, read_versions, stream_pages
from ledger.money import VALUATION_ASSET, valuation_pair
from ledger.words import CROSS, EXCHANGE, pair_of
from projections.market.queries import MarkedPrice, prices_between, valuing_settings
from projections.projector import Connection
from projections.questions.figures import line_figures
from projections.questions.level_path_kept import PathPoint, kept
from projections.questions.margin_wallet import band, collateral_level, level, sums
from projections.questions.points import Point, Standpoint, standpoint, two_points
from projections.questions.walk import Walk
from projections.snapshot import AsOf, Snapshot

MARKED = PricesMarked.TOPIC
MOST_PRICES = 20_000
"""How many prices of the wallet's pairs are walked in one answer; the last ones count."""
MOST_EVENTS = 1_000
"""How many events of the account are walked in one answer, for each that moved the wallet is told."""


class Vector(NamedTuple):
    """The prices that one vector marked of the pairs that value the wallet."""

    position: int
    prices: list[MarkedPrice]


Step = Vector | RecordedEvent


def level_path_answer(
    snapshot: Snapshot, account_id: str, wallet: str, first: AsOf | None, last: AsOf | None, points: int
) -> dict[str, Any]:
    """What GET /v1/accounts/{id}/level-path answers: from a point (None: the opening) to `last`, in log order.

    Where more lies between them than is walked, the path begins later and `is_cut` says so. About `points` of its
    points are told: events, both ends, where the band changed, and of the rest the lowest and highest of each group.
    """
    connection = snapshot.connection
    start, end = two_points(snapshot, account_id, first, last)
    until = standpoint(connection, account_id, end, "to")
    if (pair := pair_of(wallet)) is not None:
        until.market.pair(pair)
    walk = _WalkOfOne(connection, until, wallet, start.position)
    walked = list(walk.points())
    told = kept(walked, points)
    return {
        "account_id": account_id,
        "wallet": wallet,
        "position": snapshot.position,
        "from_position": walk.since,
        "to_position": end.position,
        "is_cut": walk.since > start.position,
        "pairs": walk.pairs,
        "counts": {
            "prices": sum(one.topic == MARKED for one in walked),
            "events": sum(one.version is not None for one in walked),
            "points": len(told),
        },
        "points": [_figures(one, wallet) for one in told],
    }


class _WalkOfOne:
    """The walk of an account up to a standpoint, seen from one of its wallets; it begins at `since`."""

    def __init__(self, connection: Connection, until: Standpoint, wallet: str, start: int) -> None:
        self._connection, self._until, self._wallet = connection, until, wallet
        held = until.account.wallets.wallet(wallet).balances
        self.pairs = [valuation_pair(asset) for asset in sorted(held) if asset != VALUATION_ASSET]
        end = until.point.position
        prices = prices_between(connection, self.pairs, start, end, MOST_PRICES + 1)
        self.since = max(start, self._first_event(), _first_price(prices))
        self._vectors = [
            Vector(position, list(marked))
            for position, marked in groupby((one for one in prices if one.position > self.since), lambda p: p.position)
        ]

    def _first_event(self) -> int:
        """The position of the event that the last MOST_EVENTS follow; 0 where there are no more than that."""
        before = self._until.account.version - MOST_EVENTS
        found = read_versions(self._connection, self._until.account.id, [before]) if before > 0 else []
        return found[0].position if found else 0

    def points(self) -> Iterator[PathPoint]:
        """Both ends, and between them every step that moved the wallet or a line of its."""
        began = standpoint(self._connection, self._until.account.id, Point(self.since, None, None), "from")
        walk = Walk(began.account, began.market)
        at = began.market.newest_prices_at
        yield self._point(walk, self.since, at, None, None)
        for step in self._steps(began):
            if isinstance(step, Vector):
                walk.mark({one.pair: one.mark for one in step.prices})
                at = step.prices[-1].effective_at
                yield self._point(walk, step.position, at, MARKED, None)
            elif step.event.account_id == EXCHANGE:
                walk.take_setting(cast(ExchangeEvent, step.event))
                yield self._point(walk, step.position, step.event.effective_at, step.event.TOPIC, None)
            elif self._wallet in walk.take(step).margins:
                at = step.event.effective_at
                yield self._point(walk, step.position, at, step.event.TOPIC, step.event.version)
        yield self._point(walk, self._until.point.position, at, None, None)

    def _steps(self, began: Standpoint) -> list[Step]:
        account, end = began.account, self._until
        pages = stream_pages(self._connection, account.id, account.version, end.account.version)
        settings = valuing_settings(self._connection, self.since, end.point.position)
        steps: list[Step] = [*self._vectors, *settings, *(one for page in pages for one in page)]
        return sorted(steps, key=lambda one: one.position)

    def _point(self, walk: Walk, position: int, at: Any, topic: str | None, version: int | None) -> PathPoint:
        marks = walk.market.prices
        prices = {pair: marks[pair].price for pair in self.pairs if pair in marks}
        return PathPoint(position, at, topic, version, walk.margin(self._wallet), prices)


def _first_price(prices: list[MarkedPrice]) -> int:
    """The position before which prices are left out, as there are more than are walked; 0 where all are there."""
    return prices[-MOST_PRICES - 1].position if len(prices) > MOST_PRICES else 0


def _figures(point: PathPoint, wallet: str) -> dict[str, Any]:
    margin = point.margin
    pooled = {"collateral_margin_level": collateral_level(margin)} if wallet == CROSS else {}
    return {
        "position": point.position,
        "effective_at": point.effective_at,
        "topic": point.topic,
        "version": point.version,
        "level": level(margin),
        **pooled,
        "band": band(margin),
        "lines": None if margin is None else line_figures(margin.lines),
        **sums(margin),
        "prices": {pair: f"{price:f}" for pair, price in point.prices.items()},
    }
