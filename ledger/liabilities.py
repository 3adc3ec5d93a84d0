"""Publications of what is owed to customers at a checkpoint: roots and totals of two sum trees an asset, signed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ledger.errors import UnknownCheckpoint, UnknownPublication
from ledger.liability_secret import PublicationSecret, secret_of
from ledger.log import Connection
from ledger.merkle import HASH_BYTES
from ledger.money import ZERO, plain
from ledger.sealing import SealBroken, Tree
from ledger.signing import Checkpoint, SigningKey, base64_of
from ledger.sum_tree import PARAMETERS, SumTree, amount_of, context_of, leaves_of, sum_of

BALANCES, LOANS = "balances", "loans"
# Any number will do, so long as every publisher takes the same one.
PUBLISHING_LOCK = 4_712_032
ROWS_AT_ONCE = 1_000
TILES_AT_ONCE = 64
_CHECKPOINT = "select size, root, checkpointed_at, note from checkpoints"
# Of a decision that the checkpoint cuts in two, what one account gave and the other has not got yet is in no tree.
_CUT = """
select account_id, key, first_position, last_position from idempotency_keys
where first_position <= %(size)s and last_position > %(size)s order by first_position limit 1
"""
_STORED = """
select liabilities.size, checkpointed_at, checkpoints.note as checkpoint, liabilities.note
from liabilities join checkpoints using (size)
"""
_TEMPORARY = "create temporary table published_leaves (kind text, asset text, leaf bytea) on commit drop"
_COPY = b"copy published_leaves (kind, asset, leaf) from stdin"
# The server sorts, on its disk if need be; leaves begin with their ids.
_KEEP_LEAVES = """
insert into liability_leaves (size, kind, asset, number, leaves)
select %s, kind, asset, number, string_agg(leaf, ''::bytea order by leaf) from (
    select kind, asset, leaf, (row_number() over (partition by kind, asset order by leaf) - 1) / 256 as number
    from published_leaves
) as numbered group by kind, asset, number
"""
_LEAVES = b"select kind, asset, leaves from liability_leaves where size = %s order by kind, asset, number"
_KEEP_NODES = """
insert into liability_nodes (size, kind, asset, height, number, node)
select %s, %s, %s, * from unnest(%s::smallint[], %s::bigint[], %s::bytea[])
"""
_KEEP = "insert into liabilities (size, note, secret_id) values (%s, %s, %s)"


class LiabilitiesDiffer(RuntimeError):
    """Accounts disagree with the books or have less than nothing, or a decision is half done; nothing is published."""


class Gross(NamedTuple):
    """What an account has and what it owes of an asset, over all its wallets; neither is taken off the other."""

    account_id: str
    asset: str
    balance: Decimal
    debt: Decimal


class TreeLine(NamedTuple):
    """What a publication says of one tree; `leaves` counts those that the amounts of accounts were split into."""

    kind: str
    asset: str
    root: str
    total: str
    leaves: int


class Standing(NamedTuple):
    """A checkpoint that liabilities can be published at; `text` is what was signed of it."""

    size: int
    text: str


Totals = Mapping[tuple[str, str], Decimal]
"""What the books say, by kind and asset."""


def latest_liabilities(connection: Connection) -> dict[str, Any]:
    """The publication at the largest checkpoint; UnknownPublication where there is none yet."""
    return _one(list(_publications(connection, "order by size desc limit 1")), "yet; `ledger liabilities` makes one")


def liabilities_of(connection: Connection, size: int) -> dict[str, Any]:
    """The publication at the checkpoint of this size; UnknownPublication where none was made."""
    found = list(_publications(connection, "where size = %s", size))
    return _one(found, f"at a checkpoint of {size} events; their list has the sizes there are")


def list_liabilities(connection: Connection, after: int, limit: int) -> list[dict[str, Any]]:
    """Publications beyond a size, in order of size."""
    return list(_publications(connection, "where size > %s order by size limit %s", after, limit))


def _publications(connection: Connection, which: str, *values: int) -> Iterator[dict[str, Any]]:
    for size, at, checkpoint, note in connection.execute(f"{_STORED} {which}".encode(), values):
        trees = [line._asdict() for line in trees_in(note)]
        yield {"size": size, "checkpointed_at": at, "checkpoint": checkpoint, "note": note, "trees": trees}


def _one(found: Sequence[dict[str, Any]], wanted: str) -> dict[str, Any]:
    if not found:
        raise UnknownPublication(f"no liabilities were published {wanted}")
    return found[0]


def trees_in(note: str) -> list[TreeLine]:
    """What a note says of its trees, in its order."""
    lines = note.partition("\n\n")[0].split("\n")[5:]
    return [
        TreeLine(kind, asset, root, total, int(leaves)) for kind, asset, root, total, leaves in map(str.split, lines)
    ]


def lock_publishing(connection: Connection) -> None:
    """Be the only publisher until the open transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISHING_LOCK])


