"""What every decision carries: when it counts, who asked, and what each of its events states of that."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from ledger.commands import AccrueInterest, Command, CompleteLiquidation, Examine, Liquidate
from ledger.errors import EffectiveInFuture, Malformed, TooManyDecimals, VersionMismatch
from ledger.market import Market
from ledger.money import decimals_of, step_of

CLOCK_TOLERANCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Context:
    """The ledger's clock when the decision is made, the actor who asks, and the id of the request."""

    at: datetime
    actor: str
    correlation_id: str


class Envelope(TypedDict):
    """The fields that all events of one decision share."""

    effective_at: datetime
    actor: str
    correlation_id: str
    idempotency_key: str | None
    reason: str | None


def envelope_of(command: Command, market: Market, context: Context) -> Envelope:
    """The shared fields of a decision; EffectiveInFuture beyond 5 seconds ahead of the ledger's clock."""
    at, effective_at = context.at, command.effective_at
    if effective_at is None:
        effective_at = default_time(command, market, at)
    if effective_at is not at and effective_at > at + CLOCK_TOLERANCE:
        raise EffectiveInFuture(
            f"{command.type} is dated {effective_at.isoformat()}, the ledger's clock says {at.isoformat()}; "
            f"a business time may lie at most {CLOCK_TOLERANCE.seconds} seconds ahead"
        )
    if type(command) is AccrueInterest and command.hour > effective_at:
        raise Malformed(
            f"hour {command.hour.isoformat()} has not begun at {effective_at.isoformat()}, when this counts"
        )
    return {
        "effective_at": effective_at,
        "actor": context.actor,
        "correlation_id": context.correlation_id,
        "idempotency_key": command.key,
        "reason": command.reason,
    }


_DATED_BY_PRICES = {Examine, Liquidate, CompleteLiquidation}


def default_time(command: Command, market: Market, at: datetime) -> datetime:
    """When a command counts that states no time: now; what the ledger does by itself, when prices were last marked."""
    kind = type(command)
    if kind in _DATED_BY_PRICES:
        return market.newest_prices_at or at
    if type(command) is AccrueInterest:
        return max(command.hour, market.newest_prices_at or command.hour)
    return at


def require_version(command: Command, stream: str, version: int) -> None:
    """Refuse a command that expects its stream at another version."""
    if command.expected_version is not None and command.expected_version != version:
        raise VersionMismatch(
            f"{stream} is at version {version}, {command.type} expects version {command.expected_version}; "
            "read it again and decide anew"
        )


def require_scale(market: Market, asset: str, name: str, amount: Decimal | str | None) -> None:
    """Refuse an amount, told by its name, with more decimals than its asset keeps."""
    require_decimals(name, amount, asset, market.asset(asset).scale)


def require_decimals(name: str, amount: Decimal | str | None, asset: str, scale: int) -> None:
    """Refuse an amount, told by its name, with more decimals than this scale of its asset."""
    if isinstance(amount, Decimal) and amount % step_of(scale):
        raise TooManyDecimals(
            f"{name} {amount:f} {asset} has {decimals_of(amount)} decimals, {asset} keeps {scale}; state it with fewer"
        )
