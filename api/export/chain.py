"""The root of the log: one hash that stands for every row up to a position, its bytes, its place and its time.

Each row's hash is taken over the hash before it and the row: SHA-256, fields with their lengths before them.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from struct import Struct

from ledger.stored import StoredEvent, StoredKey

BEGINNING = bytes(32)
"""The root of no row at all."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_length = Struct(">q").pack

Row = StoredEvent | StoredKey


def root_of(rows: Iterable[Row], before: bytes = BEGINNING) -> bytes:
    """The root after these rows, where `before` is the root of all rows before them."""
    root = before
    for row in rows:
        root = next_root(root, row)
    return root


def next_root(before: bytes, row: Row) -> bytes:
    """The root after one more row."""
    return hashlib.sha256(before + b"".join(_written(row))).digest()


def _written(row: Row) -> Iterator[bytes]:
    """Every field of a row, told apart from its neighbours by its length; what is not there is shorter than nothing."""
    for value in row:
        if value is None:
            yield _length(-1)
            continue
        if isinstance(value, datetime):
            value = (value - _EPOCH) // _MICROSECOND
        content = value if isinstance(value, bytes) else str(value).encode()
        yield _length(len(content))
        yield content


class Chain:
    """The roots of events and keys as their rows pass by."""

    def __init__(self, events: bytes = BEGINNING, keys: bytes = BEGINNING) -> None:
        self.events = events
        self.keys = keys

    def of_events(self, rows: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
        """The same rows, each taken into the root."""
        for row in rows:
            self.events = next_root(self.events, row)
            yield row

    def of_keys(self, rows: Iterable[StoredKey]) -> Iterator[StoredKey]:
        """The same keys, each taken into their root."""
        for row in rows:
            self.keys = next_root(self.keys, row)
            yield row