def standing_checkpoint(connection: Connection, size: int | None) -> Standing:
    """The checkpoint of a size, or the latest; UnknownCheckpoint where there is none.

    Raises SealBroken where what is stored of it is not the log's as sealed: nothing is signed on such ground.
    """
    query = f"{_CHECKPOINT} where size = %s" if size else f"{_CHECKPOINT} order by size desc limit 1"
    row: tuple[int, bytes, datetime, str] | None = connection.execute(query, [size] if size else []).fetchone()
    if row is None:
        wanted = f"of {size} events; `ledger checkpoint --to DIR` writes those there are" if size else "yet"
        raise UnknownCheckpoint(f"there is no checkpoint {wanted}; `ledger seal` makes one of all that is recorded")
    size, root, at, note = row
    text = Checkpoint(note.partition("\n")[0], size, root, at).text
    if not note.startswith(f"{text}\n") or Tree(connection).root(size) != root:
        raise SealBroken(f"the checkpoint of {size} events is not what was sealed; ledger-verify tells more")
    return Standing(size, text)


def require_whole_decisions(connection: Connection, size: int) -> None:
    """LiabilitiesDiffer where only some events of a decision are among the first `size`; it reads all keys."""
    row = connection.execute(_CUT, {"size": size}).fetchone()
    if row is not None:
        account_id, key, first, last = row
        raise LiabilitiesDiffer(
            f"the checkpoint of {size} events lies within the decision of key {key} on {account_id}, which recorded "
            f"events {first} to {last}: what moves between accounts then is on neither; nothing is published, take "
            "another checkpoint (`ledger seal` makes one of all that is recorded)"
        )


def publish(
    connection: Connection,
    checkpoint: Standing,
    key: SigningKey,
    master: bytes,
    accounts: Iterable[Gross],
    totals: Totals,
) -> None:
    """Builds, signs and stores the publication at a checkpoint, within the open transaction.

    `accounts` are all of them, in any order; `totals` is what the books say of each kind and asset, also of those
    where nobody has anything. Raises LiabilitiesDiffer where the trees come to anything else.
    """
    secret = secret_of(master, checkpoint.text)
    connection.execute(_TEMPORARY)
    _copy_leaves(connection, secret, accounts)
    connection.execute(_KEEP_LEAVES, [checkpoint.size])
    trees = _grown(connection, checkpoint)
    lines = [_line(which, trees.get(which, SumTree(b""))) for which in sorted({*totals, *trees})]
    for line in lines:
        _require_agreement(line, totals.get((line.kind, line.asset), ZERO), checkpoint.size)
    note = key.sign_text(text_of(checkpoint.text, lines))
    connection.execute(_KEEP, [checkpoint.size, note, secret.id])


def text_of(checkpoint: str, lines: Iterable[TreeLine]) -> str:
    """What is signed: the checkpoint's lines, the origin marked so that neither is taken for the other; the trees."""
    origin, _, rest = checkpoint.partition("\n")
    told = "".join(f"{' '.join(map(str, line))}\n" for line in lines)
    return f"{origin} liabilities\n{rest}{PARAMETERS}\n{told}"


def _copy_leaves(connection: Connection, secret: PublicationSecret, accounts: Iterable[Gross]) -> None:
    """Leaves of all amounts above zero, to the server."""
    secrets: dict[tuple[str, str], bytes] = {}
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for account in accounts:
            for kind, amount in ((BALANCES, account.balance), (LOANS, account.debt)):
                if not amount:
                    continue
                which = (kind, account.asset)
                own = secrets.get(which) or secrets.setdefault(which, secret.of_tree(*which))
                try:
                    leaves = leaves_of(own, account.account_id, amount)
                except (ValueError, OverflowError) as error:
                    raise LiabilitiesDiffer(
                        f"{kind} of account {account.account_id} in {account.asset}: {error}"
                    ) from error
                copy.write("".join(f"{kind}\t{account.asset}\t\\\\x{leaf.hex()}\n" for leaf in leaves))


def _grown(connection: Connection, checkpoint: Standing) -> dict[tuple[str, str], SumTree]:
    """The trees over all leaves, by kind and asset; the nodes above their tiles are stored."""
    trees: dict[tuple[str, str], SumTree] = {}
    nodes: list[tuple[int, int, bytes]] = []
    which = ("", "")

    def keep() -> None:
        if nodes:
            connection.execute(_KEEP_NODES, [checkpoint.size, *which, *map(list, zip(*nodes, strict=True))])
            nodes.clear()

    with connection.cursor("publishing", binary=True) as cursor:
        cursor.itersize = TILES_AT_ONCE
        for kind, asset, tile in cursor.execute(_LEAVES, [checkpoint.size]):
            if (kind, asset) != which or len(nodes) > ROWS_AT_ONCE:
                keep()
                which = (kind, asset)
            tree = trees.setdefault(which, SumTree(context_of(checkpoint.text, kind, asset)))
            nodes += tree.take(tile)
    keep()
    return trees


def _line(which: tuple[str, str], tree: SumTree) -> TreeLine:
    root = tree.root
    return TreeLine(*which, base64_of(root[:HASH_BYTES]), plain(amount_of(sum_of(root))), tree.size)


def _require_agreement(line: TreeLine, booked: Decimal, size: int) -> None:
    if Decimal(line.total) != booked:
        raise LiabilitiesDiffer(
            f"the {line.kind} of all accounts in {line.asset} come to {line.total} at position {size}, the trial "
            f"balance says {plain(booked)}; nothing is published: `ledger verify` finds what differs"
        )
