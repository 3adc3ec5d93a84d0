"""The cells of an outside statement: each read into one exact value, or refused with what would be right."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from ledger.commands.fields import Text
from ledger.money import ZERO, parse_amount
from ledger.words import PATTERNS_IN_WORDS, AssetSymbol, Identifier

_ISO_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?) ?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_HOURS = re.compile(r"%(?:[HIcX]|-[HI])")
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
_ASSET: TypeAdapter[str] = TypeAdapter(AssetSymbol)
_REFERENCE: TypeAdapter[str] = TypeAdapter(Text)
# Blanks that a text may hold and a reference of the ledger may not.
_BREAKS = re.compile(r"[\r\n\t]+")


class Unreadable(Exception):
    """A cell that cannot be read; the message has its value and what would be right."""


class Moment(NamedTuple):
    """When a line counts, in UTC; of a line that names a day alone, the day's beginning."""

    at: datetime
    is_day: bool


class TimeForm(NamedTuple):
    """How times are written: a format of strptime, or None for ISO 8601; without offset they are of the zone."""

    written: str | None
    zone: ZoneInfo

    def read(self, text: str) -> Moment:
        if self.written is None:
            found = _ISO_TIME.fullmatch(text)
            try:
                # Only these forms of ISO 8601: a week or a day of the year would be taken for a misprint by its reader.
                at = datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+")) if found else None
            except ValueError:
                at = None
            if at is None or found is None:
                raise Unreadable(f"time {text!r} is none; write it as 2020-03-12T10:45:00Z, or state --time-format")
            return Moment(self._in_utc(at, text), found[2] is None)
        try:
            at = datetime.strptime(text, self.written)
        except ValueError:
            raise Unreadable(f"time {text!r} is not written as --time-format {self.written!r} says") from None
        return Moment(self._in_utc(at, text), _HOURS.search(self.written) is None)

    def _in_utc(self, at: datetime, text: str) -> datetime:
        if not 1970 < at.year < 9998:
            raise Unreadable(f"time {text!r} lies outside the years 1971 to 9997")
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        found = at.replace(tzinfo=self.zone).astimezone(UTC)
        if found.astimezone(self.zone).replace(tzinfo=None) != at:
            raise Unreadable(
                f"time {text!r} is skipped by the clocks of {self.zone.key}; state its offset, or another --time-zone"
            )
        return found


class AmountForm(NamedTuple):
    """How amounts are written: what stands before the decimals, and between thousands (empty: nothing may)."""

    point: str
    thousands: str

    def read(self, text: str) -> Decimal:
        """A signed amount, never zero."""
        sign, digits = ("-", text[1:]) if text[:1] in "-\u2212" else ("", text.removeprefix("+"))
        plain = self._plain(digits)
        try:
            amount = parse_amount(sign + plain)
        except ValueError:
            between = f"{self.thousands!r} between" if self.thousands else "nothing between (or state --thousands)"
            raise Unreadable(
                f"amount {shown(text)} is none; write it with at most 38 digits, no exponent, {self.point!r} before "
                f"decimals and {between} thousands, such as {'-1250.50'.replace('.', self.point)}"
            ) from None
        if amount == ZERO:
            raise Unreadable(f"amount {shown(text)} moves nothing; leave the line out")
        return amount

    def _plain(self, digits: str) -> str:
        """The digits in plain notation; as they are where they fit no form, to be refused."""
        whole, point, decimals = digits.partition(self.point)
        if self.thousands and self.thousands in whole:
            first, *groups = whole.split(self.thousands)
            if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups):
                return ""
            whole = first + "".join(groups)
        # Neither a second sign nor a decimal point of the other form may slip through.
        return "" if "." in whole + decimals or digits[:1] in "+-" else f"{whole}.{decimals}" if point else whole


def signed(amount: Decimal, direction: str, incoming: frozenset[str], outgoing: frozenset[str]) -> Decimal:
    """The amount with the sign that its direction gives it; the words are looked for without regard to case."""
    word = direction.casefold()
    if word not in incoming | outgoing:
        words = f"in ({', '.join(sorted(incoming))}) or out ({', '.join(sorted(outgoing))})"
        raise Unreadable(
            f"direction {shown(direction)} is none; it says {words}, or what --incoming and --outgoing say"
        )
    if amount < ZERO:
        raise Unreadable(f"amount {amount:f} has a sign beside the direction {direction!r}; leave one of them out")
    return amount if word in incoming else -amount


@lru_cache(maxsize=65_536)
def account_of(text: str) -> str:
    """The id of an account."""
    return _fitting(_IDENTIFIER, "account", text)


@lru_cache(maxsize=4096)
def asset_of(text: str) -> str:
    """The symbol of an asset."""
    return _fitting(_ASSET, "asset", text)


def _fitting(kind: TypeAdapter[str], name: str, text: str) -> str:
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        pattern = error.errors()[0].get("ctx", {}).get("pattern", "")
        raise Unreadable(f"{name} {shown(text)} is none; {PATTERNS_IN_WORDS[pattern]}") from None


def reference_of(text: str) -> str | None:
    """The reference, on one line; None where there is none."""
    if not text:
        return None
    try:
        return _REFERENCE.validate_python(_BREAKS.sub(" ", text))
    except ValidationError:
        raise Unreadable(
            f"reference {shown(text)} cannot be kept; it has at most 500 characters and no control characters"
        ) from None


def shown(text: str) -> str:
    """A cell's value as a message has it, cut where it is endless."""
    return repr(text if len(text) <= 100 else f"{text[:100]}...")
