"""Keys of accounts' texts: made where an account needs one, used to seal what is recorded and to show it again."""

import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
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
    add_privacy_key,
    begin_replacing,
    changing,
    end_replacing,
    key_lines,
    unwrapped_by_any,
)
from ledger.private_texts import read_sealed, write_sealed

Connection = psycopg.Connection[Any]

MOST_KEYS = 50_000
"""So many keys are kept in memory, about a kilobyte each."""
ID_BYTES = 12
LOCK_PATIENCE_SECONDS = 3
"""So long a command waits for the keys while somebody holds them, and so long after that no other waits."""
PRIVACY_LOCK = 4_712_033
"""Who makes or rotates a database's privacy key holds this."""

_FIND = "select id, account_id, generation, wrapped from text_keys where account_id = any(%s) and wrapped is not null"
_PATIENCE = f"set lock_timeout to '{LOCK_PATIENCE_SECONDS}s'".encode()
# Whoever rotates the privacy key waits for this, and this for who rotates.
_PRIVACY_KEY = "select id from privacy_key for key share"
_MAKE = """
insert into text_keys (made_at, id, account_id, generation, wrapped)
select clock_timestamp(), * from unnest(%s::text[], %s::text[], %s::integer[], %s::bytea[])
on conflict (account_id, generation) do nothing
"""
_NEXT = "select id, account_id, wrapped from text_keys where wrapped is not null and id > %s order by id limit 500"
# Keys made while others were wrapped anew; an hour more, as clocks are set back.
_LATE = "select id, account_id, wrapped from text_keys where wrapped is not null and made_at > %s - interval '1 hour'"
# A key that was destroyed meanwhile stays so.
_REWRAP = "update text_keys set wrapped = %s where id = %s and wrapped is not null"


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
        self._busy_until = 0.0

    def hold(self, wanted: Mapping[str, int]) -> None:
        """Have the keys of accounts, each after so many erasures; those that are not there yet are made, for good.

        Raises psycopg.Error where the database does not answer, PrivacyRefused where the privacy key is not usable.
        """
        missing = {account_id: made for account_id, made in wanted.items() if not self._has(account_id, made)}
        if not missing:
            return
        self._keep_to_size()
        if time.monotonic() < self._busy_until:
            raise PrivacyRefused("the keys of texts are locked, and were just waited for")
        try:
            connection = self._connected()
            if self._find(connection, missing):
                self._make(connection, missing)
                if lacking := self._find(connection, missing):
                    raise PrivacyRefused(f"the keys of texts of {', '.join(lacking)} were destroyed, beyond the log")
        except psycopg.errors.LockNotAvailable as error:
            # The next commands of the batch would wait as long each, and the whole ledger with them.
            self._busy_until = time.monotonic() + LOCK_PATIENCE_SECONDS
            raise PrivacyRefused(f"the keys of texts are locked for more than {LOCK_PATIENCE_SECONDS} s") from error
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
            self._connection.execute(_PATIENCE)
        return self._connection

    def _find(self, connection: Connection, missing: dict[str, int]) -> dict[str, int]:
        """Hold what is there; returns what is not."""
        rows = [
            (key_id, account_id, generation, wrapped)
            for key_id, account_id, generation, wrapped in connection.execute(_FIND, [list(missing)])
            if missing[account_id] == generation
        ]
        if rows:
            privacy_keys = privacy_keys_of(connection)
            for key_id, account_id, generation, wrapped in rows:
                secret = unwrapped_by_any(privacy_keys, account_id, wrapped)
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
            privacy_keys_of(connection)  # Refused, where it could not wrap a key either.
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
        connection.execute("select pg_advisory_xact_lock(%s)", [PRIVACY_LOCK])
        # Whoever had the lock before may have made it.
        if connection.execute(_PRIVACY_KEY).fetchone() is None:
            file = key_file_of(connection)
            with changing(file):
                made = add_privacy_key(file, connection.info.dbname)
            connection.execute("insert into privacy_key (id) values (%s)", [made.id])
    return privacy_keys_of(connection)[0]


