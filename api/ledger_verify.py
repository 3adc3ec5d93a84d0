"""`ledger-verify`: checks a ledger's log against its signed checkpoints, and shares no code with what wrote either.

It needs this file, psycopg, cryptography (pyarrow for an archive), a public key and, best, checkpoints kept elsewhere.
It recomputes the hash of every event, the root of every checkpoint, the order of positions, versions and times, and
names each place that is wrong. The leaf of an event is told in ledger/README.md, RFC 6962 tells the tree.
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GOOD, TAMPERED, USAGE, UNREACHABLE = 0, 1, 2, 3
TILE_HEIGHT, HASH_BYTES = 8, 32
PAGE_ROWS, MOST_FINDINGS = 5_000, 100
HEAD, LENGTH = struct.Struct(">HIqIqIqI"), struct.Struct(">I")
MANIFEST, STORED = "manifest.json", "checkpoint {} of the database"
QUERIES = {
    "leaves": "select first_position, hashes from seal_leaves order by 1",
    "node": "select height, number, hash from seal_nodes order by 1, 2",
    "checkpoint": "select size, note, root from checkpoints order by 1",
    "event": "select notification_id, (extract(epoch from recorded_at - '2000-01-01 00:00:00+00') * 1000000)::bigint,"
    " originator_id, originator_version, topic, state from events order by 1",
}
"""What is read of a database: lines of a kind and these columns."""
KINDS = ("int64", "int64", "string", "int64", "string", "binary")
"""What the columns of an archive's file are read as, in the order of a Row; times there count from 1970, not 2000."""
MICROSECONDS_TO_2000 = 946_684_800_000_000

Keys = dict[bytes, Ed25519PublicKey]
Line = list[Any]


class Damaged(Exception):
    """Something cannot be read as what it should be; the message names its place."""


class Row(NamedTuple):
    """An event as it is stored; `recorded_at` in microseconds since 2000-01-01 UTC."""

    position: int
    recorded_at: int
    stream: str
    version: int
    topic: str
    state: bytes


class Note(NamedTuple):
    """A checkpoint as somebody keeps it; `place` says where, `signatures` are by the id of their key."""

    place: str
    origin: str
    size: int
    root: bytes
    at: str
    text: bytes
    signatures: dict[bytes, bytes]


class Tree:
    """A Merkle tree that grows leaf by leaf (RFC 6962): the roots of its whole subtrees, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Takes the hash of a leaf; tells each subtree that it completes: height, number and root."""
        height, node = 0, leaf
        while self._subtrees and self._subtrees[-1][0] == height:
            height, node = height + 1, _node(self._subtrees.pop()[1], node)
            yield height, self.size >> height, node
        self._subtrees.append((height, node))
        self.size += 1

    def root(self) -> bytes:
        """The root of all leaves so far; of none it is the hash of nothing."""
        node = self._subtrees[-1][1] if self._subtrees else _hash(b"")
        for _, left in reversed(self._subtrees[:-1]):
            node = _node(left, node)
        return node


