"""What stands for all rows up to a position: the root of the tree that seals the log, and a chain of its keys.

Keys are no part of the tree. Each key's hash is taken over the hash before it and the key: SHA-256, fields with their
lengths before them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from struct import Struct

from api.export.checkpoints import Kept, require_root
from ledger.merkle import Growing, leaf_hash
from ledger.stored import StoredEvent, StoredKey

NO_KEYS = bytes(32)
"""The root of no key at all."""
_length = Struct(">q").pack


class Roots:
    """Both roots as rows pass by; events are held against those checkpoints that lie ahead of the tree."""

    def __init__(self, tree: Growing, keys: bytes = NO_KEYS, kept: Sequence[Kept] = ()) -> None:
        self.tree, self.keys = tree, keys
        ahead = (one for one in kept if one.stated.size > tree.size)
        self._due = sorted(ahead, key=lambda one: one.stated.size, reverse=True)

    def of_events(self, events: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
        """The same events, each taken into the tree; refuses at the first checkpoint that states another root."""
        for event in events:
            self.tree.append(leaf_hash(event.leaf))
            while self._due and self._due[-1].stated.size == self.tree.size:
                require_root(self._due.pop(), self.tree.root())
            yield event

    def of_keys(self, keys: Iterable[StoredKey]) -> Iterator[StoredKey]:
        """The same keys, each taken into their root."""
        for key in keys:
            self.keys = next_root(self.keys, key)
            yield key


def root_of_keys(keys: Iterable[StoredKey]) -> bytes:
    """The root of these keys, from the first on."""
    root = NO_KEYS
    for key in keys:
        root = next_root(root, key)
    return root


def next_root(before: bytes, key: StoredKey) -> bytes:
    """The root after one more key."""
    return hashlib.sha256(before + b"".join(_written(key))).digest()


def _written(key: StoredKey) -> Iterator[bytes]:
    """Every field of a key, told apart from its neighbours by its length; what is not there is shorter than nothing."""
    for value in key:
        if value is None:
            yield _length(-1)
            continue
        content = str(value).encode()
        yield _length(len(content))
        yield content
