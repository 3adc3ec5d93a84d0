"""API keys: made once, kept as hashes, found again for each request through a cache that is a second old at most."""

import hashlib
import logging
import re
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from api.problems import Unauthenticated
from api.roles import Caller, Role
from ledger.errors import Malformed, StateRefusal, Unknown
from ledger.postgres import Connection

PREFIX = "mlk_"
RANDOM_BYTES = 32
SECONDS_KEPT = 1.0
"""How long a revoked key may still be answered."""
KEYS_KEPT = 10_000

logger = logging.getLogger("ledger.api")

Pool = ConnectionPool[Connection]

_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_COLUMNS = "name, role, account_id, created_at, revoked_at"


class KeyExists(StateRefusal):
    code, title = "key_exists", "A key has this name already"


class KeyRevoked(StateRefusal):
    code, title = "key_revoked", "The key is already revoked"


class UnknownKey(Unknown):
    code, title = "unknown_key", "There is no such key"


class ApiKey(NamedTuple):
    """What is known of a key; the key itself is not."""

    name: str
    role: Role
    account_id: str | None
    created_at: datetime
    revoked_at: datetime | None


def create_key(connection: Connection, name: str, role: Role | str, account_id: str | None = None) -> str:
    """Make a key and return it, the only time that it can be seen; commits where `connection` is in autocommit.

    Refuses with Malformed (a name or account id that is no identifier, an unknown role, a customer without an account,
    another role with one) and KeyExists (names are used once, also that of a revoked key).
    """
    _require_identifier("name", name)
    if role not in list(Role):
        raise Malformed(f"role {role!r} is not known; the roles are {', '.join(Role)}")
    if (role == Role.CUSTOMER) != (account_id is not None):
        raise Malformed("a key of role customer is bound to one account, keys of the other roles to none")
    if account_id is not None:
        _require_identifier("account_id", account_id)
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    try:
        connection.execute(
            "insert into api_keys (name, role, account_id, digest) values (%s, %s, %s, %s)",
            [name, str(role), account_id, _digest(key)],
        )
    except errors.UniqueViolation:
        raise KeyExists(f"a key named {name} was made before, and a name is used once; choose another") from None
    return key


def list_keys(connection: Connection) -> list[ApiKey]:
    """All keys, also revoked ones, in order of their names."""
    rows = connection.execute(f"select {_COLUMNS} from api_keys order by name").fetchall()
    return [_api_key(row) for row in rows]


def revoke_key(connection: Connection, name: str) -> ApiKey:
    """Make a key useless for ever, everywhere within about a second; UnknownKey, KeyRevoked."""
    _require_identifier("name", name)
    revoked = connection.execute(
        f"update api_keys set revoked_at = now() where name = %s and revoked_at is null returning {_COLUMNS}",
        [name],
    ).fetchone()
    if revoked is not None:
        return _api_key(revoked)
    found = connection.execute("select revoked_at from api_keys where name = %s", [name]).fetchone()
    if found is None:
        raise UnknownKey(f"no key is named {name}")
    raise KeyRevoked(f"the key {name} was revoked at {found[0].isoformat()}")


class _Found(NamedTuple):
    """Whom a key belongs to; asked again in the background once it is half as old as it may become."""

    caller: Caller
    ask_again_at: float
    good_until: float


class KeyRing:
    """Finds the caller of a key; what was found is believed for `seconds_kept`, by all threads."""

    def __init__(self, pool: Pool, seconds_kept: float = SECONDS_KEPT) -> None:
        self._pool = pool
        self._seconds_kept = seconds_kept
        self._found: dict[str, _Found] = {}
        self._lock = threading.Lock()
        self._asking: set[str] = set()
        self._asker = ThreadPoolExecutor(1, "keys")

    def kept(self, authorization: str) -> Caller | None:
        """The caller of a key if it was found within the last second; never waits. Takes the header as it was sent.

        A key in use is looked up again before its second is over: else all its requests would wait for that together.
        """
        found = self._found.get(authorization)
        now = time.monotonic()
        if found is None or found.good_until <= now:
            return None
        if found.ask_again_at <= now and authorization not in self._asking:
            self._asking.add(authorization)
            self._asker.submit(self._find_again, authorization)
        return found.caller

    def find(self, authorization: str) -> Caller:
        """The caller of a key, asking the database where need be; Unauthenticated if there is none."""
        return self.kept(authorization) or self._find(authorization)

    def _find_again(self, authorization: str) -> None:
        """Leaves a key that it cannot find as old as it is: whoever comes after its second is told why."""
        try:
            self._find(authorization)
        except Unauthenticated:
            self._found.pop(authorization, None)
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
            logger.warning("a key could not be looked up again: %s", error)
        finally:
            self._asking.discard(authorization)

    def _find(self, authorization: str) -> Caller:
        asked_at = time.monotonic()
        caller = self._look_up(_key_of(authorization))
        with self._lock:
            if len(self._found) >= KEYS_KEPT:
                self._found.clear()
            self._found[authorization] = _Found(
                caller, asked_at + self._seconds_kept / 2, asked_at + self._seconds_kept
            )
        return caller

    def _look_up(self, key: str) -> Caller:
        with self._pool.connection() as connection:
            row = connection.execute(
                "select name, role, account_id, revoked_at from api_keys where digest = %s", [_digest(key)]
            ).fetchone()
        if row is None:
            raise Unauthenticated("the key is not known here; `ledger keys create` makes one")
        if row[3] is not None:
            raise Unauthenticated(f"the key {row[0]} was revoked at {row[3].isoformat()}")
        return Caller(row[0], Role(row[1]), row[2])


def _key_of(header: str) -> str:
    """The key of an Authorization header."""
    scheme, _, key = header.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated("the request states no key; send the header `Authorization: Bearer KEY`")
    if not _KEY.fullmatch(key):
        raise Unauthenticated(f"what the request states is not a key of this ledger; its keys begin with {PREFIX}")
    return key


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _api_key(row: tuple[object, ...]) -> ApiKey:
    name, role, account_id, created_at, revoked_at = row
    return ApiKey(name, Role(str(role)), account_id, created_at, revoked_at)  # type: ignore[arg-type]


def _require_identifier(field: str, value: str) -> None:
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise Malformed(f"{field} {value!r} is not 1 to 64 of the characters A-Z a-z 0-9 _ . : -")
