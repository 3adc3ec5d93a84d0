"""The level of one margin wallet along the log: after every price vector and every event that moved it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from ledger.errors import Malformed, UnknownAccount
from ledger.events import ExchangeEvent, PricesMarked
from ledger.log import RecordedEvent, read_versions, stream_pages
from ledger.money import VALUATION_ASSET, valuation_pair
from ledger.words import CROSS, EXCHANGE, pair_of
from projections.accounts.queries import account as account_row
from projections.market.queries import valuing_settings
from projections.market.spans import Vector, last_vectors, positions_around, telling_positions, vectors_at
from projections.projector import Connection
from projections.questions.figures import line_figures
from projections.questions.level_path_kept import PathPoint, kept
from projections.questions.margin_wallet import band, collateral_level, level, sums
from projections.questions.points import Point, Standpoint, standpoint, two_points
from projections.questions.walk import Walk
from projections.snapshot import AsOf, Snapshot

MARKED = PricesMarked.TOPIC
MOST_PRICES = 6_000
"""How many prices one answer walks of all pairs together: a wallet of many pairs is told by fewer vectors."""

Step = Vector | RecordedEvent


def level_path_answer(
    snapshot: Snapshot, account_id: str, wallet: str, first: AsOf | None, last: AsOf | None, points: int
) -> dict[str, Any]:
    """What GET /v1/accounts/{id}/level-path answers: from a point (None: the opening) to `last`, in log order.

    At most `points` events of the account are walked, the last ones; where there are more, the path begins later and
    `is_cut` says so. Of many vectors those are walked that tell the extremes (`telling_positions`).
    """
    start, end = two_points(snapshot, account_id, first, last)
    version = _version_at(snapshot.connection, account_id, end.position)
    before = _event_at(snapshot.connection, account_id, version - points)
    since = start.position if before is None else max(start.position, before)
    return _answer(snapshot, account_id, wallet, (since, end.position), points, is_cut=since > start.position)


def level_path_around(
    snapshot: Snapshot, account_id: str, wallet: str, around: int, span: timedelta | None, points: int
) -> dict[str, Any]:
    """The same with a position in the middle of a span of business time (None: the account's whole life).

    Of the account's events those nearest to the position are walked, so the position always lies on the path.
    """
    connection, end = snapshot.connection, snapshot.position
    opened = two_points(snapshot, account_id, None, None)[0].position
    _require_between(account_id, opened, around, end)
    wanted = (0, end) if span is None else positions_around(connection, around, end, span)
    version = _version_at(connection, account_id, around)
    before = _event_at(connection, account_id, version - points // 2)
    beyond = _event_at(connection, account_id, version + points // 2 + 1)
    since, until = max(opened, wanted[0]), wanted[1]
    bounds = (max(since, before or 0), until if beyond is None else min(until, beyond - 1))
    return _answer(snapshot, account_id, wallet, bounds, points, is_cut=bounds != (since, until))


def _require_between(account_id: str, opened: int, around: int, end: int) -> None:
    if around < opened:
        raise UnknownAccount(
            f"account {account_id} was not opened by position {around} but at {opened}; ask around a later position"
        )
    if around > end:
        raise Malformed(f"position {around} was asked around, the log ends at {end}; ask around that or an earlier one")


def _version_at(connection: Connection, account_id: str, position: int) -> int:
    row = account_row(connection, position, account_id)
    return int(row["version"]) if row else 0


def _event_at(connection: Connection, account_id: str, version: int) -> int | None:
    """The position of one event of the account; None where it has none like it."""
    found = read_versions(connection, account_id, [version]) if version > 0 else []
    return found[0].position if found else None


def _answer(
    snapshot: Snapshot, account_id: str, wallet: str, bounds: tuple[int, int], points: int, *, is_cut: bool
) -> dict[str, Any]:
    since, end = bounds
    until = standpoint(snapshot.connection, account_id, Point(end, None, None), "to")
    if (pair := pair_of(wallet)) is not None:
        until.market.pair(pair)
    walk = _WalkOfOne(snapshot.connection, until, wallet, since)
    walked = list(walk.points(points))
    told = kept(walked, points)
    return {
        "account_id": account_id,
        "wallet": wallet,
        "position": snapshot.position,
        "from_position": since,
        "to_position": end,
        "is_cut": is_cut,
        "pairs": walk.pairs,
        "vectors": walk.vectors_told,
        "counts": {
            "prices": sum(one.topic == MARKED for one in walked),
            "events": sum(one.version is not None for one in walked),
            "points": len(told),
        },
        "points": [_figures(one, wallet) for one in told],
    }


class _WalkOfOne:
    """The walk of an account from a position up to a standpoint, seen from one of its wallets.

    `vectors_told` says whether all vectors between are walked, or those with the extremes, or samples.
    """

    def __init__(self, connection: Connection, until: Standpoint, wallet: str, since: int) -> None:
        self._connection, self._until, self._wallet, self._since = connection, until, wallet, since
        self.vectors_told = "all"
        held = until.account.wallets.wallet(wallet).balances
        self.pairs = [valuation_pair(asset) for asset in sorted(held) if asset != VALUATION_ASSET]

    def points(self, most: int) -> Iterator[PathPoint]:
        """Both ends, and between them the steps that moved the wallet or a line of its: every event, `most` vectors."""
        began = standpoint(self._connection, self._until.account.id, Point(self._since, None, None), "from")
        walk = Walk(began.account, began.market)
        at = began.market.newest_prices_at
        yield self._point(walk, self._since, at, None, None)
        for step in self._steps(began, most):
            if isinstance(step, Vector):
                walk.mark(step.marks)
                at = step.newest.effective_at
                yield self._point(walk, step.position, at, MARKED, None)
            elif step.event.account_id == EXCHANGE:
                walk.take_setting(cast(ExchangeEvent, step.event))
                yield self._point(walk, step.position, step.event.effective_at, step.event.TOPIC, None)
            elif self._wallet in walk.take(step).margins:
                at = step.event.effective_at
                yield self._point(walk, step.position, at, step.event.TOPIC, step.event.version)
        yield self._point(walk, self._until.point.position, at, None, None)

    def _steps(self, began: Standpoint, most: int) -> list[Step]:
        account, end = began.account, self._until
        pages = stream_pages(self._connection, account.id, account.version, end.account.version)
        settings = valuing_settings(self._connection, self._since, end.point.position)
        events = [*settings, *(one for page in pages for one in page)]
        steps: list[Step] = [*self._vectors([one.position for one in events], most), *events]
        return sorted(steps, key=lambda one: one.position)

    def _vectors(self, events: list[int], most: int) -> list[Vector]:
        """The vectors that are walked: also the last before each event, which so has the prices of its moment."""
        since, end = self._since, self._until.point.position
        most = min(most, MOST_PRICES // max(len(self.pairs), 1))
        self.vectors_told, positions = telling_positions(self._connection, self.pairs, since, end, most)
        if self.vectors_told != "all":
            positions = sorted({*positions, *last_vectors(self._connection, self.pairs, since, [*events, end])})
        return vectors_at(self._connection, self.pairs, positions)

    def _point(self, walk: Walk, position: int, at: Any, topic: str | None, version: int | None) -> PathPoint:
        marks = walk.market.prices
        prices = {pair: marks[pair].price for pair in self.pairs if pair in marks}
        return PathPoint(position, at, topic, version, walk.margin(self._wallet), prices)


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
