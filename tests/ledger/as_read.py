"""An event that a decision made without a validator is the one that a validator makes of its bytes, types included."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from ledger.events import Event, read_event, write_event


def require_as_read(event: Event) -> None:
    """The event equals the one read back from its bytes, field by field, in type and order too."""
    stored = write_event(event)
    again = read_event(event.TOPIC, stored)
    require_same(event, again, event.TOPIC)
    assert event == again
    assert write_event(again) == stored


def require_same(made: Any, read: Any, where: str) -> None:
    """Equal values of equal types; an amount with the same digits, a time in the same zone."""
    assert type(made) is type(read), (where, made, read)
    if isinstance(made, BaseModel):
        assert list(made.__dict__) == list(read.__dict__) == list(type(made).model_fields), where
        for name in type(made).model_fields:
            require_same(getattr(made, name), getattr(read, name), f"{where}.{name}")
    elif isinstance(made, dict):
        assert list(made) == list(read), where
        for key, value in made.items():
            require_same(key, next(other for other in read if other == key), f"{where} key {key}")
            require_same(value, read[key], f"{where}[{key}]")
    elif isinstance(made, list | tuple):
        assert len(made) == len(read), where
        for place, (one, other) in enumerate(zip(made, read, strict=True)):
            require_same(one, other, f"{where}[{place}]")
    elif isinstance(made, Decimal):
        assert made.as_tuple() == read.as_tuple(), (where, made, read)
    elif isinstance(made, datetime):
        assert (made, made.utcoffset()) == (read, read.utcoffset()), where
    else:
        assert made == read, (where, made, read)