def privacy_keys_of(connection: Connection) -> list[PrivacyKey]:
    """The key of the file that the database's keys are wrapped under, then the file's others, which some are under
    while it is rotated; PrivacyRefused where the first is not there."""
    file = key_file_of(connection)
    # The file before the database: what is replaced between the two is in it still.
    kept = {line.key.id: line.key for line in key_lines(file)}
    row = connection.cursor(row_factory=tuple_row).execute("select id from privacy_key").fetchone()
    if row is None or row[0] not in kept:
        raise PrivacyRefused(
            f"the database's texts are kept under the privacy key {row[0] if row else 'of nobody yet'}, {file} holds "
            f"{', '.join(kept)}; name the file of that one with LEDGER_PRIVACY_KEY"
        )
    return [kept.pop(row[0]), *kept.values()]


def rotate_privacy_key(connection: Connection) -> int:
    """Wraps all keys under a new privacy key, and forgets the one before; returns how many keys there are.

    The file has both while it lasts, so nobody waits for it, and whoever is killed can do it again. Other databases'
    keys, and those in lines that name no database, stay in the file. The connection is none within a transaction.
    Raises PrivacyRefused, also where another rotates.
    """
    file, database = key_file_of(connection), connection.info.dbname
    with _alone(connection), changing(file):
        named, since = _named(connection)
        privacy_keys_of(connection)  # Refused, where the file has it not.
        end_replacing(file, database, named)  # Of who was killed before this.
        new = begin_replacing(file, database, named)
        keys = [new, *privacy_keys_of(connection)]
        last = ""
        while rows := connection.execute(_NEXT, [last]).fetchall():
            _rewrap(connection, rows, keys)
            last = rows[-1][0]
        _switch(connection, keys, since)
        if _named(connection)[0] != new.id:
            raise PrivacyRefused(f"the database does not name {new.id} as its privacy key, so {file} keeps all it has")
        end_replacing(file, database, new.id)
    row = connection.execute("select count(*) from text_keys where wrapped is not null").fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """While nobody else rotates this database's privacy key."""
    connection.autocommit = True
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    connection.execute("set lock_timeout to '10s'")
    # Each key is rewrapped in a commit of its own; the last commit, for which all is done, has them on the disk.
    connection.execute("set synchronous_commit to off")
    row = connection.execute("select pg_try_advisory_lock(%s)", [PRIVACY_LOCK]).fetchone()
    if row is None or not row[0]:
        raise PrivacyRefused("this database's privacy key is being changed by another process: let it end")
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise PrivacyRefused(
            "the keys of texts are locked by another process; what was done stands: run it again"
        ) from error
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", [PRIVACY_LOCK])


def _named(connection: Connection) -> tuple[str, datetime]:
    """Which privacy key the database names, once nobody is about to wrap a key under another, and the time."""
    with connection.transaction():
        row = connection.execute("select id, clock_timestamp() from privacy_key for update").fetchone()
    if row is None:
        raise PrivacyRefused("no text was sealed yet, so there is no privacy key to be changed")
    return row[0], row[1]


def _rewrap(connection: Connection, rows: list[tuple[str, str, bytes]], keys: list[PrivacyKey]) -> None:
    """Wraps keys under the first of these, whichever they are under; outside of a transaction each by itself, so that
    an erasure waits for none but its own."""
    for key_id, account_id, wrapped in rows:
        anew = keys[0].wrap(account_id, unwrapped_by_any(keys, account_id, wrapped))
        if anew != wrapped:
            connection.execute(_REWRAP, [anew, key_id])


def _switch(connection: Connection, keys: list[PrivacyKey], since: datetime) -> None:
    """Has the database name the first of these, with what was made meanwhile wrapped under it too."""
    with connection.transaction():
        # Who waits for an erasure that waits for this gives up before the server would end the erasure.
        connection.execute("set local lock_timeout to '500ms'")
        connection.execute("set local synchronous_commit to default")
        connection.execute("select id from privacy_key for update")
        _rewrap(connection, connection.execute(_LATE, [since]).fetchall(), keys)
        connection.execute("update privacy_key set id = %s", [keys[0].id])
