"""The privacy key: in a file outside the database, it wraps the keys of accounts' texts, which are in it."""

import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger import postgres
from ledger.key_file import alone_with, is_open_to_others, replace_whole

KEY_BYTES = 64
"""AES-SIV with two keys of 256 bits (RFC 5297)."""
_PURPOSE = b"margin-ledger text key"


class PrivacyRefused(RuntimeError):
    """The privacy key cannot be used; the message says why and what to do."""


class PrivacySettings(BaseSettings):
    """Where the privacy key is, from the environment: `LEDGER_PRIVACY_KEY` names the file."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    privacy_key: Path | None = None

    def key_file(self, database: str) -> Path:
        """The file of the privacy key; where none is named, one for each database in `privacy-keys` of the home."""
        home = postgres.Settings().home or postgres.default_home()
        return self.privacy_key or home / "privacy-keys" / database


class PrivacyKey(NamedTuple):
    """A secret of KEY_BYTES bytes that wraps others."""

    secret: bytes

    @classmethod
    def random(cls) -> "PrivacyKey":
        return cls(os.urandom(KEY_BYTES))

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that tell this key from others."""
        return hashlib.sha256(_PURPOSE + self.secret).hexdigest()[:16]

    def wrap(self, account_id: str, secret: bytes) -> bytes:
        """A key of an account's texts as the database has it."""
        return AESSIV(self.secret).encrypt(secret, [_PURPOSE, account_id.encode()])

    def unwrap(self, account_id: str, wrapped: bytes) -> bytes:
        """The key that was wrapped for this account; PrivacyRefused if it was not by this privacy key."""
        try:
            return AESSIV(self.secret).decrypt(wrapped, [_PURPOSE, account_id.encode()])
        except InvalidTag as error:
            raise PrivacyRefused(
                f"the key of texts of account {account_id} is not one that {self.id} wrapped"
            ) from error


class KeyLine(NamedTuple):
    """A line of a key file: a key, the database that made it, and the id of the key that it is about to replace.

    Databases may share a file. A line that names none is from before lines did, and may be any database's.
    """

    key: PrivacyKey
    database: str | None = None
    replaces: str | None = None

    @classmethod
    def read(cls, line: str) -> "KeyLine":
        """A line `KEY`, `DATABASE KEY` or `DATABASE KEY REPLACES`, the key in base64; ValueError where it is none."""
        words = line.split()
        if len(words) > 3:
            raise ValueError(f"{len(words)} words are in a line")
        database, key, replaces = [None, *words, None] if len(words) == 1 else [*words, None][:3]
        secret = b64decode(key or "", validate=True)
        if len(secret) != KEY_BYTES:
            raise ValueError(f"one is {KEY_BYTES} bytes in base64")
        return cls(PrivacyKey(secret), database and unquote(database), replaces)

    def __str__(self) -> str:
        name = self.database and quote(self.database, safe="")
        return " ".join(filter(None, [name, b64encode(self.key.secret).decode(), self.replaces]))


def key_lines(file: Path) -> list[KeyLine]:
    """The lines of a key file.

    Refuses with PrivacyRefused: a file that is not there, that others may read, or that holds something else.
    """
    try:
        content, is_open = file.read_bytes(), is_open_to_others(file)
    except OSError as error:
        raise PrivacyRefused(
            f"the privacy key {file} cannot be read: {error.strerror}; LEDGER_PRIVACY_KEY names it"
        ) from error
    if is_open:
        raise PrivacyRefused(f"the privacy key {file} can be read by others: chmod 600, and `ledger privacy rotate`")
    try:
        lines = [KeyLine.read(line) for line in content.decode().splitlines() if line.strip()]
    except ValueError as error:
        raise PrivacyRefused(f"the file {file} holds no privacy key: {error}") from error
    if not lines:
        raise PrivacyRefused(f"the file {file} holds no privacy key: it is empty")
    return lines


@contextmanager
def changing(file: Path) -> Iterator[None]:
    """While no other process changes the key file; PrivacyRefused where that cannot be had, or a change cannot be made.

    Two databases may share a file, and each would write what it read before the other did.
    """
    try:
        with alone_with(file):
            yield
    except BlockingIOError as error:
        raise PrivacyRefused(
            f"the key files in {file.parent} are being changed by another process, as `ledger privacy rotate` does: "
            "try again when it is done"
        ) from error
    except OSError as error:
        raise PrivacyRefused(f"the privacy key {file} cannot be made or changed: {error.strerror}") from error


def add_privacy_key(file: Path, database: str) -> PrivacyKey:
    """A new key in a line of its database's own; the file is made with mode 0600 if it is not there. To be done while
    `changing`."""
    line = KeyLine(PrivacyKey.random(), database)
    _write(file, [*(key_lines(file) if file.exists() else []), line])
    return line.key


def begin_replacing(file: Path, database: str, old: str) -> PrivacyKey:
    """The key that is about to replace a database's old one, beside it in the file; if this was begun, that one. To be
    done while `changing`."""
    lines = key_lines(file)
    begun = [line.key for line in lines if (line.database, line.replaces) == (database, old)]
    if not begun:
        begun = [PrivacyKey.random()]
        _write(file, [*lines, KeyLine(begun[0], database, old)])
    return begun[0]


def end_replacing(file: Path, database: str, new: str) -> None:
    """Drops the key that a database's new one has replaced, and no other: not other databases', nor those of nobody.
    To be done while `changing`."""
    lines = key_lines(file)
    replaced = {line.replaces for line in lines if (line.database, line.key.id) == (database, new)} - {None}
    if replaced:
        kept = [line for line in lines if line.database != database or line.key.id not in replaced]
        _write(file, [line._replace(replaces=None) if line.key.id == new else line for line in kept])


def unwrapped_by_any(keys: Iterable[PrivacyKey], account_id: str, wrapped: bytes) -> bytes:
    """The key that one of these wrapped, as there are two while they are changed; PrivacyRefused if none did."""
    refused = None
    for key in keys:
        try:
            return key.unwrap(account_id, wrapped)
        except PrivacyRefused as error:
            refused = refused or error
    raise refused or PrivacyRefused("there is no privacy key")


def _write(file: Path, lines: list[KeyLine]) -> None:
    replace_whole(file, "".join(f"{line}\n" for line in lines).encode())
