"""The seal of the log as it is stored: hashes of leaves and roots of subtrees, appended as the log grows."""

from collections.abc import Sequence
from typing import Any

from ledger.log import Connection
from ledger.merkle import HASH_BYTES, perfect_root, root

# Any number will do, so long as every sealer takes the same one.
SEALING_LOCK = 4_712_031
TILE_HEIGHT = 8
TILE = 1 << TILE_HEIGHT
TILES_AT_ONCE = 64
# The leaf of an event byte by byte, as README.md has it; numbers are big-endian, the time is in microseconds since
# 2000-01-01 UTC, as PostgreSQL keeps it.
LEAF = r"""
'\x01'::bytea || int8send(notification_id) || timestamptz_send(recorded_at) || int8send(originator_version)
|| int4send(octet_length(convert_to(originator_id, 'UTF8'))) || convert_to(originator_id, 'UTF8')
|| int4send(octet_length(convert_to(topic, 'UTF8'))) || convert_to(topic, 'UTF8')
|| int4send(octet_length(state)) || state
"""
# The server hashes: what is sealed is what is stored, and 32 bytes of an event travel instead of all of it.
_HASHES = rf"""
select min(notification_id), max(notification_id), string_agg(sha256('\x00'::bytea || {LEAF}), ''::bytea order by notification_id)
from events where notification_id > %s and notification_id <= %s
group by (notification_id - 1) / {TILE} order by 1
"""
_SEALED = f"""
select first_position - 1 + octet_length(hashes) / {HASH_BYTES} from seal_leaves order by first_position desc limit 1
"""
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
        until = (sealed // TILE + TILES_AT_ONCE) * TILE
        tiles: list[tuple[int, bytes]] = []
        reached = sealed
        for first, last, hashes in _query(connection, _HASHES, sealed, until):
            if last - reached != _count(hashes):
                raise SealBroken(f"log: of the events {reached + 1} to {last} some are missing; it cannot be sealed")
            tiles.append((first, hashes))
            reached = last
        _keep(connection, tiles)
    return int(reached - sealed)


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
