"""`ledger-verify-liability`: checks what an exchange says it owes, and shares no code with what says it.

It needs this file, cryptography, a public key, and a publication as everybody gets it. With a proof it tells a customer
what of his is in the totals; with all leaves it builds every tree again. The trees are told in ledger/README.md.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GOOD, TAMPERED, USAGE = 0, 1, 2
KINDS = ("balances", "loans")
DECIMALS, SUM_BITS, PARTS, HASH_BYTES = 18, 256, 2, 32
TREE = ("kind", "asset", "root", "total", "leaves")
PARAMETERS = f"sum-tree 1 sha-256 decimals {DECIMALS} bits {SUM_BITS} parts {PARTS}"
AMOUNT = re.compile(rf"(0|[1-9][0-9]{{0,59}})(?:\.([0-9]{{1,{DECIMALS}}}))?")
COUNT, ASSET = re.compile("0|[1-9][0-9]{0,17}"), re.compile("[A-Z0-9]{2,12}")
MOST_FINDINGS = 100

Keys = dict[bytes, Ed25519PublicKey]
Node = tuple[bytes, int]
"""A hash, and the sum of all leaves below it in units of 10^-18 of the asset."""
Which = tuple[str, str]
NOTHING: tuple[None, int] = (None, 0)
EMPTY: Node = (hashlib.sha256(b"").digest(), 0)


class Damaged(Exception):
    """Something is not what it should be; the message names its place."""


class Unexpected(Exception):
    """What is counted is not what was expected, or nothing is; the message says what of what."""


class Published(NamedTuple):
    """What a publication says of one tree; its leaves are hashed with `context`."""

    root: Node
    leaves: int
    context: bytes


class Publication(NamedTuple):
    """What was signed: the checkpoint that it stands at, and its trees by kind and asset."""

    origin: str
    size: int
    trees: dict[Which, Published]


class Growing:
    """A tree that is built leaf by leaf: the roots of its whole subtrees, the largest first."""

    def __init__(self) -> None:
        self.size, self.last_id = 0, b""
        self._subtrees: list[tuple[int, Node]] = []

    def append(self, node: Node) -> None:
        height = 0
        while self._subtrees and self._subtrees[-1][0] == height:
            height, node = height + 1, _above(self._subtrees.pop()[1], node)
        self._subtrees.append((height, node))
        self.size += 1

    def root(self) -> Node:
        """The node over all leaves so far."""
        nodes = [node for _, node in self._subtrees]
        above = nodes.pop() if nodes else EMPTY
        while nodes:
            above = _above(nodes.pop(), above)
        return above


def read_publication(publication: dict[str, Any], keys: Keys) -> Publication:
    """A publication as the API answers it: its two notes count. Damaged where what stands beside them differs."""
    text = _signed(publication["note"], keys, "the publication")
    checkpoint = _signed(publication["checkpoint"], keys, "its checkpoint")
    (origin, *standing), lines = checkpoint.split("\n"), text.split("\n")[:-1]
    if len(standing) != 4 or lines[:5] != [f"{origin} liabilities", *standing[:-1], PARAMETERS]:
        raise Damaged(f"the publication is not of the checkpoint that comes with it, or not made as: {PARAMETERS}")
    beside = [" ".join(str(one[name]) for name in TREE) for one in publication.get("trees", [])]
    is_other_tree = "trees" in publication and beside != lines[5:]
    if is_other_tree or publication.get("size", int(standing[0])) != int(standing[0]):
        raise Damaged("the size or the trees beside the publication's signed note are not those that it states")
    trees: dict[Which, Published] = {}
    for line in lines[5:]:
        which, tree = _tree_in(line, checkpoint)
        if which in trees:
            raise Damaged(f"the publication has two trees of {which[0]} {which[1]}")
        trees[which] = tree
    for asset in {asset for _, asset in trees}:
        if any((kind, asset) not in trees for kind in KINDS):
            raise Damaged(f"the publication does not say both what is owed to customers and by them in {asset}")
    return Publication(origin, _count(standing[0], "the size of the checkpoint"), trees)


def _tree_in(line: str, checkpoint: str) -> tuple[Which, Published]:
    kind, asset, root, total, leaves = [*line.split(" "), "", "", "", ""][:5]
    name = f"{kind} {asset}"
    if kind not in KINDS or not ASSET.fullmatch(asset) or line.count(" ") != 4:
        raise Damaged(f"the publication has a line that is no tree: {line}")
    node = (_bytes(root, f"the root of {name}"), _units(total, f"the total of {name}"))
    tree = Published(node, _count(leaves, f"the number of leaves of {name}"), _hash(f"{checkpoint}{name}\n".encode()))
    if not tree.leaves and node != EMPTY:
        raise Damaged(f"the publication has no leaf of {name}, but a root or a total")
    return (kind, asset), tree


def check_proof(
    proof: dict[str, Any], publication: Publication, account_id: str, expected: dict[Which | None, int]
) -> list[str]:
    """What a publication counts of an account, a line for each tree; Damaged where the proof does not lead there.

    Unexpected where that is not what is expected: units by tree, under None that nothing at all is counted.
    """
    if proof["account_id"] != account_id:
        raise Damaged(f"the proof is of account {proof['account_id']}, not of {account_id}")
    if proof["size"] != publication.size:
        raise Damaged(f"the proof is of the publication at {proof['size']} events, not of that at {publication.size}")
    told: dict[Which, str] = {}
    counted: dict[Which, int] = {}
    for tree in proof["trees"]:
        which, name = (tree["kind"], tree["asset"]), f"{tree['kind']} {tree['asset']}"
        if which not in publication.trees or which in told:
            raise Damaged(f"{name}: the publication has no such tree, or the proof has it twice")
        published = publication.trees[which]
        if len(tree["parts"]) != PARTS:
            raise Damaged(f"{name}: an amount is in {PARTS} parts, the proof has {len(tree['parts'])}")
        units = sum(_proved(one, part, account_id, published, name) for part, one in enumerate(tree["parts"]))
        if units != _units(tree["amount"], f"{name}: the amount"):
            raise Damaged(f"{name}: the parts come to {_plain(units)}, the proof says {tree['amount']}")
        counted[which] = units
        whose = "owed to" if which[0] == KINDS[0] else "owed by"
        told[which] = f"{name}: {_plain(units)} {whose} {account_id} is in the total of {_plain(published.root[1])}"
    if different := list(_unexpected(counted, expected, account_id)):
        raise Unexpected("; ".join(different))
    return [*told.values(), f"nothing else is counted for {account_id}: where you have or owe more, it is left out"]


def _unexpected(counted: dict[Which, int], expected: dict[Which | None, int], account_id: str) -> Iterator[str]:
    for which, units in expected.items():
        if which is not None and counted.get(which, 0) != units:
            name, is_counted = " ".join(which), _plain(counted.get(which, 0))
            yield f"{name}: {is_counted} is counted of {account_id}, {_plain(units)} was expected"
    if None in expected and any(counted.values()):
        yield f"something is counted of {account_id}, nothing was expected"
    if None not in expected and not any(counted.values()):
        yield f"nothing at all is counted of {account_id}; if that is right, say --expect nothing"


def _proved(leaf: dict[str, Any], part: int, account_id: str, published: Published, name: str) -> int:
    """The units of one leaf, if it leads to the published root and total, with no sum out of range on the way."""
    place = f"{name}: part {part + 1}"
    salt, units = _bytes(leaf["salt"], f"{place}: the salt"), _units(leaf["amount"], f"{place}: the amount")
    leaf_id = _hash(b"\x02" + salt + bytes([part]) + account_id.encode())
    path = [(_bytes(one["hash"], f"{place}: a hash"), _units(one["sum"], f"{place}: a sum")) for one in leaf["path"]]
    if not isinstance(leaf["place"], int) or not 0 <= leaf["place"] < published.leaves:
        raise Damaged(f"{place}: there is no leaf {leaf['place']} among {published.leaves}")
    if _root_by(leaf["place"], published.leaves, _leaf(published.context, leaf_id, units), path) != published.root:
        raise Damaged(f"{place}: its path does not lead to the published root and total")
    return units


def check_leaves(lines: Iterator[str], publication: Publication) -> Iterator[str]:
    """What is wrong with all leaves of a publication, tree by tree and in the order of their ids."""
    trees = {which: Growing() for which in publication.trees}
    for number, line in enumerate(lines, start=1):
        kind, asset, told_id, amount = json.loads(line)
        place = f"leaf {number} of {kind} {asset}"
        tree = trees.get((kind, asset))
        if tree is None:
            yield f"{place}: the publication has no such tree"
            continue
        leaf_id, units = _bytes(told_id, f"{place}: the id"), _units(amount, f"{place}: the amount")
        if leaf_id <= tree.last_id:
            yield f"{place}: its id comes again, or before one that is smaller"
        tree.last_id = leaf_id
        tree.append(_leaf(publication.trees[kind, asset].context, leaf_id, units))
    for (kind, asset), tree in trees.items():
        published, root = publication.trees[kind, asset], tree.root()
        if tree.size != published.leaves:
            yield f"{kind} {asset}: there are {tree.size} leaves, {published.leaves} were published"
        if root[1] != published.root[1]:
            yield f"{kind} {asset}: the leaves come to {_plain(root[1])}, {_plain(published.root[1])} was published"
        elif root != published.root:
            yield f"{kind} {asset}: the leaves do not give the published root"


def read_keys(text: str) -> Keys:
    """Public keys by id, from `NAME+ID+KEY` or a file of such lines."""
    keys = {}
    for line in (Path(text).read_text() if Path(text).is_file() else text).split():
        name, key_id, content = [*line.split("+", 2), "", ""][:3]
        kind_and_key = base64.b64decode(content)
        if kind_and_key[:1] != b"\x01" or hashlib.sha256(f"{name}\n".encode() + kind_and_key).hexdigest()[:8] != key_id:
            raise argparse.ArgumentTypeError(f"{line!r} is no file, and no Ed25519 key of the form NAME+ID+KEY")
        keys[bytes.fromhex(key_id)] = Ed25519PublicKey.from_public_bytes(kind_and_key[1:])
    return keys


def read_expected(text: str) -> tuple[Which | None, int]:
    """What `--expect` says: a tree and how much of it in units, or nothing."""
    if text == "nothing":
        return NOTHING
    name, _, amount = text.partition("=")
    kind, _, asset = name.partition(" ")
    if kind not in KINDS or not ASSET.fullmatch(asset):
        raise argparse.ArgumentTypeError(f"{text!r} is neither 'nothing' nor of the form 'balances USDT=100'")
    try:
        return (kind, asset), _units(amount, text)
    except Damaged as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def answer(asked: argparse.Namespace) -> tuple[list[str], list[str]]:
    """What is wrong, and what is said where nothing is."""
    keys = {key_id: key for one in asked.key for key_id, key in one.items()}
    content = json.loads(asked.publication.read_text())
    publication = read_publication(content, keys)
    if asked.origin not in (None, publication.origin):
        raise Damaged(f"the publication is of the log {publication.origin}, not of {asked.origin}")
    digest = hashlib.sha256(content["note"].encode()).hexdigest()
    told = [f"{publication.origin} at {publication.size} events; compare with others its SHA-256: {digest}"]
    if asked.proof:
        proof = json.loads(asked.proof.read_text())
        return [], told + check_proof(proof, publication, asked.account, dict(asked.expect))
    if asked.leaves:
        with asked.leaves.open() as lines:
            findings = [one for one, _ in zip(check_leaves(lines, publication), range(MOST_FINDINGS), strict=False)]
        return findings, [*told, "all leaves are as published: none is below zero, and no id comes twice"]
    totals = [f"{kind} {asset}: {_plain(tree.root[1])}" for (kind, asset), tree in publication.trees.items()]
    return [], told + totals


def main() -> None:
    """Verifies and exits."""
    asked = _arguments()
    try:
        findings, told = answer(asked)
        code = TAMPERED if findings else GOOD
    except Damaged as error:
        findings, told, code = [str(error)], [], TAMPERED
    except Unexpected as error:
        findings, told, code = [], [f"UNEXPECTED: {error}"], TAMPERED
    except FileNotFoundError as error:
        findings, told, code = [], [f"there is no file {error.filename}"], USAGE
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        findings, told, code = [], [f"this cannot be read: {type(error).__name__}: {error}"], USAGE
    print("\n".join([f"TAMPERED: {one}" for one in findings] or told))
    sys.exit(code)


def _arguments() -> argparse.Namespace:
    codes = "Ends with 0: all is good, 1: tampered with, or not as expected, 2: not understood."
    what = f"Check what an exchange says it owes. {codes}"
    parser = argparse.ArgumentParser(prog="ledger-verify-liability", description=what)
    where = "as GET /v1/liabilities/SIZE answers it, or `ledger liabilities --to` writes it"
    parser.add_argument("--publication", metavar="FILE", type=Path, required=True, help=where)
    parser.add_argument("--key", action="append", required=True, type=read_keys, help="NAME+ID+KEY, or a file of them")
    proved = parser.add_mutually_exclusive_group()
    proved.add_argument("--proof", metavar="FILE", type=Path, help="check a customer's proof as the API answers it")
    proved.add_argument(
        "--leaves", metavar="FILE", type=Path, help="check all leaves, as `ledger liabilities --leaves`"
    )
    parser.add_argument("--account", metavar="ID", help="the account that the proof must be of: your own")
    told = "what the proof must count of it, as 'balances USDT=100'; 'nothing' where it has nothing; repeatable"
    parser.add_argument("--expect", action="append", default=[], type=read_expected, metavar="WHAT", help=told)
    parser.add_argument("--origin", help="the log that the publication must name")
    asked = parser.parse_args()
    if (asked.proof is None) != (asked.account is None):
        parser.error("--proof and --account go together: only who names his own account is told what is his")
    if asked.expect and asked.proof is None:
        parser.error("--expect says what a --proof must count")
    if len(dict(asked.expect)) != len(asked.expect) or (NOTHING in asked.expect and len(asked.expect) > 1):
        parser.error("--expect is stated twice for one tree, or nothing beside something")
    return asked


def _signed(note: str, keys: Keys, place: str) -> str:
    """The text of a note that bears a good signature of a key that was given."""
    text, _, lines = note.rpartition("\n\n")
    for line in lines.splitlines():
        signature = base64.b64decode([*line.split(" "), "", ""][2])
        if (key := keys.get(signature[:4])) is not None:
            try:
                key.verify(signature[4:], f"{text}\n".encode())
            except InvalidSignature:
                continue
            return f"{text}\n"
    raise Damaged(f"{place} bears no good signature of a key that was given")


def _root_by(place: int, size: int, node: Node, path: list[Node]) -> Node:
    """The node that a path leads to from a leaf's, counted from 0: the tree has the form of RFC 6962."""
    if (size == 1) != (not path):
        raise Damaged("a path is too short or too long")
    if size == 1:
        return node
    *below, last = path
    middle = 1 << (size - 1).bit_length() - 1
    if place < middle:
        return _above(_root_by(place, middle, node, below), last)
    return _above(last, _root_by(place - middle, size - middle, node, below))


