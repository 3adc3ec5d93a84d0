"""Sealed texts shown again to who may see their account: in whatever an answer is made of, at its way out."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from psycopg.rows import tuple_row
from pydantic import BaseModel

from ledger.privacy_key import PrivacyRefused, unwrapped_by_any
from ledger.private_texts import is_sealed, read_sealed, texts_of
from ledger.text_keys import TextKey, privacy_keys_of

ERASED, UNREADABLE = "erased", "unreadable"
"""Beside a text that is null: the names of those whose key was destroyed, and of those whose key is not here."""

logger = logging.getLogger("ledger.texts")

_KEYS = "select id, account_id, wrapped from text_keys where id = any(%s)"


def texts_shown(connection: psycopg.Connection[Any], content: Any) -> Any:
    """An answer with its texts as they were stated; what holds none is given back as it is.

    A text that cannot be shown is None, and its field is named beside it: in `erased` where its key was destroyed, in
    `unreadable` where the key is not here, as after a log was restored without its keys.
    """
    return showing(connection, content)(content)


def showing(connection: psycopg.Connection[Any], content: Any) -> Callable[[Any], Any]:
    """`texts_shown` of whatever has the same texts as the content, with the keys as they are now."""
    found = set(_sealed_in(content))
    if not found:
        return lambda one: one
    return _Showing(_keys(connection, {_key_id(text) for text in found})).shown


def _sealed_in(content: Any) -> Iterator[str]:
    match content:
        case dict():
            for value in content.values():
                yield from _sealed_in(value)
        case list() | tuple():
            for value in content:
                yield from _sealed_in(value)
        case BaseModel():
            yield from _sealed_in(texts_of(content))
        case str() if is_sealed(content):
            yield content
        case _:
            pass


def _key_id(sealed: str) -> str:
    try:
        return read_sealed(sealed).key_id
    except ValueError:
        return ""


def _keys(connection: psycopg.Connection[Any], ids: set[str]) -> dict[str, TextKey | None]:
    """The keys by id, None for one that was destroyed; those that are not here, or cannot be used, are left out."""
    rows = connection.cursor(row_factory=tuple_row).execute(_KEYS, [list(ids)]).fetchall()
    keys: dict[str, TextKey | None] = {key_id: None for key_id, _, wrapped in rows if wrapped is None}
    wrapped_ones = [row for row in rows if row[2] is not None]
    try:
        privacy_keys = privacy_keys_of(connection) if wrapped_ones else []
    except PrivacyRefused as error:
        logger.warning("texts are not shown: %s", error)
        return keys
    for key_id, account_id, wrapped in wrapped_ones:
        # One that cannot be unwrapped hides no other.
        try:
            keys[key_id] = TextKey(key_id, account_id, 0, AESSIV(unwrapped_by_any(privacy_keys, account_id, wrapped)))
        except PrivacyRefused as error:
            logger.warning("texts are not shown: %s", error)
    return keys


class _Showing:
    """Puts texts in the place of sealed ones, by the keys that there are."""

    def __init__(self, keys: dict[str, TextKey | None]) -> None:
        self._keys = keys

    def shown(self, content: Any) -> Any:
        match content:
            case dict():
                return self._of_fields(content)
            case list() | tuple():
                return [self.shown(value) for value in content]
            case _:
                return None if is_sealed(content) else content

    def _of_fields(self, content: dict[str, Any]) -> dict[str, Any]:
        """Fields with their texts, and after them the names of those that cannot be shown."""
        told: dict[str, Any] = {}
        hidden: dict[str, list[str]] = {}
        for name, value in content.items():
            if is_sealed(value):
                told[name], why = self._opened(name, value)
                if why is not None:
                    hidden.setdefault(why, []).append(name)
            else:
                told[name] = self.shown(value)
        return {**told, **hidden}

    def _opened(self, field: str, sealed: str) -> tuple[str | None, str | None]:
        """A text; or None and the word for why."""
        key_id = _key_id(sealed)
        if key_id not in self._keys:
            return None, UNREADABLE
        key = self._keys[key_id]
        if key is None:
            return None, ERASED
        text = key.open(field, sealed)
        return text, None if text is not None else UNREADABLE
