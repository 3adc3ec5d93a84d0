"""The Merkle sum tree of liabilities: leaves of salted ids and amounts; nodes hash both children's hashes and sums.

A leaf is 64 bytes, an id and an amount; a node too, a hash and the sum of all leaves below it. Amounts and sums are
unsigned numbers of 256 bits, big-endian, in units of 10^-18 of the asset: none is negative, and none wraps.
"""

import hashlib
import hmac
from collections.abc import Sequence
from decimal import Decimal

from ledger.merkle import HASH_BYTES, Perfect, root

DECIMALS = 18
SUM_BYTES = 32
WIDTH = HASH_BYTES + SUM_BYTES
TILE_HEIGHT = 8
TILE = 1 << TILE_HEIGHT
PARTS = 2
"""How many leaves an amount is split into, so that the leaf beside one's own tells nobody's whole amount."""
PARAMETERS = f"sum-tree 1 sha-256 decimals {DECIMALS} bits {8 * SUM_BYTES} parts {PARTS}"
EMPTY = hashlib.sha256(b"").digest() + bytes(SUM_BYTES)
"""The root of a tree without leaves."""


def units_of(amount: Decimal) -> int:
    """An amount in units of 10^-18; ValueError where it is below zero or has more decimals."""
    units = amount.scaleb(DECIMALS)
    if units < 0 or units != units.to_integral_value():
        raise ValueError(
            f"{amount:f} is below zero or has more than {DECIMALS} decimals, so it cannot be a leaf's amount"
        )
    return int(units)


def amount_of(number: bytes) -> Decimal:
    """The amount that 32 bytes state."""
    return Decimal(int.from_bytes(number, "big")).scaleb(-DECIMALS)


def sum_of(node: bytes) -> bytes:
    """The sum in a node, or the amount in a leaf."""
    return node[HASH_BYTES:]


def context_of(checkpoint: str, kind: str, asset: str) -> bytes:
    """What the leaves of one tree are hashed with, so that none is good in another: checkpoint, kind and asset."""
    return hashlib.sha256(f"{checkpoint}{kind} {asset}\n".encode()).digest()


def leaf_node(context: bytes, leaf: bytes) -> bytes:
    """The node of a leaf: SHA-256(0x00 || context || id || amount), and the amount."""
    return hashlib.sha256(b"\x00" + context + leaf).digest() + sum_of(leaf)


def join(left: bytes, right: bytes) -> bytes:
    """The node above two: SHA-256(0x01 || hash || sum || hash || sum) and the sum; OverflowError beyond 256 bits."""
    total = int.from_bytes(sum_of(left), "big") + int.from_bytes(sum_of(right), "big")
    return hashlib.sha256(b"\x01" + left + right).digest() + total.to_bytes(SUM_BYTES, "big")


def seed_of(secret: bytes, account_id: str) -> bytes:
    """What all of an account is drawn from in one tree, by the tree's secret; it is told to nobody."""
    return hmac.digest(secret, account_id.encode(), "sha256")


def salt_of(seed: bytes, part: int) -> bytes:
    """The salt of a leaf, told to its customer alone."""
    return hashlib.sha256(b"salt" + bytes([part]) + seed).digest()


def id_of(salt: bytes, account_id: str, part: int) -> bytes:
    """The id of a leaf, SHA-256(0x02 || salt || part || account): no two accounts can be shown the same leaf."""
    return hashlib.sha256(b"\x02" + salt + bytes([part]) + account_id.encode()).digest()


def leaves_of(secret: bytes, account_id: str, amount: Decimal) -> list[bytes]:
    """The leaves of an account in one tree: its amount split at random, but the same each time."""
    units, seed = units_of(amount), seed_of(secret, account_id)
    drawn = int.from_bytes(hashlib.sha256(b"split" + seed).digest(), "big") % (units + 1)
    ids = [id_of(salt_of(seed, part), account_id, part) for part in range(PARTS)]
    return [one + share.to_bytes(SUM_BYTES, "big") for one, share in zip(ids, (drawn, units - drawn), strict=True)]


def perfect_over(nodes: Sequence[bytes]) -> Perfect:
    """The subtrees over nodes that are held in memory."""

    def perfect(height: int, number: int) -> bytes:
        if height == 0:
            return nodes[number]
        return join(perfect(height - 1, 2 * number), perfect(height - 1, 2 * number + 1))

    return perfect


class SumTree:
    """A tree that grows tile by tile, of which only the roots of its whole subtrees are kept."""

    def __init__(self, context: bytes) -> None:
        self.size = 0
        self._context = context
        self._subtrees: list[tuple[int, bytes]] = []
        self._last: list[bytes] = []

    def take(self, tile: bytes) -> list[tuple[int, int, bytes]]:
        """Adds a tile of leaves, whole but for the last; tells the subtrees it completes: height, number, node."""
        nodes = [leaf_node(self._context, leaf) for leaf in leaves_in(tile)]
        node = root(len(nodes), perfect_over(nodes), join)
        first, self.size = self.size, self.size + len(nodes)
        if len(nodes) < TILE:
            self._last.append(node)
            return []
        height, number = TILE_HEIGHT, first >> TILE_HEIGHT
        complete = [(height, number, node)]
        while self._subtrees and self._subtrees[-1][0] == height:
            height, number, node = height + 1, number >> 1, join(self._subtrees.pop()[1], node)
            complete.append((height, number, node))
        self._subtrees.append((height, node))
        return complete

    @property
    def root(self) -> bytes:
        """The node over all leaves so far."""
        nodes = [node for _, node in self._subtrees] + self._last
        if not nodes:
            return EMPTY
        above = nodes.pop()
        while nodes:
            above = join(nodes.pop(), above)
        return above


def leaves_in(tile: bytes) -> list[bytes]:
    """The leaves of a tile, one by one."""
    return [tile[at : at + WIDTH] for at in range(0, len(tile), WIDTH)]
