"""Texts that may hold personal data: which fields of commands and events have them, and what a sealed one looks like.

A sealed text is one in the log, encrypted under a key of its account: a control character, which no client's text has,
the id of the key, a dot, and the encrypted bytes in base64.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Annotated, NamedTuple, get_args

from pydantic import BaseModel


class _Private:
    """Marks a type whose values are sealed before they are stored."""


PRIVATE = _Private()
PrivateText = Annotated[str, PRIVATE]
"""The type of a field of an event that may hold personal data; commands have one of their own, with its bounds."""

SEALED = "\x01"
PLACEHOLDER = "sealed"
"""Stands for a sealed text where one must be read that a client could have sent."""


class SealedText(NamedTuple):
    """The parts of a sealed text."""

    key_id: str
    encrypted: bytes


@cache
def private_fields(kind: type[BaseModel]) -> tuple[str, ...]:
    """The names of the fields of a command or an event that hold such texts."""
    return tuple(
        name
        for name, field in kind.model_fields.items()
        if PRIVATE in field.metadata or any(PRIVATE in getattr(one, "__metadata__", ()) for one in _kinds(field))
    )


def _kinds(field: object) -> tuple[object, ...]:
    return get_args(getattr(field, "annotation", None))


_NONE: dict[str, str] = {}


def texts_of(stated: BaseModel) -> dict[str, str]:
    """The private texts of a command or an event by field, those that it states; not to be changed."""
    values = stated.__dict__
    for name in private_fields(type(stated)):
        if values[name] is not None:
            return {name: values[name] for name in private_fields(type(stated)) if values[name] is not None}
    return _NONE  # Of most commands, which pay no more than this.


def is_sealed(value: object) -> bool:
    """Whether a value is a sealed text."""
    return isinstance(value, str) and value[:1] == SEALED


def write_sealed(key_id: str, encrypted: bytes) -> str:
    """A sealed text, as it is stored."""
    return f"{SEALED}{key_id}.{urlsafe_b64encode(encrypted).decode()}"


def key_id_of(sealed: str) -> str:
    """The id of the key that a sealed text names."""
    return sealed.removeprefix(SEALED).partition(".")[0]


def read_sealed(text: str) -> SealedText:
    """The parts of a sealed text; ValueError where it has not the form of one."""
    key_id, dot, encrypted = text.removeprefix(SEALED).partition(".")
    if not dot:
        raise ValueError("a sealed text has the id of its key, a dot and the encrypted bytes")
    return SealedText(key_id, urlsafe_b64decode(encrypted))


def is_same_text(kept: str | None, plain: str | None, sealed: str | None) -> bool:
    """Whether a text that is kept says the same as one that a request states, given as it is and sealed.

    One kept under another key cannot be read any more, or is not to be: it is taken for the same.
    """
    if kept is None or plain is None or sealed is None:
        return kept == plain
    if not is_sealed(kept):
        return kept == plain
    return kept == sealed or read_sealed(kept).key_id != read_sealed(sealed).key_id


def parted(content: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """The content of a command that is kept, with what a client could have sent for sealed texts, and these apart."""
    sealed = {name: value for name, value in content.items() if isinstance(value, str) and is_sealed(value)}
    return {**content, **dict.fromkeys(sealed, PLACEHOLDER)}, sealed
