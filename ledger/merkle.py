"""The Merkle tree of RFC 6962 (and 9162): roots, proofs of inclusion and of consistency, over subtrees that are known.

A tree is known by `perfect(height, number)`: the root over the 2^height leaves from number * 2^height on; one that
grows at its end, by its peaks alone.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import reduce

HASH_BYTES = 32
Perfect = Callable[[int, int], bytes]
Join = Callable[[bytes, bytes], bytes]
"""Two children to the node above them."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf; 0x00 tells it from a node's, RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children; 0x01 tells it from a leaf's, RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """The root over 2^h hashes that stand side by side, 32 bytes each."""
    sha256 = hashlib.sha256
    while len(hashes) > HASH_BYTES:
        pairs = range(0, len(hashes), 2 * HASH_BYTES)
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 2 * HASH_BYTES]).digest() for at in pairs])
    return hashes


def root(size: int, perfect: Perfect, join: Join = node_hash) -> bytes:
    """The root of the tree over the first `size` leaves; of none it is the hash of nothing."""
    return _over(0, size, perfect, join) if size else hashlib.sha256(b"").digest()


class Growing:
    """A tree that grows by leaves, known by its peaks: the roots of its whole subtrees, the largest first.

    A tree of `size` leaves has a peak for each bit of that number that is set; ValueError where peaks are others.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks of {HASH_BYTES} bytes each")
        self.size = size
        self._peaks = list(peaks)

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """What the tree goes on from."""
        return tuple(self._peaks)

    def append(self, hash_of_leaf: bytes) -> None:
        """Takes one more leaf, by its hash."""
        node, peaks = hash_of_leaf, self._peaks
        # Each bit that a carry clears is a subtree that is now the left half of a larger one.
        for _ in range((~self.size & (self.size + 1)).bit_length() - 1):
            node = node_hash(peaks.pop(), node)
        peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of all leaves so far; of none it is the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        return reduce(lambda right, left: node_hash(left, right), reversed(self._peaks))


def inclusion(index: int, size: int, perfect: Perfect, join: Join = node_hash) -> list[bytes]:
    """The path from leaf `index` (from 0) to the root of `size` leaves, the nearest first: RFC 6962 section 2.1.1."""
    assert 0 <= index < size
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = _middle(start, stop)
        if index < middle:
            path.append(_over(middle, stop, perfect, join))
            stop = middle
        else:
            path.append(_over(start, middle, perfect, join))
            start = middle
    return path[::-1]


def consistency(first: int, second: int, perfect: Perfect) -> list[bytes]:
    """What proves that the tree of `second` leaves begins with that of `first`: RFC 6962 section 2.1.2."""
    assert 0 < first <= second
    path: list[bytes] = []
    start, stop, is_whole = 0, second, True
    while first != stop:
        middle = _middle(start, stop)
        if first <= middle:
            path.append(_over(middle, stop, perfect))
            stop = middle
        else:
            path.append(_over(start, middle, perfect))
            start, is_whole = middle, False
    # A first tree that is a whole subtree of the second has its root known to who asks.
    return ([] if is_whole else [_over(start, stop, perfect)]) + path[::-1]


def _middle(start: int, stop: int) -> int:
    """Where a tree is cut: after the largest power of two that is less than its size."""
    return start + (1 << ((stop - start - 1).bit_length() - 1))


def _over(start: int, stop: int, perfect: Perfect, join: Join = node_hash) -> bytes:
    """The root over the leaves from `start` up to `stop`, where `start` is one that cutting leads to."""
    size = stop - start
    height = size.bit_length() - 1
    if size == 1 << height:
        return perfect(height, start >> height)
    middle = _middle(start, stop)
    return join(_over(start, middle, perfect, join), _over(middle, stop, perfect, join))
