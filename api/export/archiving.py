"""The log written into an archive: sealed segments that are never touched again, and the open tail if asked."""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from api.export.chain import Chain, root_of
from api.export.manifest import (
    SEGMENT_EVENTS,
    ArchivedFile,
    ArchiveRefused,
    Manifest,
    Segment,
    end_of,
    keep_names,
    read_manifest,
    require_files,
    roots_of,
    sha256_of,
    write_manifest,
)
from api.export.parquet import EVENTS, KEYS, write_parquet
from ledger.log import Connection, log_end
from ledger.postgres import read_migrations
from ledger.stored import StoredKey, stored_events, stored_keys

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, and of how much."""


class Archived(NamedTuple):
    """What an export left: the manifest, how many segments it sealed, and where the log ended."""

    manifest: Manifest
    sealed: int
    log_end: int


def export_log(
    connection: Connection, folder: Path, *, segment_events: int | None, with_tail: bool, progress: Progress
) -> Archived:
    """Adds to an archive what the log has beyond it; `connection` is in a transaction of one snapshot.

    What is there is verified first and never written again: every file against its hash, the last sealed segment
    against the log itself. Refuses with ArchiveRefused where a file differs or the archive is of another log.
    """
    with _alone_in(folder):
        manifest = _checked(connection, folder, segment_events, progress)
        end = log_end(connection).position
        sealed = len(manifest.segments)
        manifest = _sealed(connection, folder, manifest, end, progress)
        if with_tail and end > manifest.end:
            manifest = _with_tail(connection, folder, manifest, end, progress)
        write_manifest(folder, manifest)
    return Archived(manifest, len(manifest.segments) - sealed, end)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """The folder, made if need be, while no other export writes into it; what a killed one left half is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for unfinished in folder.glob("*.part"):
            unfinished.unlink()
        yield
    except BlockingIOError:
        raise ArchiveRefused(f"another export writes into {folder}; let it end, then run this one again") from None
    finally:
        os.close(descriptor)


def _checked(connection: Connection, folder: Path, segment_events: int | None, progress: Progress) -> Manifest:
    """The manifest of what is there, or a new one, brought to this database's schema."""
    found = read_manifest(folder)
    if found is None:
        return Manifest.begun(segment_events or SEGMENT_EVENTS)
    if segment_events not in (None, found.segment_events):
        raise ArchiveRefused(
            f"{folder} has segments of {found.segment_events} events, {segment_events} were asked for; leave "
            "--segment out, or take another folder"
        )
    parts = found.parts
    require_files(folder, parts, lambda done: progress("files", done, len(parts)))
    if found.segments:
        _require_same_log(connection, folder, found)
    newest = read_migrations()[-1]
    return found.model_copy(update={"schema_number": newest.number, "schema_checksum": newest.checksum})


def _require_same_log(connection: Connection, folder: Path, manifest: Manifest) -> None:
    """That the log still has what was sealed last, to the byte: the archive is of this log, and this log is whole."""
    *earlier, last = manifest.segments
    root, keys_root = roots_of(earlier)
    found = root_of(stored_events(connection, last.first - 1, last.last), root).hex()
    found_keys = root_of(stored_keys(connection, last.first - 1, last.last), keys_root).hex()
    if (found, found_keys) != (last.root, last.keys_root):
        what = "events" if found != last.root else "idempotency keys"
        raise ArchiveRefused(
            f"the {what} {last.first} to {last.last} of the log are not those in {folder}: it is the archive of "
            "another log, or this log was changed; export into another folder and compare"
        )


def _sealed(connection: Connection, folder: Path, manifest: Manifest, end: int, progress: Progress) -> Manifest:
    """The manifest with every whole segment that the log has beyond it; written after each, so a killed one goes on."""
    size, start = manifest.segment_events, end_of(manifest.segments)
    until = end - end % size
    if start == until:
        return manifest
    events, keys = stored_events(connection, start, until), _Ahead(stored_keys(connection, start, until))
    for first in range(start + 1, until + 1, size):
        last = first + size - 1
        before = manifest
        segment = _written(folder, first, last, roots_of(manifest.segments), _until(events, last), keys.until(last))
        manifest = manifest.model_copy(update={"segments": [*manifest.segments, segment], "tail": None})
        write_manifest(folder, manifest)
        _drop_tail(folder, before)
        progress("events", last - start, until - start)
    return manifest


def _with_tail(connection: Connection, folder: Path, manifest: Manifest, end: int, progress: Progress) -> Manifest:
    """The manifest with a tail up to the log's end, in place of the one before."""
    start = end_of(manifest.segments)
    rows = stored_events(connection, start, end), stored_keys(connection, start, end)
    before = manifest
    segment = _written(folder, start + 1, end, roots_of(manifest.segments), *rows)
    manifest = manifest.model_copy(update={"tail": segment})
    write_manifest(folder, manifest)
    _drop_tail(folder, before)
    progress("tail", end - start, end - start)
    return manifest


def _drop_tail(folder: Path, before: Manifest) -> None:
    """Removes the files of a tail that the manifest no longer names."""
    if before.tail is not None:
        for file in before.tail.files:
            (folder / file.name).unlink(missing_ok=True)


def _written(
    folder: Path, first: int, last: int, roots: tuple[bytes, bytes], events: Iterable[Any], keys: Iterable[Any]
) -> Segment:
    chain = Chain(*roots)
    range_ = f"{first:012}-{last:012}"
    files = (
        _file(folder / f"events-{range_}.parquet", EVENTS, chain.of_events(events)),
        _file(folder / f"keys-{range_}.parquet", KEYS, chain.of_keys(keys)),
    )
    if files[0].rows != last - first + 1:
        raise ArchiveRefused(f"the log has {files[0].rows} events from {first} to {last}: positions are missing")
    keep_names(folder)
    return Segment(
        first=first,
        last=last,
        events=files[0],
        keys=files[1],
        root=chain.events.hex(),
        keys_root=chain.keys.hex(),
    )


def _file(path: Path, schema: Any, rows: Iterable[Any]) -> ArchivedFile:
    """Writes a file that gets its name once it is whole, and never takes that of another."""
    unfinished = path.with_name(f"{path.name}.part")
    count = write_parquet(unfinished, schema, rows)
    digest = sha256_of(unfinished)
    # A run that was killed may have left the file without its entry in the manifest: then it is the same.
    if not path.exists():
        os.rename(unfinished, path)
    elif sha256_of(path) == digest:
        unfinished.unlink()
    else:
        raise ArchiveRefused(f"{path} is there, is not in the manifest, and holds something else; move it away")
    return ArchivedFile(name=path.name, rows=count, sha256=digest)


def _until(events: Iterator[Any], last: int) -> Iterator[Any]:
    """The next events up to a position, none of those after it taken."""
    for event in events:
        yield event
        if event.position >= last:
            return


class _Ahead:
    """Keys in order, of which the first that belongs to a later segment waits for that one."""

    def __init__(self, keys: Iterator[StoredKey]) -> None:
        self._keys = keys
        self._waiting: StoredKey | None = next(keys, None)

    def until(self, last: int) -> Iterator[StoredKey]:
        """The next keys whose last event is at most at this position."""
        while self._waiting is not None and self._waiting.last_position <= last:
            yield self._waiting
            self._waiting = next(self._keys, None)
