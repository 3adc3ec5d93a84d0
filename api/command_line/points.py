"""Points and wallets of an account as they are written on the command line."""

import re
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from api.command_line.screen import Exit, stop
from ledger.words import WalletName
from projections.snapshot import AsOf

WALLET: TypeAdapter[str] = TypeAdapter(WalletName)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
TIME_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
POINT = "POINT"
POINT_HELP = "a position of the log (12), or a time (2020-03-12T10:45:00Z; without offset it is UTC)"


def point_of(text: str | None, *, effective: bool) -> AsOf | None:
    """A point: a whole number is a position, all else a recorded time, or with `effective` a business time."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        at = time_of(text)
        return AsOf("effective_at" if effective else "recorded_at", at)
    if effective:
        stop(f"with --effective a point is a business time, {text} is a position of the log", Exit.USAGE)
    return AsOf("position", int(text))


def time_of(text: str) -> datetime:
    """A time; without offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        stop(f"{text!r} is no time such as 2020-03-12T10:45:00Z", Exit.USAGE)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def time_span(text: str) -> timedelta:
    """A length of time."""
    found = TIME_SPAN.fullmatch(text)
    if found is None:
        stop(f"{text!r} is no time such as 30m, 1h or 2d", Exit.USAGE)
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def wallet_of(text: str) -> str:
    """The name of a wallet."""
    try:
        return WALLET.validate_python(text)
    except ValidationError:
        stop(f"{text!r} is no wallet: it is spot, cross or a bucket such as isolated:BTC/USDT", Exit.USAGE)
