"""An archive put back into an empty database: the same log and keys, or nothing at all."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import psycopg

from api.export.chain import Chain, root_of
from api.export.manifest import (
    MANIFEST,
    ArchivedFile,
    ArchiveRefused,
    Manifest,
    require_files,
    require_schema,
    required_manifest,
)
from api.export.parquet import read_events, read_keys
from ledger.log import Connection
from ledger.storage import CHANNEL, lock_log, read_committed
from ledger.stored import StoredEvent, StoredKey, holds_nothing, put_events, put_keys, stored_events, stored_keys

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, and of how much."""
REPORTED_EVENTS = 1_000
R = TypeVar("R", StoredEvent, StoredKey)


def verified_archive(folder: Path, root: str | None, progress: Progress) -> Manifest:
    """The manifest of an archive that this ledger can take, every file of it verified.

    With `root`, the archive's root must be that one: a manifest that was forged with all its files gives another.
    Refuses with ArchiveRefused.
    """
    manifest = required_manifest(folder)
    require_schema(manifest)
    found = manifest.root
    if root is not None and root.lower() != found:
        raise ArchiveRefused(f"{folder} has the root {found} at event {manifest.end}, {root} was asked for")
    parts = manifest.parts
    require_files(folder, parts, lambda done: progress("files", done, len(parts)))
    return manifest


def restore(connection: Connection, folder: Path, manifest: Manifest, progress: Progress) -> None:
    """Puts a verified archive into a database that holds nothing, in one transaction: all of it, or nothing.

    The roots of the rows read and of the rows that then are in the database must be the manifest's. Refuses with
    ArchiveRefused; who is killed leaves the database as it was.
    """
    read_committed(connection)
    with connection.transaction():
        lock_log(connection)
        require_empty(connection)
        try:
            _put(connection, folder, manifest, progress)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise ArchiveRefused(f"the database does not take a row of {folder}: {str(error).strip()}") from None
        _require_roots(connection, manifest, progress)
        connection.execute("select pg_notify(%s, %s)", [CHANNEL, str(manifest.end)])


def require_empty(connection: Connection) -> None:
    """Refuses a database in which something is recorded."""
    if not holds_nothing(connection):
        raise ArchiveRefused(
            "the database has events, keys or projections that have seen some; a log is restored into an empty "
            "database only: name another with LEDGER_DATABASE_URL or LEDGER_HOME"
        )


def _put(connection: Connection, folder: Path, manifest: Manifest, progress: Progress) -> None:
    chain = Chain()
    for segment in manifest.parts:
        events = _in_order(_read(folder, segment.events, read_events), segment.first)
        put_events(connection, chain.of_events(_counted(events, manifest.end, "events restored", progress)))
        put_keys(connection, chain.of_keys(_read(folder, segment.keys, read_keys)))
        for file, found, said in (
            (segment.events, chain.events.hex(), segment.root),
            (segment.keys, chain.keys.hex(), segment.keys_root),
        ):
            if found != said:
                raise ArchiveRefused(f"{folder / file.name} gives the root {found}, {MANIFEST} says {said}")


def _require_roots(connection: Connection, manifest: Manifest, progress: Progress) -> None:
    """That the database now has the rows of the archive: read back, they give its roots."""
    end = manifest.end
    events = _counted(stored_events(connection, 0, end), end, "events read back", progress)
    found = root_of(events), root_of(stored_keys(connection, 0, end))
    for what, one, said in zip(("events", "idempotency keys"), found, manifest.roots, strict=True):
        if one != said:
            raise ArchiveRefused(f"the {what} in the database give the root {one.hex()}, the archive {said.hex()}")


def _read(folder: Path, file: ArchivedFile, rows: Callable[[Path], Iterator[R]]) -> Iterator[R]:
    try:
        yield from rows(folder / file.name)
    except (ValueError, OSError) as error:
        raise ArchiveRefused(f"{folder / file.name} cannot be read: {error}") from None


def _counted(events: Iterable[StoredEvent], end: int, work: str, progress: Progress) -> Iterator[StoredEvent]:
    """The same events, told as they pass."""
    for event in events:
        yield event
        if event.position % REPORTED_EVENTS == 0 or event.position == end:
            progress(work, event.position, end)


def _in_order(events: Iterable[StoredEvent], first: int) -> Iterator[StoredEvent]:
    """The same events, of which each must stand right after the one before."""
    for position, event in enumerate(events, start=first):
        if event.position != position:
            raise ArchiveRefused(f"the archive has event {event.position} where {position} is due")
        yield event