def _leaf(context: bytes, leaf_id: bytes, units: int) -> Node:
    return _hash(b"\x00" + context + leaf_id + _number(units)), units


def _above(left: Node, right: Node) -> Node:
    """The node above two: over both hashes and both sums, for a sum of sums alone could be made of others."""
    content, total = b"\x01" + left[0] + _number(left[1]) + right[0] + _number(right[1]), left[1] + right[1]
    return _hash(content), int.from_bytes(_number(total), "big")


def _number(units: int) -> bytes:
    """A sum as it is hashed; Damaged where it is out of range, for what wraps hides what is owed."""
    if not 0 <= units < 1 << SUM_BITS:
        raise Damaged(f"a sum is out of range: {_plain(units)}")
    return units.to_bytes(SUM_BITS // 8, "big")


def _units(told: Any, place: str) -> int:
    found = AMOUNT.fullmatch(told) if isinstance(told, str) else None
    if found is None or (units := int(found[1] + (found[2] or "").ljust(DECIMALS, "0"))) >= 1 << SUM_BITS:
        raise Damaged(f"{place} is no amount of zero or more with at most {DECIMALS} decimals: {told!r}")
    return units


def _bytes(told: Any, place: str) -> bytes:
    try:
        content = base64.b64decode(told, validate=True)
    except (ValueError, TypeError):
        content = b""
    if len(content) != HASH_BYTES:
        raise Damaged(f"{place} is not {HASH_BYTES} bytes in base64")
    return content


def _count(told: str, place: str) -> int:
    if not COUNT.fullmatch(told):
        raise Damaged(f"{place} is no number: {told!r}")
    return int(told)


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _plain(units: int) -> str:
    whole, rest = divmod(abs(units), 10**DECIMALS)
    return f"{'-' if units < 0 else ''}{whole}.{rest:0{DECIMALS}}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    main()
