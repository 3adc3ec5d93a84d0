"""An archive put back into an empty database: the same log and keys, or nothing at all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import psycopg

from api.export.checkpoints import (
    Kept,
    of_archive,
    public_keys_of,
    put_checkpoints,
    require_reached,
    require_signed,
)
from api.export.manifest import (
    MANIFEST,
    ArchivedFile,
    Manifest,
    keys_root_of,
    require_files,
    require_schema,
    required_manifest,
)
from api.export.parquet import read_events, read_keys
from api.export.refusing import ArchiveRefused
from api.export.roots import Roots, root_of_keys
from ledger.log import Connection
from ledger.merkle import Growing
from ledger.sealing import Tree, seal
from ledger.signing import base64_of
from ledger.storage import CHANNEL, lock_log, read_committed
from ledger.stored import (
    StoredEvent,
    StoredKey,
    holds_nothing,
    put_events,
    put_keys,
    put_restoration,
    stored_keys,
)

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, and of how much."""
REPORTED_EVENTS = 1_000
R = TypeVar("R", StoredEvent, StoredKey)


class Archive(NamedTuple):
    """An archive that was verified: its folder, its manifest, and the checkpoints beside its segments."""

    folder: Path
    manifest: Manifest
    checkpoints: Sequence[Kept]


def verified_archive(folder: Path, root: str | None, progress: Progress) -> Archive:
    """An archive that this ledger can take, every file of it verified, every checkpoint signed by whom it names.

    With `root`, in base64, the archive's root must be that one: a manifest that was forged with all its files gives
    another. Refuses with ArchiveRefused.
    """
    manifest = required_manifest(folder)
    require_schema(manifest)
    if root not in (None, manifest.root):
        raise ArchiveRefused(f"{folder} has the root {manifest.root} at event {manifest.end}, {root} was asked for")
    parts = manifest.parts
    require_files(folder, parts, lambda done: progress("files", done, len(parts)))
    checkpoints = of_archive(folder)
    require_reached(checkpoints, manifest.end, "the archive")
    keys = public_keys_of(manifest.public_keys, f"the public keys of {folder / MANIFEST}")
    require_signed(checkpoints, keys, f"no key that {MANIFEST} names")
    return Archive(folder, manifest, checkpoints)


def restore(connection: Connection, archive: Archive, elsewhere: Sequence[Kept], progress: Progress) -> None:
    """Puts a verified archive into a database that holds nothing, in one transaction: all of it, or nothing.

    The roots of the rows read and of the rows that then are in the database must be the manifest's, and those that all
    checkpoints state, the archive's and those kept elsewhere. Leaves the log sealed, with the archive's checkpoints.
    Refuses with ArchiveRefused; who is killed leaves the database as it was.
    """
    read_committed(connection)
    require_reached(elsewhere, archive.manifest.end, "the archive")
    with connection.transaction():
        lock_log(connection)
        require_empty(connection)
        try:
            _put(connection, archive, elsewhere, progress)
            put_checkpoints(connection, archive.checkpoints, archive.manifest.public_keys)
            put_restoration(connection, archive.manifest.end)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise ArchiveRefused(
                f"the database does not take a row of {archive.folder}: {str(error).strip()}"
            ) from None
        _seal(connection, archive.manifest, progress)
        _require_keys(connection, archive.manifest)
        connection.execute("select pg_notify(%s, %s)", [CHANNEL, str(archive.manifest.end)])


def require_empty(connection: Connection) -> None:
    """Refuses a database in which something is recorded."""
    if not holds_nothing(connection):
        raise ArchiveRefused(
            "the database has events, keys or projections that have seen some; a log is restored into an empty "
            "database only: name another with LEDGER_DATABASE_URL or LEDGER_HOME"
        )


def _put(connection: Connection, archive: Archive, elsewhere: Sequence[Kept], progress: Progress) -> None:
    folder, manifest, checkpoints = archive
    roots = Roots(Growing(), kept=[*checkpoints, *elsewhere])
    for segment in manifest.parts:
        events = _in_order(_read(folder, segment.events, read_events), segment.first)
        put_events(connection, roots.of_events(_counted(events, manifest.end, progress)))
        put_keys(connection, roots.of_keys(_read(folder, segment.keys, read_keys)))
        for file, found, said in (
            (segment.events, roots.tree.root(), segment.root),
            (segment.keys, roots.keys, segment.keys_root),
        ):
            if base64_of(found) != said:
                raise ArchiveRefused(f"{folder / file.name} gives the root {base64_of(found)}, {MANIFEST} says {said}")


def _seal(connection: Connection, manifest: Manifest, progress: Progress) -> None:
    """Seals the events as they now are in the database, which must give the archive's root."""
    sealed = 0
    while more := seal(connection):
        sealed += more
        progress("events sealed", sealed, manifest.end)
    found = base64_of(Tree(connection).root(sealed))
    if (sealed, found) != (manifest.end, manifest.root):
        raise ArchiveRefused(
            f"the {sealed} events in the database give the root {found}, the archive's {manifest.end} {manifest.root}"
        )


def _require_keys(connection: Connection, manifest: Manifest) -> None:
    """That the database now has the keys of the archive: read back, they give their root."""
    found, said = root_of_keys(stored_keys(connection, 0, manifest.end)), keys_root_of(manifest.parts)
    if found != said:
        raise ArchiveRefused(
            f"the keys in the database give the root {base64_of(found)}, the archive's {base64_of(said)}"
        )


def _read(folder: Path, file: ArchivedFile, rows: Callable[[Path], Iterator[R]]) -> Iterator[R]:
    try:
        yield from rows(folder / file.name)
    except (ValueError, OverflowError, OSError) as error:
        raise ArchiveRefused(f"{folder / file.name} cannot be read: {error}") from None


def _counted(events: Iterable[StoredEvent], end: int, progress: Progress) -> Iterator[StoredEvent]:
    """The same events, told as they pass."""
    for event in events:
        yield event
        if event.position % REPORTED_EVENTS == 0 or event.position == end:
            progress("events restored", event.position, end)


def _in_order(events: Iterable[StoredEvent], first: int) -> Iterator[StoredEvent]:
    """The same events, of which each must stand right after the one before."""
    for position, event in enumerate(events, start=first):
        if event.position != position:
            raise ArchiveRefused(f"the archive has event {event.position} where {position} is due")
        yield event
