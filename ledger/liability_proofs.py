"""What a customer is told of published liabilities, his own leaves and their paths; and all leaves, for auditors."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ledger.errors import UnknownAccount
from ledger.liabilities import TreeLine, latest_liabilities, liabilities_of, trees_in
from ledger.liability_secret import (
    LiabilitySecretMissing,
    LiabilitySettings,
    PublicationSecret,
    master_secret,
    secret_of,
)
from ledger.log import Connection, version_at
from ledger.merkle import HASH_BYTES, inclusion
from ledger.signing import SigningRefused, base64_of
from ledger.sum_tree import (
    PARTS,
    TILE,
    TILE_HEIGHT,
    amount_of,
    context_of,
    id_of,
    join,
    leaf_node,
    leaves_in,
    perfect_over,
    salt_of,
    seed_of,
    sum_of,
)

_SECRET_ID = "select secret_id from liabilities where size = %s"
# Of each id the tile that it would lie in, where it does.
_FIND = """
select asked.at, tile.number, tile.leaves
from unnest(%(kinds)s::text[], %(assets)s::text[], %(ids)s::bytea[]) with ordinality as asked (kind, asset, id, at)
cross join lateral (
    select number, leaves from liability_leaves
    where size = %(size)s and kind = asked.kind and asset = asked.asset and first_id <= asked.id
    order by first_id desc limit 1
) as tile
where position(asked.id in tile.leaves) > 0
order by asked.at
"""
_WHICH = "from liability_{} where size = %s and kind = %s and asset = %s and"
_TILE = f"select leaves {_WHICH.format('leaves')} number = %s"
_NODE = f"select node {_WHICH.format('nodes')} height = %s and number = %s"
_ALL = b"select kind, asset, leaves from liability_leaves where size = %s order by kind, asset, number"


def liability_proof(connection: Connection, account_id: str, size: int | None = None) -> dict[str, Any]:
    """What a publication (the latest, without a size) has of an account: in each tree its leaves, and their paths.

    A tree in which the account has nothing has no leaf of it. Refuses with UnknownPublication, UnknownAccount (none
    at that position), and LiabilitySecretMissing: this process does not have the secret that the ids were salted with.
    """
    publication = latest_liabilities(connection) if size is None else liabilities_of(connection, size)
    size, checkpoint = publication["size"], publication["checkpoint"].partition("\n\n")[0] + "\n"
    if not version_at(connection, account_id, size):
        raise UnknownAccount(f"account {account_id} was not open at position {size}, where these liabilities stand")
    secret = _secret(connection, size, checkpoint)
    lines = trees_in(publication["note"])
    seeds = [seed_of(secret.of_tree(line.kind, line.asset), account_id) for line in lines]
    salts = [[salt_of(seed, part) for part in range(PARTS)] for seed in seeds]
    found = _find(
        connection, size, lines, [[id_of(one, account_id, part) for part, one in enumerate(of)] for of in salts]
    )
    trees = []
    for line, own, places in zip(lines, salts, found, strict=True):
        if not places:
            continue
        tree = _Stored(connection, size, line, context_of(checkpoint, line.kind, line.asset))
        parts = [{"salt": base64_of(salt), **tree.proved(*place)} for salt, place in zip(own, places, strict=True)]
        amount = sum((part["amount"] for part in parts), Decimal(0))
        trees.append({"kind": line.kind, "asset": line.asset, "amount": amount, "parts": parts})
    return {"account_id": account_id, "size": size, "trees": trees}


def all_leaves(connection: Connection, size: int) -> Iterator[tuple[str, str, bytes, Decimal]]:
    """Every leaf of a publication, kind, asset, id and amount, in the order of its trees and ids; in a transaction."""
    with connection.cursor("liability_leaves", binary=True) as cursor:
        cursor.itersize = 64
        for kind, asset, tile in cursor.execute(_ALL, [size]):
            for leaf in leaves_in(tile):
                yield kind, asset, leaf[:HASH_BYTES], amount_of(sum_of(leaf))


def _secret(connection: Connection, size: int, checkpoint: str) -> PublicationSecret:
    file = LiabilitySettings().file
    try:
        secret = secret_of(master_secret(file), checkpoint)
    except SigningRefused as error:
        raise LiabilitySecretMissing(f"{error}; proofs need the file that the publication was made with") from error
    row = connection.execute(_SECRET_ID, [size]).fetchone()
    if row is None or row[0] != secret.id:
        raise LiabilitySecretMissing(
            f"the publication of {size} events was salted with another secret than that in {file}"
        )
    return secret


def _find(
    connection: Connection, size: int, lines: list[TreeLine], ids: list[list[bytes]]
) -> list[list[tuple[int, bytes]]]:
    """For each tree the places of these ids, and their leaves; nothing where the account has none there."""
    asked = [(line.kind, line.asset, one) for line, of_tree in zip(lines, ids, strict=True) for one in of_tree]
    kinds, assets, flat = ([one[column] for one in asked] for column in range(3))
    values = {"size": size, "kinds": kinds, "assets": assets, "ids": flat}
    found: list[list[tuple[int, bytes]]] = [[] for _ in lines]
    for at, number, tile in connection.cursor(binary=True).execute(_FIND, values):
        for place, leaf in enumerate(leaves_in(tile), start=number * TILE):
            if leaf.startswith(flat[at - 1]):
                found[(at - 1) // PARTS].append((place, leaf))
    return found


class _Stored:
    """A tree as it is stored; a path is read with some rows for each doubling of its leaves."""

    def __init__(self, connection: Connection, size: int, line: TreeLine, context: bytes) -> None:
        self._connection, self._which = connection, (size, line.kind, line.asset)
        self._leaves, self._context = line.leaves, context
        self._tiles: dict[int, list[bytes]] = {}

    def proved(self, place: int, leaf: bytes) -> dict[str, Any]:
        """The place and amount of a leaf, and the nodes beside its path to the root, the nearest first."""
        path = [
            {"hash": base64_of(node[:HASH_BYTES]), "sum": amount_of(sum_of(node))}
            for node in inclusion(place, self._leaves, self._perfect, join)
        ]
        return {"place": place, "amount": amount_of(sum_of(leaf)), "path": path}

    def _perfect(self, height: int, number: int) -> bytes:
        if height >= TILE_HEIGHT:
            return self._row(_NODE, height, number)
        nodes = self._tile(number >> TILE_HEIGHT - height)
        return perfect_over(nodes)(height, number % (1 << TILE_HEIGHT - height))

    def _tile(self, number: int) -> list[bytes]:
        """The nodes of a tile's leaves, which several steps of a path ask for."""
        if number not in self._tiles:
            self._tiles[number] = [leaf_node(self._context, leaf) for leaf in leaves_in(self._row(_TILE, number))]
        return self._tiles[number]

    def _row(self, query: str, *numbers: int) -> bytes:
        row = self._connection.cursor(binary=True).execute(query.encode(), [*self._which, *numbers]).fetchone()
        assert row is not None
        content: bytes = row[0]
        return content
