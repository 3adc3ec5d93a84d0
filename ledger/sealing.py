"""The seal of the log as it is stored: hashes of leaves and roots of subtrees, appended as the log grows."""

from collections.abc import Iterator, Sequence
from typing import Any

from ledger.log import Connection
from ledger.merkle import HASH_BYTES, leaf_hash, perfect_root, root

# Any number will do, so long as every sealer takes the same one.
SEALING_LOCK = 4_712_031
TILE_HEIGHT = 8
TILE = 1 << TILE_HEIGHT
TILES_AT_ONCE = 64
# An event's leaf is its row in the binary form of COPY, which README.md tells byte by byte: so what is sealed is what
# is stored, and to make leaves costs neither the server nor this process more than to read and hash them.
_LEAVES = """
copy (select notification_id, recorded_at, originator_version, originator_id, topic, state from events
where notification_id > {} and notification_id <= {} order by notification_id) to stdout (format binary)
"""
_COPY_HEADER_BYTES = 19
_COPY_END = b"\xff\xff"
_PLACE_OF_POSITION = slice(6, 14)
_SEALED = f"""
select first_position - 1 + octet_length(hashes) / {HASH_BYTES} from seal_leaves order by first_position desc limit 1
"""
_GOES_ON = "select exists (select from events where notification_id > %s)"
_TILE = "select hashes from seal_leaves where first_position > %s and first_position <= %s order by first_position"
_NODES = "select hash from seal_nodes where height = %s and number >= %s and number < %s order by number"
_KEEP_LEAVES = "insert into seal_leaves (first_position, hashes) select * from unnest(%s::bigint[], %s::bytea[])"
_KEEP_NODES = "insert into seal_nodes (height, number, hash) select %s, * from unnest(%s::bigint[], %s::bytea[])"


class SealBroken(RuntimeError):
    """The log or its seal is not as it was left; the message names the place. `ledger-verify` tells more."""


def sealed_size(connection: Connection) -> int:
    """How many events, from the first on, are sealed."""
    row = _query(connection, _SEALED).fetchone()
    return int(row[0]) if row else 0


def is_whole(connection: Connection) -> bool:
    """Whether what is sealed ends where a commit ended, and so within no decision.

    `seal` ends at the log's end as it reads it, or at the end of a tile with more to come.
    """
    size = sealed_size(connection)
    return size % TILE != 0 or not _query(connection, _GOES_ON, size).fetchone()[0]


def lock_seal(connection: Connection) -> None:
    """Be the only sealer until the open transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s)", [SEALING_LOCK])


def seal(connection: Connection) -> int:
    """Seal what was recorded since, up to some 16,000 events, in a transaction; returns how many events were sealed.

    Takes nothing that a writer waits for. Raises SealBroken where a position is missing.
    """
    with connection.transaction():
        lock_seal(connection)
        sealed = sealed_size(connection)
        hashes: list[bytes] = []
        leaves = read_leaves(connection, sealed, (sealed // TILE + TILES_AT_ONCE) * TILE)
        for position, leaf in enumerate(leaves, start=sealed + 1):
            if leaf[_PLACE_OF_POSITION] != position.to_bytes(8, "big"):
                raise SealBroken(f"log: event {position} is missing; what comes after it cannot be sealed")
            hashes.append(leaf_hash(leaf))
        _keep(connection, list(_in_tiles(sealed, hashes)))
    return len(hashes)


def read_leaves(connection: Connection, after: int, until: int) -> list[bytes]:
    """The leaves of the events after a position up to another, in order, as they are stored at this moment."""
    with connection.cursor() as cursor, cursor.copy(_LEAVES.format(int(after), int(until)).encode()) as copy:
        # The server sends a row at a time, the first of them after the header of the format. All are read before any is
        # judged: a connection is of no use amid them.
        rows = [bytes(row) for row in copy]
    rows[0] = rows[0][_COPY_HEADER_BYTES:]
    return [row for row in rows if row and row != _COPY_END]


def _in_tiles(sealed: int, hashes: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Hashes that follow on so many sealed ones, those of each tile together, with the position of the first."""
    start = 0
    while start < len(hashes):
        stop = start + TILE - (sealed + start) % TILE
        yield sealed + start + 1, b"".join(hashes[start:stop])
        start = stop


def _keep(connection: Connection, tiles: Sequence[tuple[int, bytes]]) -> None:
    """Store hashes of leaves, and the roots of all subtrees that they complete."""
    connection.execute(_KEEP_LEAVES, [[first for first, _ in tiles], [hashes for _, hashes in tiles]])
    ends = [(first - 1 + _count(hashes), hashes) for first, hashes in tiles]
    height, tree = 0, Tree(connection)
    complete = [(end // TILE - 1, hashes) for end, hashes in ends if end % TILE == 0]
    while complete:
        height += TILE_HEIGHT
        roots = [
            # A tile that was sealed bit by bit is read again as a whole.
            perfect_root(
                below if _count(below) == TILE else tree.side_by_side(height - TILE_HEIGHT, number * TILE, TILE)
            )
            for number, below in complete
        ]
        numbers = [number for number, _ in complete]
        connection.execute(_KEEP_NODES, [height, numbers, roots])
        complete = [(number // TILE, b"") for number in numbers if (number + 1) % TILE == 0]


class Tree:
    """The tree as it is stored; what a question reads of it grows with the logarithm of its size."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def root(self, size: int) -> bytes:
        """The root over the first `size` events, which must be sealed."""
        return root(size, self.perfect)

    def perfect(self, height: int, number: int) -> bytes:
        """The root of a subtree: computed from the nearest stored height below."""
        above = height % TILE_HEIGHT
        return perfect_root(self.side_by_side(height - above, number << above, 1 << above))

    def side_by_side(self, height: int, first: int, count: int) -> bytes:
        """Hashes of a stored height, within one tile; SealBroken where one is missing."""
        if height:
            rows = _query(self._connection, _NODES, height, first, first + count)
            hashes = b"".join(row[0] for row in rows)
        else:
            before = first - first % TILE
            tile = b"".join(row[0] for row in _query(self._connection, _TILE, before, before + TILE))
            hashes = tile[(first - before) * HASH_BYTES :][: count * HASH_BYTES]
        if _count(hashes) != count:
            raise SealBroken(f"seal: of {count} hashes at height {height} from {first} on, {_count(hashes)} are stored")
        return hashes


def _count(hashes: bytes) -> int:
    return len(hashes) // HASH_BYTES


def _query(connection: Connection, query: str, *parameters: int) -> Any:
    return connection.cursor(binary=True).execute(query, parameters, prepare=True)
