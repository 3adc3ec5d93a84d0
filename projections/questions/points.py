"""The two points of an account that a question asks about, found in the log before anything is compared."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from ledger.account import Account
from ledger.errors import Malformed, UnknownAccount
from ledger.log import position_at
from ledger.market import Market
from projections.accounts.queries import account as account_row
from projections.market.queries import MarkedPrice, market_and_prices
from projections.projector import Connection
from projections.questions.account import answer_of
from projections.questions.account_state import account_at, is_below_zero
from projections.snapshot import AsOf, Snapshot

LAST_TIME = datetime.max.replace(tzinfo=UTC)


class Point(NamedTuple):
    """A log position, or (`effective_at`) a business time of what is known at it; `stated` is how it was asked for."""

    position: int
    effective_at: datetime | None
    stated: dict[str, Any] | None


class Standpoint(NamedTuple):
    """The account at a point, and the market that values it."""

    point: Point
    account: Account
    market: Market
    prices: dict[str, MarkedPrice]

    def answer(self) -> dict[str, Any]:
        """What GET /v1/accounts/{id} answers there."""
        found = answer_of(self.account, self.market, self.prices, self.point.position, self.point.stated)
        if self.point.effective_at is None:
            return found
        return {**found, "backdated": is_below_zero(self.account)}


def two_points(snapshot: Snapshot, account_id: str, first: AsOf | None, last: AsOf | None) -> tuple[Point, Point]:
    """The points from `first` (None: the account's opening) to `last`, which the snapshot is as of (None: now).

    Refusals: Malformed where only one is a business time, the first lies after the last or beyond the log's end;
    UnknownAccount where the account was never opened.
    """
    row = account_row(snapshot.connection, snapshot.position, account_id)
    if row is None:
        end = "its end" if last is None else "where `to` lies"
        raise UnknownAccount(
            f"account {account_id} was not opened by position {snapshot.position} of the log, {end}; "
            "ask about a later time, or, if it never was, open it with open_account"
        )
    kinds = [one.kind for one in (first, last) if one is not None]
    if "effective_at" in kinds:
        if len(set(kinds)) > 1:
            raise Malformed(
                f"`from` is stated as {kinds[0]} and `to` as {kinds[1]}; business times order what happened otherwise "
                "than the log does, so state both as effective_at, or neither"
            )
        return _business_times(snapshot, row["opened_at"], first, last)
    return _positions(snapshot, row["opened_position"], first, last)


def _positions(snapshot: Snapshot, opened: int, first: AsOf | None, last: AsOf | None) -> tuple[Point, Point]:
    start, end = opened, snapshot.position
    if first is not None:
        at = first.value
        start = position_at(snapshot.connection, at) if isinstance(at, datetime) else at
    if start > end:
        named = "the end of the log" if last is None else "`to`"
        raise Malformed(
            f"`from` is position {start}, which lies after position {end}, {named}; ask from an earlier one"
        )
    return Point(start, None, _stated(first)), Point(end, None, _stated(last))


def _business_times(snapshot: Snapshot, opened: datetime, first: AsOf | None, last: AsOf | None) -> tuple[Point, Point]:
    end = snapshot.effective_at or LAST_TIME
    start = first.value if first is not None else opened
    assert isinstance(start, datetime)
    if start > end:
        raise Malformed(
            f"`from` is {start.isoformat()}, which lies after `to`, {end.isoformat()}; ask from an earlier one"
        )
    return Point(snapshot.position, start, _stated(first)), Point(snapshot.position, end, _stated(last))


def _stated(as_of: AsOf | None) -> dict[str, Any] | None:
    return None if as_of is None else {as_of.kind: as_of.value}


def standpoint(connection: Connection, account_id: str, point: Point, name: str) -> Standpoint:
    """The account at a point; UnknownAccount where it was not opened by then. `name` is that of the point asked for."""
    account, prices, market = _found(connection, account_id, point)
    if account is None:
        when = f"position {point.position}" if point.effective_at is None else point.effective_at.isoformat()
        raise UnknownAccount(
            f"account {account_id} was not opened by {when}, the point `{name}` asked about; ask about a later one, or "
            f"leave `{name}` out"
        )
    return Standpoint(point, account, market, prices)


def _found(
    connection: Connection, account_id: str, point: Point
) -> tuple[Account | None, dict[str, MarkedPrice], Market]:
    position, at = point.position, point.effective_at
    market, prices = market_and_prices(connection, position, at)
    return account_at(connection, position, account_id, at), prices, market
