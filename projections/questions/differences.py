"""What changed between two points of an account, by which events, and how much of it came from what."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ledger.errors import Malformed
from ledger.money import plain
from ledger.positions import FLAT
from ledger.wallets import Wallet, Wallets
from ledger.words import SPOT, pair_of
from projections.projector import Connection
from projections.questions.path import Happening, path_by_business_time, path_by_position
from projections.questions.points import Standpoint, standpoint, two_points
from projections.questions.tally import Shown, Tally
from projections.snapshot import AsOf, Snapshot

MOST_EVENTS = 100_000
EVERYTHING = Shown()


def differences_answer(
    snapshot: Snapshot,
    account_id: str,
    first: AsOf | None = None,
    shown: Shown = EVERYTHING,
    *,
    last: AsOf | None = None,
    most_events: int = MOST_EVENTS,
) -> dict[str, Any]:
    """What GET /v1/accounts/{id}/diff answers: from a point (None: the opening) to `last`, which the snapshot is as of.

    Refusals: those of the points; an account or a pair that is not there; more than `most_events` events between them.
    """
    connection, asked = snapshot.connection, two_points(snapshot, account_id, first, last)
    start, end = (standpoint(connection, account_id, *one) for one in zip(asked, ("from", "to"), strict=True))
    if shown.wallet is not None and (pair := pair_of(shown.wallet)) is not None:
        end.market.pair(pair)
    _require_few(start, end, most_events)
    # Told before the walk, which takes the account and the market at the start along.
    told, before = {"from": start.answer(), "to": end.answer()}, start.account.wallets.copy()
    tally = Tally(start, shown)
    for happening in _path(connection, start, end, shown.wallet):
        tally.take(happening)
    tally.arrive(end)
    _require_passed(tally, shown)
    more = len(tally.rows) > shown.limit
    return {
        "account_id": account_id,
        "position": snapshot.position,
        "wallet": shown.wallet,
        **told,
        "wallets": _wallets(before, end.account.wallets, tally, shown),
        "positions": list(_positions(before, end.account.wallets, shown)),
        "counts": {"events": tally.topics.total(), "topics": dict(sorted(tally.topics.items()))},
        "events": tally.rows[: shown.limit],
        "next": tally.rows[shown.limit - 1]["position"] if more else None,
        "settings": tally.settings,
        "unexplained": list(tally.unexplained(before, end)),
    }


def _require_few(start: Standpoint, end: Standpoint, most: int) -> None:
    # As of a business time any of the account's events may lie between.
    before = 0 if start.point.effective_at is not None else start.account.version
    if end.account.version - before > most:
        raise Malformed(
            f"{end.account.version - before} events of account {end.account.id} may lie between the two points, at most"
            f" {most} are compared in one answer; ask about positions nearer to each other"
        )


def _require_passed(tally: Tally, shown: Shown) -> None:
    if not tally.has_passed:
        raise Malformed(f"`after` is {shown.after}, but no event between the two points has that position")


def _path(connection: Connection, start: Standpoint, end: Standpoint, only: str | None) -> Iterator[Happening]:
    first, last = start.point, end.point
    if first.effective_at is None or last.effective_at is None:
        return path_by_position(connection, start.account, end.account, first.position, last.position, only)
    return path_by_business_time(connection, start.account, first.position, first.effective_at, last.effective_at, only)


def _wallets(before: Wallets, after: Wallets, tally: Tally, shown: Shown) -> dict[str, dict[str, Any]]:
    """Every wallet that has, or had, anything: each asset's parts, and of a margin wallet what moved its equity."""
    answer = {}
    for wallet in after.all():
        if wallet.balances and shown.shows(wallet.name):
            assets = _assets(before.wallet(wallet.name), wallet)
            moved = {} if wallet.name == SPOT else tally.attributions[wallet.name].figures()
            answer[wallet.name] = {"assets": assets, **moved}
    return answer


def _assets(before: Wallet, after: Wallet) -> dict[str, dict[str, dict[str, str]]]:
    """What is once in a wallet stays there, if with zeros; so the later one has every asset."""
    parts = ("free", "locked") if after.name == SPOT else ("free", "locked", "borrowed", "interest")
    return {
        asset: {part: _change(getattr(before.balance(asset), part), getattr(now, part)) for part in parts}
        for asset, now in sorted(after.balances.items())
    }


def _positions(before: Wallets, after: Wallets, shown: Shown) -> Iterator[dict[str, Any]]:
    for wallet in after.all():
        for pair, now in sorted(wallet.positions.items()) if shown.shows(wallet.name) else ():
            then = before.wallet(wallet.name).positions.get(pair, FLAT)
            figures = {name: _change(getattr(then, name), getattr(now, name)) for name in FLAT._fields}
            yield {"pair": pair, "wallet": wallet.name, **figures}


def _change(before: Decimal, after: Decimal) -> dict[str, str]:
    return {"from": plain(before), "to": plain(after), "change": plain(after - before)}