class Check:
    """Takes a log line by line, with the events last; `findings` are what is wrong, `covered` is the last good size."""

    def __init__(self, notes: list[Note]) -> None:
        self.findings: list[str] = []
        self.notes, self.tree, self.covered = notes, Tree(), 0
        self._leaves: dict[int, bytes] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._run, self._run_first = b"", 1
        self._versions: dict[str, int] = {}
        self._recorded_at: int | None = None

    def take(self, lines: Iterable[Line]) -> None:
        """Checks all lines; of the events those up to where nothing more can be compared."""
        began = time.monotonic()
        for kind, *values in lines:
            match kind:
                case "leaves":
                    self._leaves[values[0]] = values[1]
                case "node":
                    self._nodes[values[0], values[1]] = values[2]
                case "checkpoint":
                    self._take_note(*values)
                case "note":
                    self.notes.append(read_note(*values))
                case "end":
                    self._take_end(*values)
                case "wrong":
                    self.findings.append(values[0])
                case _:
                    if not self._take_event(Row(*values)):
                        return
                    _show(self.tree.size, began)
        self._close()

    def _take_note(self, size: int, text: str, root: bytes) -> None:
        place = STORED.format(size)
        self.notes.append(read_note(text, place))
        if self.notes[-1][2:4] != (size, root):
            self.findings.append(f"{place}: it is stored as another than was signed")

    def _take_end(self, name: str, last: int, root: str) -> None:
        """The end of a file of events, as the archive states it."""
        if (self.tree.size, base64.b64encode(self.tree.root()).decode()) != (last, root):
            self.findings.append(f"{name}: its events do not give the root that {MANIFEST} states for event {last}")

    def _take_event(self, row: Row) -> bool:
        due = self.tree.size + 1
        if row.position != due:
            last = "" if row.position <= due + 1 else f" to {row.position - 1}"
            told = f"event {due}{last} is missing" if row.position > due else f"position {row.position} comes again"
            self.findings.append(f"log: {told}; nothing beyond can be compared")
            return False
        self._follow(row)
        leaf = _hash(b"\x00" + _leaf(row))
        if self._sealed(row.position) not in (leaf, b""):
            self.findings.append(f"event {row.position} ({row.topic} of {row.stream}) is not what was sealed")
        for height, number, root in self.tree.append(leaf):
            if height % TILE_HEIGHT == 0 and self._nodes.get((height, number), root) != root:
                first, last_of = (number << height) + 1, (number + 1) << height
                self.findings.append(f"seal: the root of events {first} to {last_of} is not what these events give")
        self._compare()
        return len(self.findings) < MOST_FINDINGS

    def _follow(self, row: Row) -> None:
        """Versions of a stream have no gap, and times never decrease."""
        version = self._versions.get(row.stream, 0) + 1
        if row.version != version:
            told = f"is version {row.version} of {row.stream}, version {version} was due"
            self.findings.append(f"event {row.position} {told}")
        if self._recorded_at is not None and row.recorded_at < self._recorded_at:
            self.findings.append(f"event {row.position} was recorded before event {row.position - 1}")
        self._versions[row.stream], self._recorded_at = row.version, row.recorded_at

    def _sealed(self, position: int) -> bytes:
        """The hash that was stored of an event; nothing where none is."""
        if position in self._leaves:
            self._run, self._run_first = self._leaves[position], position
        at = (position - self._run_first) * HASH_BYTES
        return self._run[at : at + HASH_BYTES]

    def _compare(self) -> None:
        """Compares the root with those checkpoints that are of this size."""
        if self.tree.size == 1:
            self.notes.sort(key=lambda note: -note.size)
            self._due = list(self.notes)
        while self._due and self._due[-1].size == self.tree.size:
            note = self._due.pop()
            if note.root == self.tree.root():
                self.covered = note.size
            else:
                told = f"something in events {self.covered + 1} to {note.size} was changed"
                self.findings.append(f"{note.place}: its root is not the log's: {told}")

    def _close(self) -> None:
        """What the log should have beyond its end."""
        end = self.tree.size
        sealed = max((first - 1 + len(run) // HASH_BYTES for first, run in self._leaves.items()), default=0)
        if sealed > end:
            self.findings.append(f"log: it ends at position {end}, but events {end + 1} to {sealed} were sealed")
        for note in (note for note in self.notes if note.size > end):
            self.findings.append(f"{note.place}: events {end + 1} to {note.size} are missing, the log ends before them")
        if end and not self.notes:
            self.findings.append(f"log: there is no checkpoint, so nothing vouches for events 1 to {end}")


def check_notes(notes: Iterable[Note], keys: Keys, origin: str | None) -> Iterator[str]:
    """What is wrong with checkpoints by themselves: signatures, origins, times."""
    before: Note | None = None
    for note in sorted(notes, key=lambda note: note.size):
        named = origin or (before or note).origin
        if not any(_is_signed(note, key_id, key) for key_id, key in keys.items()):
            yield f"{note.place}: it bears no good signature of a key that was given"
        if note.origin != named:
            yield f"{note.place}: it is of the log {note.origin}, not of {named}"
        if before is not None and note.at < before.at:
            yield f"{note.place}: it was made before the one of {before.size} events"
        before = note


def check_stored(kept: Iterable[Note], notes: Iterable[Note]) -> Iterator[str]:
    """Which checkpoints that were kept elsewhere are not among the database's any more."""
    places = {note.place for note in notes}
    for note in kept:
        if STORED.format(note.size) not in places:
            yield f"{note.place}: the checkpoint of {note.size} events is not in the database any more"


def check_proof(proof: dict[str, Any], keys: Keys, origin: str | None) -> list[str]:
    """What is wrong with a proof of inclusion as the API answers it."""
    if proof["note"] is None:
        raise ValueError("no checkpoint was signed of its size; ask for a proof at a checkpoint's")
    leaf, note = base64.b64decode(proof["leaf"]), read_note(proof["note"], "the proof's checkpoint")
    path = [base64.b64decode(step) for step in proof["path"]]
    try:
        root = _root_by(proof["position"] - 1, note.size, _hash(b"\x00" + leaf), path)
    except ValueError:
        root = b""
    is_named = HEAD.unpack(leaf[: HEAD.size])[:3] == (6, 8, proof["position"])
    wrong = [] if is_named and root == note.root else ["the proof does not lead from its event to its checkpoint"]
    return [*wrong, *check_notes([note], keys, origin)]


def read_note(content: str, place: str) -> Note:
    """A signed note; Damaged where it is none."""
    try:
        text, _, lines = content.rpartition("\n\n")
        origin, size, root, at = text.split("\n")
        signatures = [base64.b64decode(line.split(" ")[2], validate=True) for line in lines.splitlines()]
        by_key = {signature[:4]: signature[4:] for signature in signatures}
        return Note(place, origin, int(size), base64.b64decode(root), at, f"{text}\n".encode(), by_key)
    except (ValueError, IndexError) as error:
        raise Damaged(f"{place} is no checkpoint: {error}") from error


def read_keys(text: str) -> Keys:
    """Public keys by id, from `NAME+ID+KEY` or a file of such lines."""
    keys = {}
    for line in (Path(text).read_text() if Path(text).is_file() else text).split():
        name, key_id, content = [*line.split("+", 2), "", ""][:3]
        kind_and_key = base64.b64decode(content)
        if kind_and_key[:1] != b"\x01" or _hash(f"{name}\n".encode() + kind_and_key)[:4].hex() != key_id:
            raise argparse.ArgumentTypeError(f"{line!r} is no file, and no Ed25519 key of the form NAME+ID+KEY")
        keys[bytes.fromhex(key_id)] = Ed25519PublicKey.from_public_bytes(kind_and_key[1:])
    return keys


def read_files(text: str) -> list[tuple[str, str]]:
    """Checkpoints as they are kept in a file or in a folder of files, each with its name."""
    files = sorted(Path(text).glob("*.checkpoint")) if Path(text).is_dir() else [Path(text)]
    if not files or not all(file.is_file() for file in files):
        raise argparse.ArgumentTypeError(f"{text} is no checkpoint's file, nor a folder of files *.checkpoint")
    return [(str(file), file.read_text(errors="replace")) for file in files]


def read_database(connection: psycopg.Connection[Any]) -> Iterator[Line]:
    """What a database has, all of one moment."""
    connection.execute("set transaction isolation level repeatable read read only")
    for kind, query in QUERIES.items():
        with connection.cursor(f"ledger_verify_{kind}", binary=True) as cursor:
            cursor.itersize = PAGE_ROWS
            yield from ([kind, *row] for row in cursor.execute(query.encode()))


def read_archive(folder: Path) -> Iterator[Line]:
    """What an archive of `ledger export parquet` has; its keys, which are not sealed, must be the files it states."""
    content = (folder / MANIFEST).read_bytes()
    for note in sorted(folder.glob("checkpoints/*.checkpoint")):
        yield ["note", note.read_text(errors="replace"), str(note)]
    try:
        manifest = json.loads(content)
        for part in [*manifest["segments"], *filter(None, [manifest["tail"]])]:
            for stated in (part["keys"], part["events"]):
                file = folder / Path(stated["name"]).name
                if _hash(file.read_bytes()).hex() != stated["sha256"]:
                    yield ["wrong", f"{file}: it is not the file that {MANIFEST} states"]
            yield from read_parquet(file)
            yield ["end", str(file), part["last"], part["root"]]
    except OSError as error:
        raise Damaged(f"{error.filename} is missing or cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Damaged(f"{folder / MANIFEST} is no manifest of an archive: {error!r}") from error


def read_parquet(file: Path) -> Iterator[Line]:
    """The events of an archive's file; Damaged where it cannot be read."""
    import pyarrow.compute
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(PAGE_ROWS):
                columns = [batch.column(name).cast(kind) for name, kind in zip(Row._fields, KINDS, strict=True)]
                columns[1] = pyarrow.compute.subtract(columns[1], MICROSECONDS_TO_2000)
                if any(column.null_count for column in columns):
                    raise ValueError("a value is missing")
                for row in zip(*(column.to_pylist() for column in columns), strict=True):
                    yield ["event", *row]
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        raise Damaged(f"{file} cannot be read: {error}") from error


def answer(asked: argparse.Namespace) -> tuple[list[str], str]:
    """What was found to be wrong, and what is said where nothing is."""
    keys = {key_id: key for one in asked.key for key_id, key in one.items()}
    if asked.proof:
        try:
            proof = json.loads(asked.proof.read_text())
            return check_proof(proof, keys, asked.origin), f"event {proof['position']} is in the log"
        except (TypeError, AttributeError, LookupError, ValueError, RecursionError, struct.error) as error:
            raise ValueError(f"it is no proof of inclusion as the API answers it: {error!r}") from error
    kept = [read_note(text, place) for files in asked.checkpoints for place, text in files]
    check = Check(list(kept))
    with psycopg.connect(asked.database) if asked.database else nullcontext() as connection:
        try:
            check.take(read_database(connection) if connection else read_archive(asked.archive))
            check.findings += check_stored(kept, check.notes) if connection else []
        except Damaged as error:
            check.findings.append(str(error))
    beyond = check.tree.size - check.covered
    told = f"; the last {beyond:,} are in no checkpoint yet" if beyond else ""
    findings = [*check_notes(check.notes, keys, asked.origin), *check.findings]
    return findings, f"{check.tree.size:,} events are as they were sealed{told}"


def main() -> None:
    """Verifies and exits."""
    asked = _arguments()
    code = TAMPERED
    try:
        findings, told = answer(asked)
    except Damaged as error:
        findings, told = [str(error)], ""
    except ModuleNotFoundError as error:
        findings, told, code = [], f"an archive is read with pyarrow; install it: {error}", USAGE
    except psycopg.OperationalError as error:
        findings, told, code = [], f"the database cannot be reached: {error}", UNREACHABLE
    except FileNotFoundError as error:
        findings, told, code = [], f"there is no file {error.filename}", USAGE
    except (psycopg.Error, OSError, ValueError, KeyError) as error:
        findings, told, code = [], f"this cannot be read as a ledger: {error}", USAGE
    else:
        code = TAMPERED if findings else GOOD
    print("\n".join([f"TAMPERED: {one}" for one in findings] or [told]))
    sys.exit(code)


def _arguments() -> argparse.Namespace:
    codes = "Ends with 0: all is good, 1: tampered with, 2: not understood, 3: the database cannot be reached."
    parser = argparse.ArgumentParser(prog="ledger-verify", description=f"Check a ledger's log. {codes}")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--database", metavar="URL", help="check this database")
    what.add_argument("--archive", metavar="DIR", type=Path, help="check what `ledger export parquet` has written")
    what.add_argument("--proof", metavar="FILE", type=Path, help="check a proof of inclusion as the API answers it")
    parser.add_argument("--key", action="append", required=True, type=read_keys, help="NAME+ID+KEY, or a file of them")
    kept = "checkpoints kept elsewhere: a file, or a folder of files *.checkpoint"
    parser.add_argument("--checkpoints", action="append", default=[], metavar="PATH", type=read_files, help=kept)
    parser.add_argument("--origin", help="the log that checkpoints must name")
    return parser.parse_args()


def _show(events: int, began: float) -> None:
    """Counts events on a terminal."""
    if events % PAGE_ROWS == 0 and sys.stderr.isatty():
        rate = events / (time.monotonic() - began)
        print(f"\r{events:,} events, {rate:,.0f}/s ", end="", file=sys.stderr, flush=True)


def _is_signed(note: Note, key_id: bytes, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(note.signatures.get(key_id, b""), note.text)
    except InvalidSignature:
        return False
    return True


def _root_by(place: int, size: int, node: bytes, path: list[bytes]) -> bytes:
    """The root that a path leads to from the leaf at a place, counted from 0; ValueError where it cannot."""
    if not 0 <= place < size or (size == 1) != (not path):
        raise ValueError("the path is too short or too long")
    if size == 1:
        return node
    *below, last = path
    middle = 1 << (size - 1).bit_length() - 1
    if place < middle:
        return _node(_root_by(place, middle, node, below), last)
    return _node(last, _root_by(place - middle, size - middle, node, below))


def _leaf(row: Row) -> bytes:
    stream, topic = row.stream.encode(), row.topic.encode()
    head = HEAD.pack(6, 8, row.position, 8, row.recorded_at, 8, row.version, len(stream))
    return b"".join((head, stream, LENGTH.pack(len(topic)), topic, LENGTH.pack(len(row.state)), row.state))


def _node(left: bytes, right: bytes) -> bytes:
    return _hash(b"\x01" + left + right)


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


if __name__ == "__main__":
    main()
