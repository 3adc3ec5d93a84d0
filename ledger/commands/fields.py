"""The kinds of fields that commands have, each with its own refusals."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ledger.private_texts import PRIVATE
from ledger.words import KEY, SOURCE_LINE, TEXT

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def _rfc3339(value: Any) -> Any:
    """Let through datetimes and RFC 3339 strings only: no numbers, which pydantic would take for epoch seconds."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError('a time is an RFC 3339 string with its offset, such as "2020-03-12T10:45:00Z"')
    return value


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError('a time states its offset from UTC, such as the Z of "2020-03-12T10:45:00Z"')
    # Hours and ages are reckoned from a time: at the ends of the calendar there would be no room for them.
    if not 1970 <= value.year < 9999:
        raise ValueError("a time lies in the years 1970 to 9998")
    return value.astimezone(UTC)


def _start_of_an_hour(value: datetime) -> datetime:
    if value.minute or value.second or value.microsecond:
        raise ValueError('an hour is named by its start, such as "2020-03-12T10:00:00Z"')
    return value


def distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise ValueError("lists each word once")
    return values


Time = Annotated[datetime, BeforeValidator(_rfc3339), AfterValidator(_in_utc)]
Hour = Annotated[Time, AfterValidator(_start_of_an_hour)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=500, pattern=TEXT)]
PrivateText = Annotated[Text, PRIVATE]
"""A text that may hold personal data, such as a reason or a reference: it is stored sealed."""
LONGEST_SOURCE_LINE = 3_000
# Any characters but the one that PostgreSQL does not store, and the one that a sealed text begins with.
SourceLine = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=LONGEST_SOURCE_LINE, pattern=SOURCE_LINE),
    PRIVATE,
]
"""The line of an outside statement that a booking came from, as it was: `FILE:NUMBER: TEXT`; stored sealed too."""
Key = Annotated[str, StringConstraints(strict=True, pattern=KEY)]
Scale = Annotated[int, Field(strict=True, ge=0, le=18)]
Flag = Annotated[bool, Field(strict=True)]
Version = Annotated[int, Field(strict=True, ge=0, le=2**62)]


class Part(BaseModel):
    """A part of a command: like a command, it refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
