"""Liquidations in the demo's words: why, what was sold, what the debt's own asset paid, and what was left."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.money import ZERO, plain
from projections.liquidations.queries import liquidation
from projections.snapshot import Snapshot

Answer = dict[str, Any]
RESULTS = ("sold", "paid_from_itself", "repaid", "fee", "covered", "left")
LIQUIDATION_COLUMNS = [
    "time (UTC)",
    "liquidation",
    "level",
    "sold",
    "paid from itself",
    "repaid",
    "fee",
    "covered",
    "left",
]
LIQUIDATION_COLUMNS_EXPLAINED = (
    "A wallet is closed out when its level is at or below the liquidation line of its tier (<=): what it holds of an "
    "asset that it owes pays that debt first (paid from itself), then as much is sold as repays the rest; the fee is "
    "taken from what remains, the insurance fund covers what is still owed, and the wallet keeps what is left."
)


def told_apart(snapshot: Snapshot, one: Answer) -> Answer:
    """A liquidation whose completion says apart what was sold and what of an asset paid a debt in that asset."""
    if one["completed"] is None:
        return one
    found = liquidation(snapshot.connection, snapshot.position, one["liquidation_id"])
    sold, own = sold_and_own(one["completed"]["sold"], found["steps"] if found else [])
    return {**one, "completed": {**one["completed"], "sold": sold, "paid_from_itself": own}}


def sold_and_own(taken: dict[str, str], steps: Iterable[Answer]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Of what a liquidation took of each asset: what was sold for another one, and what paid a debt of its own."""
    own: dict[str, Decimal] = {}
    for fill in (step["content"] for step in steps if step["topic"] == "liquidation.filled"):
        if fill["asset"] == fill["debt_asset"]:
            own[fill["asset"]] = own.get(fill["asset"], ZERO) + Decimal(fill["taken"])
    return {asset: Decimal(amount) - own.get(asset, ZERO) for asset, amount in taken.items()}, own


def explained(one: Answer) -> str:
    """A liquidation in sentences: why, at which prices, what was sold, repaid, charged, covered and left."""
    started, done = one["started"], one["completed"]
    level = f"level {started['level']} at or below {started['liquidation_level']}"
    owed = f"{started['assets']} against {started['debt']} owed"
    why = f"{one['liquidation_id']}, {one['wallet']}: {level} ({owed}) at {prices_of(started['prices'], ', ')}."
    if done is None:
        return f"{why} It is still running."
    sold, own, *rest = (_amounts(done[name], " + ") or "nothing" for name in RESULTS)
    repaid, fee, covered, left = rest
    paid = f"; paid from itself {own}" if own != "nothing" else ""
    return f"{why} Sold {sold}{paid}; repaid {repaid}; fee {fee}; covered by the insurance fund {covered}; left {left}."


def liquidation_row(one: Answer) -> Iterable[str]:
    """The cells of LIQUIDATION_COLUMNS."""
    started, done = one["started"], one["completed"] or {}
    results = (_amounts(done.get(name, {}), "\n") or "-" for name in RESULTS)
    level = f"{started['level']}\n<= {started['liquidation_level']}"
    return time_of(one["started_at"]), f"{one['liquidation_id']}\n{one['wallet']}", level, *results


def prices_of(marks: dict[str, Answer], between: str) -> str:
    return between.join(f"{pair} {mark['price']}" for pair, mark in marks.items())


def time_of(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _amounts(amounts: dict[str, Any], between: str) -> str:
    written = ((asset, Decimal(amount)) for asset, amount in amounts.items())
    return between.join(f"{plain(amount)} {asset}" for asset, amount in written if amount)
