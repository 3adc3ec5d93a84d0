"""The privacy key: in a file outside the database, it wraps the keys of accounts' texts, which are in it."""

import hashlib
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger import postgres
from ledger.key_file import is_open_to_others, made_once, replace_whole

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


def kept_privacy_keys(file: Path) -> list[PrivacyKey]:
    """The privacy keys in a file, one a line in base64; while they are changed there are two.

    Refuses with PrivacyRefused: a file that is not there, that others may read, or that holds something else.
    """
    try:
        lines, is_open = file.read_bytes().split(), is_open_to_others(file)
    except OSError as error:
        raise PrivacyRefused(
            f"the privacy key {file} cannot be read: {error.strerror}; LEDGER_PRIVACY_KEY names it"
        ) from error
    if is_open:
        raise PrivacyRefused(f"the privacy key {file} can be read by others: chmod 600, and `ledger privacy rotate`")
    try:
        keys = [PrivacyKey(b64decode(line, validate=True)) for line in lines]
    except ValueError as error:
        raise PrivacyRefused(f"the file {file} holds no privacy key: {error}") from error
    if not keys or any(len(key.secret) != KEY_BYTES for key in keys):
        raise PrivacyRefused(f"the file {file} holds no privacy key: one is {KEY_BYTES} bytes in base64")
    return keys


def make_privacy_key(file: Path) -> list[PrivacyKey]:
    """The privacy keys in a file, where one is made with mode 0600 if nothing is there yet."""
    try:
        if not file.exists():
            made_once(file, lambda: _written([PrivacyKey.random()]))
    except OSError as error:
        raise PrivacyRefused(f"the privacy key {file} cannot be made: {error.strerror}") from error
    return kept_privacy_keys(file)


def keep_privacy_keys(file: Path, keys: list[PrivacyKey]) -> None:
    """Has these keys in the file, all or those before, and no others."""
    replace_whole(file, _written(keys))


def _written(keys: list[PrivacyKey]) -> bytes:
    return b"".join(b64encode(key.secret) + b"\n" for key in keys)
