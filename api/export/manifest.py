"""What an archive says of itself: its files with their hashes, and the roots of the log at the end of each segment."""

import os
from base64 import b64decode
from collections.abc import Callable, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from api.export.refusing import ArchiveRefused
from api.export.roots import NO_KEYS, Roots
from ledger.merkle import Growing
from ledger.misfits import misfits
from ledger.postgres import read_migrations
from ledger.signing import base64_of

FORMAT = 2
"""How an archive is laid out; whoever changes that counts it up."""
MANIFEST = "manifest.json"
SEGMENT_EVENTS = 100_000
"""How many events a sealed segment has, unless the first export into a folder says otherwise."""
Hash = Annotated[str, Field(pattern="^[A-Za-z0-9+/]{43}=$")]
"""32 bytes in base64."""


class ArchivedFile(BaseModel):
    """One file: its name in the archive's folder, how many rows it has, and its SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    rows: int
    sha256: str


class Segment(BaseModel):
    """The events from a position to another with the keys that end there, and the roots of all rows up to them.

    `root` is that of the log's tree at this size, as checkpoints state it; it follows from `peaks`, from which the tree
    also goes on. All are in base64.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    first: int
    last: int
    events: ArchivedFile
    keys: ArchivedFile
    root: Hash
    peaks: list[Hash]
    keys_root: Hash

    @classmethod
    def of(cls, first: int, files: Sequence[ArchivedFile], roots: Roots) -> Self:
        """The segment that ends where the tree does."""
        return cls(
            first=first,
            last=roots.tree.size,
            events=files[0],
            keys=files[1],
            root=base64_of(roots.tree.root()),
            peaks=[base64_of(peak) for peak in roots.tree.peaks],
            keys_root=base64_of(roots.keys),
        )

    @property
    def tree(self) -> Growing:
        """The tree of all events up to here; ValueError where the peaks are none of such a tree, or of another root."""
        tree = Growing(self.last, [b64decode(peak) for peak in self.peaks])
        if base64_of(tree.root()) != self.root:
            raise ValueError(f"its peaks give the root {base64_of(tree.root())}, it states {self.root}")
        return tree

    @property
    def files(self) -> tuple[ArchivedFile, ArchivedFile]:
        return self.events, self.keys


class _Stated(BaseModel):
    """What a manifest of any format states."""

    format: int


class Manifest(BaseModel):
    """The segments of an archive in order, each beginning where the one before it ends.

    `schema_checksum` is that of the last migration of the database that it was taken from. The tail is what was not yet
    a whole segment when it was taken; the next export puts others in its place. Public keys are of those who signed
    the checkpoints beside it; who trusts nobody has them from elsewhere.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: int
    schema_number: int
    schema_checksum: str
    segment_events: PositiveInt
    segments: list[Segment] = []
    tail: Segment | None = None
    public_keys: list[str] = []

    @classmethod
    def begun(cls, segment_events: int) -> Self:
        """The manifest of an archive that has nothing yet."""
        newest = read_migrations()[-1]
        return cls(
            format=FORMAT,
            schema_number=newest.number,
            schema_checksum=newest.checksum,
            segment_events=segment_events,
        )

    @property
    def parts(self) -> list[Segment]:
        """All segments, the tail last."""
        return [*self.segments, *([] if self.tail is None else [self.tail])]

    @property
    def end(self) -> int:
        """The last position that is in the archive, 0 while it is empty."""
        return end_of(self.parts)

    @property
    def root(self) -> str:
        """The root of all events in the archive, in base64: by it an archive is known for what it is."""
        return base64_of(tree_of(self.parts).root())


def end_of(segments: list[Segment]) -> int:
    """Where these segments end, 0 if there is none."""
    return segments[-1].last if segments else 0


def tree_of(segments: list[Segment]) -> Growing:
    """The tree of all events in these segments."""
    return segments[-1].tree if segments else Growing()


def keys_root_of(segments: list[Segment]) -> bytes:
    """The root of all keys in these segments."""
    return b64decode(segments[-1].keys_root) if segments else NO_KEYS


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an archive, None where there is none; refuses one that cannot be read or leaves something out."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    content = path.read_bytes()
    try:
        stated = _Stated.model_validate_json(content).format
        if stated != FORMAT:
            raise ArchiveRefused(f"{path} has format {stated}, this ledger reads and writes format {FORMAT}")
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ArchiveRefused(f"{path} is no manifest of an archive: {misfits(error.errors()[:1])}") from None
    _require_whole(path, manifest)
    return manifest


def _require_whole(path: Path, manifest: Manifest) -> None:
    """That segments follow each other, and that their files are this folder's own."""
    end = 0
    for segment in manifest.parts:
        if segment.first != end + 1 or segment.events.rows != segment.last - end:
            raise ArchiveRefused(f"{path} has a segment of events {segment.first} to {segment.last} after event {end}")
        for file in segment.files:
            if Path(file.name).name != file.name:
                raise ArchiveRefused(f"{path} names {file.name!r}, which is no file of its own folder")
        try:
            end = segment.tree.size
        except ValueError as error:
            raise ArchiveRefused(f"{path} was changed in the segment that ends at {segment.last}: {error}") from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Puts the manifest in the place of the one before it, whole or not at all."""
    unfinished = folder / f"{MANIFEST}.part"
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, folder / MANIFEST)
    keep_names(folder)


def keep_names(folder: Path) -> None:
    """Waits until the names of the folder's files are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_files(folder: Path, segments: list[Segment], progress: Callable[[int], None]) -> None:
    """Refuses the first file that is missing or is not byte for byte what the manifest says; tells segments done."""
    for number, segment in enumerate(segments, start=1):
        for file in segment.files:
            require_file(folder, file)
        progress(number)


def require_file(folder: Path, file: ArchivedFile) -> None:
    """Refuses a file that is missing or is not what the manifest says."""
    path = folder / file.name
    if not path.is_file():
        raise ArchiveRefused(f"{path} is missing, which {MANIFEST} names; put it back from a copy of the archive")
    found = sha256_of(path)
    if found != file.sha256:
        raise ArchiveRefused(
            f"{path} was changed: its SHA-256 is {found}, {MANIFEST} says {file.sha256}; put it back from a copy"
        )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def required_manifest(folder: Path) -> Manifest:
    """The manifest of an archive that must be there."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise ArchiveRefused(f"{folder} is no archive: it has no {MANIFEST}; `ledger export parquet` makes one")
    return manifest


def require_schema(manifest: Manifest) -> None:
    """Refuses an archive of another schema than this ledger's."""
    newest = read_migrations()[-1]
    number, checksum = manifest.schema_number, manifest.schema_checksum
    if (number, checksum) == (newest.number, newest.checksum):
        return
    relation = "an older" if number < newest.number else "a newer" if number > newest.number else "another"
    raise ArchiveRefused(
        f"the archive is of {relation} schema {number:04} ({checksum[:12]}), this ledger has {newest.number:04} "
        f"({newest.checksum[:12]}): import it by a ledger of that schema; what is older is then brought up by "
        "`ledger migrate`"
    )
