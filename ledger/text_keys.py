"""Keys of accounts' texts: made where an account needs one, used to seal what is recorded and to show it again."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from psycopg.rows import tuple_row

from ledger.postgres import SERVICE, connect
from ledger.privacy_key import (
    KEY_BYTES,
    PrivacyKey,
    PrivacyRefused,
    PrivacySettings,
    keep_privacy_keys,
    kept_privacy_keys,
    make_privacy_key,
)
from ledger.private_texts import read_sealed, write_sealed

Connection = psycopg.Connection[Any]

MOST_KEYS = 50_000
"""So many keys are kept in memory, about a kilobyte each."""
ID_BYTES = 12

_FIND = "select id, account_id, generation, wrapped from text_keys where account_id = any(%s) and wrapped is not null"
# Whoever rotates the privacy key waits for this, and this for who rotates.
_PRIVACY_KEY = "select id from privacy_key for key share"
_MAKE = """
insert into text_keys (id, account_id, generation, wrapped)
select * from unnest(%s::text[], %s::text[], %s::integer[], %s::bytea[])
on conflict (account_id, generation) do nothing
"""


class TextKey(NamedTuple):
    """The key of an account's texts of one generation: after so many erasures."""

    id: str
    account_id: str
    generation: int
    cipher: AESSIV

    def seal(self, field: str, text: str) -> str:
        """A text of a field as it is stored; the same text always comes out the same."""
        return write_sealed(self.id, self.cipher.encrypt(text.encode(), self._bound_to(field)))

    def open(self, field: str, sealed: str) -> str | None:
        """What was sealed; None if it was not sealed for this field with this key."""
        try:
            return self.cipher.decrypt(read_sealed(sealed).encrypted, self._bound_to(field)).decode()
        except (InvalidTag, ValueError):
            return None

    def _bound_to(self, field: str) -> list[bytes]:
        return [self.account_id.encode(), field.encode()]


class TextKeys:
    """The keys that the writer seals with, those used last in memory; it has a connection of its own for them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._held: dict[str, TextKey] = {}

    def hold(self, wanted: Mapping[str, int]) -> None:
        """Have the keys of accounts, each after so many erasures; those that are not there yet are made, for good.

        Raises psycopg.Error where the database does not answer, PrivacyRefused where the privacy key is not usable.
        """
        missing = {account_id: made for account_id, made in wanted.items() if not self._has(account_id, made)}
        if not missing:
            return
        self._keep_to_size()
        try:
            connection = self._connected()
            if self._find(connection, missing):
                self._make(connection, missing)
                if lacking := self._find(connection, missing):
                    raise PrivacyRefused(f"the keys of texts of {', '.join(lacking)} were destroyed, beyond the log")
        except psycopg.Error:
            self.drop()
            raise

    def seal(self, account_id: str, generation: int, field: str, text: str) -> str:
        """A text of an account as it is stored; raises as `hold` does."""
        if not self._has(account_id, generation):
            self.hold({account_id: generation})
        return self._held[account_id].seal(field, text)

    def forget(self, account_ids: Iterable[str]) -> None:
        """Have the keys of these accounts no more: others wrote, and may have erased."""
        for account_id in account_ids:
            self._held.pop(account_id, None)

    def drop(self) -> None:
        """Close the connection; it is made again when it is needed."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _has(self, account_id: str, generation: int) -> bool:
        held = self._held.get(account_id)
        return held is not None and held.generation == generation

    def _keep_to_size(self) -> None:
        while len(self._held) > MOST_KEYS:
            del self._held[next(iter(self._held))]

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect(
                self._url, application_name="ledger text keys", role=SERVICE, autocommit=True, connect_timeout=5
            )
            self._connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        return self._connection

    def _find(self, connection: Connection, missing: dict[str, int]) -> dict[str, int]:
        """Hold what is there; returns what is not."""
        rows = [
            (key_id, account_id, generation, wrapped)
            for key_id, account_id, generation, wrapped in connection.execute(_FIND, [list(missing)])
            if missing[account_id] == generation
        ]
        if rows:
            privacy_key = privacy_key_of(connection)
            for key_id, account_id, generation, wrapped in rows:
                secret = privacy_key.unwrap(account_id, wrapped)
                self._held[account_id] = TextKey(key_id, account_id, generation, AESSIV(secret))
        return {account_id: made for account_id, made in missing.items() if not self._has(account_id, made)}

    def _make(self, connection: Connection, missing: dict[str, int]) -> None:
        """On the disk before anything that it seals is; where another process was quicker, its key stays."""
        with connection.transaction():
            privacy_key = _held_privacy_key(connection)
            made = [
                (_new_id(), account_id, generation, privacy_key.wrap(account_id, os.urandom(KEY_BYTES)))
                for account_id, generation in sorted(missing.items())
            ]
            connection.execute(_MAKE, [list(column) for column in zip(*made, strict=True)])


