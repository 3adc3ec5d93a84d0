"""What anyone may ask of the seal: checkpoints, and proofs that an event is in the log, that a log goes on from one."""

from typing import Any

from ledger.errors import Malformed, NotSealed, UnknownCheckpoint, UnknownEvent
from ledger.log import Connection
from ledger.merkle import consistency, inclusion, leaf_hash
from ledger.sealing import Tree, read_leaves, sealed_size
from ledger.signing import base64_of

_CHECKPOINT = "select size, root, checkpointed_at, note from checkpoints"


def latest_checkpoint(connection: Connection) -> dict[str, Any]:
    """The checkpoint of the largest size; UnknownCheckpoint where there is none yet."""
    return _one(connection, f"{_CHECKPOINT} order by size desc limit 1", None)


def checkpoint_of(connection: Connection, size: int) -> dict[str, Any]:
    """The checkpoint of this size; UnknownCheckpoint where none was made."""
    return _one(connection, f"{_CHECKPOINT} where size = %s", size)


def list_checkpoints(connection: Connection, after: int, limit: int) -> list[dict[str, Any]]:
    """Checkpoints beyond a size, in order of size."""
    rows = connection.execute(f"{_CHECKPOINT} where size > %s order by size limit %s", [after, limit])
    return [_shown(row) for row in rows]


def public_keys(connection: Connection) -> list[dict[str, Any]]:
    """The public keys that checkpoints were ever signed with; who trusts nobody has them from elsewhere."""
    rows = connection.execute("select key_id, public_key, added_at from checkpoint_keys order by added_at, key_id")
    return [dict(zip(("key_id", "public_key", "added_at"), row, strict=True)) for row in rows]


def inclusion_proof(
    connection: Connection, position: int, size: int | None = None, account_id: str | None = None
) -> dict[str, Any]:
    """The bytes of an event's leaf, and its path to the root of the first `size` events: RFC 6962 section 2.1.1.

    Without a size it is that of the latest checkpoint. Refuses with UnknownEvent (none there, or, with an account, none
    of its own), NotSealed, and Malformed: a size that does not reach the event.
    """
    row = connection.execute("select originator_id from events where notification_id = %s", [position]).fetchone()
    if row is None or account_id not in (None, row[0]):
        whose = "the log" if account_id is None else f"account {account_id}"
        raise UnknownEvent(f"{whose} has no event at position {position}; the events of each are listed with theirs")
    if size is None:
        size = int(latest_checkpoint(connection)["size"])
        if size < position:
            raise NotSealed(f"event {position} is newer than the latest checkpoint, of {size} events; ask again soon")
    elif size < position:
        raise Malformed(f"a log of {size} events does not reach position {position}; state a size not below it")
    _require_sealed(connection, size)
    tree, [leaf] = Tree(connection), read_leaves(connection, position - 1, position)
    path = inclusion(position - 1, size, tree.perfect)
    told = {"position": position, "size": size, "leaf": base64_of(leaf), "leaf_hash": base64_of(leaf_hash(leaf))}
    return {**told, "path": [base64_of(one) for one in path], **_root_of(connection, tree, size)}


def consistency_proof(connection: Connection, first: int, second: int) -> dict[str, Any]:
    """What proves that the log of `second` events begins with that of `first`: RFC 6962 section 2.1.2.

    Refuses with NotSealed, and with Malformed: the first size is zero or beyond the second.
    """
    if not 0 < first <= second:
        raise Malformed(f"a log of {second} events cannot go on from one of {first}; state the smaller size first")
    _require_sealed(connection, second)
    tree = Tree(connection)
    path = [base64_of(one) for one in consistency(first, second, tree.perfect)]
    roots = {"from_root": base64_of(tree.root(first)), **_root_of(connection, tree, second)}
    return {"from_size": first, "to_size": second, "path": path, **roots}


def _root_of(connection: Connection, tree: Tree, size: int) -> dict[str, Any]:
    """The root of a size, and the signed note that states it, where there is one."""
    row = connection.execute("select note from checkpoints where size = %s", [size]).fetchone()
    return {"root": base64_of(tree.root(size)), "note": row[0] if row else None}


def _require_sealed(connection: Connection, size: int) -> None:
    sealed = sealed_size(connection)
    if size > sealed:
        raise NotSealed(f"a log of {size} events was asked for, {sealed} are sealed; ask for no more, or again soon")


def _one(connection: Connection, query: str, size: int | None) -> dict[str, Any]:
    row = connection.execute(query, [] if size is None else [size]).fetchone()
    if row is None:
        wanted = "yet" if size is None else f"of {size} events; the list of checkpoints has the sizes there are"
        raise UnknownCheckpoint(f"there is no checkpoint {wanted}")
    return _shown(row)


def _shown(row: tuple[Any, ...]) -> dict[str, Any]:
    size, root, at, note = row
    return {"size": size, "root": base64_of(root), "checkpointed_at": at, "note": note}