class PassingTextKeys(TextKeys):
    """Keys to decide with where nothing is recorded: those that are there are read, others are made in memory alone."""

    def _make(self, connection: Connection, missing: dict[str, int]) -> None:
        if connection.execute("select id from privacy_key").fetchone() is not None:
            privacy_key_of(connection)  # Refused, where it could not wrap a key either.
        for account_id, generation in missing.items():
            self._held[account_id] = TextKey(_new_id(), account_id, generation, AESSIV(os.urandom(KEY_BYTES)))


def _new_id() -> str:
    """Random, so that no key of another database is taken for this one."""
    return urlsafe_b64encode(os.urandom(ID_BYTES)).decode()


def key_file_of(connection: Connection) -> Path:
    """Where the privacy key of a database is, or will be made."""
    return PrivacySettings().key_file(connection.info.dbname)


def _held_privacy_key(connection: Connection) -> PrivacyKey:
    """The privacy key, which nobody rotates before the open transaction ends; the first to ask has it made."""
    if connection.execute(_PRIVACY_KEY).fetchone() is None:
        made = make_privacy_key(key_file_of(connection))[0]
        connection.execute("insert into privacy_key (id) values (%s) on conflict do nothing", [made.id])
    return privacy_key_of(connection)


def privacy_key_of(connection: Connection) -> PrivacyKey:
    """The key of the file that the database's keys are wrapped under; PrivacyRefused where it is not there."""
    row = connection.cursor(row_factory=tuple_row).execute("select id from privacy_key").fetchone()
    file = key_file_of(connection)
    kept = {key.id: key for key in kept_privacy_keys(file)}
    if row is None or row[0] not in kept:
        raise PrivacyRefused(
            f"the database's texts are kept under the privacy key {row[0] if row else 'of nobody yet'}, {file} holds "
            f"{', '.join(kept)}; name the file of that one with LEDGER_PRIVACY_KEY"
        )
    return kept[row[0]]


def rotate_privacy_key(connection: Connection) -> int:
    """Wraps all keys under a new privacy key, and forgets the one before; returns how many keys there are.

    The file has both while it lasts, so whoever is killed can do it again. Raises PrivacyRefused.
    """
    file, new = key_file_of(connection), PrivacyKey.random()
    with connection.transaction():
        if connection.execute("select id from privacy_key for update").fetchone() is None:
            raise PrivacyRefused("no text was sealed yet, so there is no privacy key to be changed")
        old = privacy_key_of(connection)
        keep_privacy_keys(file, [old, new])
        rows = connection.execute("select id, account_id, wrapped from text_keys where wrapped is not null").fetchall()
        rewrapped = [
            (new.wrap(account_id, old.unwrap(account_id, wrapped)), key_id) for key_id, account_id, wrapped in rows
        ]
        with connection.cursor() as cursor:
            cursor.executemany("update text_keys set wrapped = %s where id = %s", rewrapped)
        connection.execute("update privacy_key set id = %s", [new.id])
    keep_privacy_keys(file, [new])
    return len(rewrapped)
