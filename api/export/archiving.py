"""The log written into an archive: sealed segments that are never touched again, and the open tail if asked."""

import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from api.export.checkpoints import (
    CHECKPOINTS,
    Kept,
    of_database,
    public_keys_of,
    require_reached,
    require_signed,
)
from api.export.manifest import (
    SEGMENT_EVENTS,
    ArchivedFile,
    Manifest,
    Segment,
    end_of,
    keep_names,
    keys_root_of,
    read_manifest,
    require_files,
    sha256_of,
    tree_of,
    write_manifest,
)
from api.export.parquet import EVENTS, KEYS, write_parquet
from api.export.refusing import ArchiveRefused
from api.export.roots import Roots
from ledger.log import Connection, log_end
from ledger.postgres import read_migrations
from ledger.sealer import write_checkpoints
from ledger.signing import base64_of
from ledger.stored import StoredKey, stored_events, stored_keys

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, and of how much."""


class Archived(NamedTuple):
    """What an export left: the manifest, how many segments it sealed, the log's end, how far checkpoints reach."""

    manifest: Manifest
    sealed: int
    log_end: int
    vouched: int


def export_log(
    connection: Connection, folder: Path, *, segment_events: int | None, with_tail: bool, progress: Progress
) -> Archived:
    """Adds to an archive what the log has beyond it; `connection` is in a transaction of one snapshot.

    What is there is verified first and never written again: every file against its hash, the last sealed segment
    against the log itself. Refuses with ArchiveRefused where a file differs, the archive is of another log, or the log
    is not what its checkpoints state.
    """
    with _alone_in(folder):
        manifest = _checked(folder, segment_events, progress)
        end, done = log_end(connection).position, len(manifest.segments)
        roots = _gone_on_from(connection, folder, manifest, end)
        manifest = _sealed(connection, folder, manifest, roots, end, progress)
        if with_tail and end > manifest.end:
            manifest = _with_tail(connection, folder, manifest, roots, end, progress)
        manifest = manifest.model_copy(update={"public_keys": _public_keys(connection, manifest)})
        write_manifest(folder, manifest)
        # After the manifest: to who reads an archive, a checkpoint beyond its end says that it was cut.
        vouched = _carry_checkpoints(connection, folder, manifest.end)
    return Archived(manifest, len(manifest.segments) - done, end, vouched)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """The folder, made if need be, while no other export writes into it; what a killed one left half is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for unfinished in (*folder.glob("*.part"), *(folder / CHECKPOINTS).glob(".*")):
            unfinished.unlink()
        yield
    except BlockingIOError:
        raise ArchiveRefused(f"another export writes into {folder}; let it end, then run this one again") from None
    finally:
        os.close(descriptor)


def _checked(folder: Path, segment_events: int | None, progress: Progress) -> Manifest:
    """The manifest of what is there, or a new one, brought to this ledger's schema."""
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
    newest = read_migrations()[-1]
    return found.model_copy(update={"schema_number": newest.number, "schema_checksum": newest.checksum})


def _gone_on_from(connection: Connection, folder: Path, manifest: Manifest, end: int) -> Roots:
    """The roots that the archive's next segment goes on from, once the log has what was archived last, to the byte.

    So the archive is of this log, and this log is whole; it is also held against its checkpoints from there on.
    """
    earlier, segments = manifest.segments[:-1], manifest.segments
    roots = Roots(tree_of(earlier), keys_root_of(earlier), _vouched(connection, end_of(earlier), end))
    for last in segments[-1:]:
        _require_same(connection, folder, last, roots)
    if manifest.tail is not None:
        _require_same(connection, folder, manifest.tail, Roots(tree_of(segments), keys_root_of(segments)))
    return roots


def _require_same(connection: Connection, folder: Path, archived: Segment, roots: Roots) -> None:
    """Refuses where the log's events and keys are not those of a segment, which follows on these roots."""
    _exhaust(roots.of_events(stored_events(connection, archived.first - 1, archived.last)))
    _exhaust(roots.of_keys(stored_keys(connection, archived.first - 1, archived.last)))
    is_same = roots.tree.peaks == archived.tree.peaks
    if not is_same or base64_of(roots.keys) != archived.keys_root:
        raise ArchiveRefused(
            f"the {'idempotency keys' if is_same else 'events'} {archived.first} to {archived.last} of the log are "
            f"not those in {folder}: it is the archive of another log, or this log was changed; export into another "
            "folder and compare"
        )


def _vouched(connection: Connection, after: int, end: int) -> list[Kept]:
    """The log's checkpoints beyond a size, all of them signed and none beyond its end."""
    kept = of_database(connection, after)
    require_reached(kept, end, "the log")
    keys = public_keys_of(_public_keys(connection), "the database's public keys")
    require_signed(kept, keys, "none of the database's public keys")
    return kept


def _public_keys(connection: Connection, manifest: Manifest | None = None) -> list[str]:
    """The public keys that the database names, and those that the archive names already."""
    named = [] if manifest is None else manifest.public_keys
    return sorted({*named, *(key for (key,) in connection.execute("select public_key from checkpoint_keys"))})


def _carry_checkpoints(connection: Connection, folder: Path, end: int) -> int:
    """Puts the checkpoints up to a size beside the segments; returns the size of the last, 0 if there is none."""
    write_checkpoints(connection, folder / CHECKPOINTS, until=end)
    row = connection.execute("select coalesce(max(size), 0) from checkpoints where size <= %s", [end]).fetchone()
    return row[0] if row else 0


def _sealed(
    connection: Connection, folder: Path, manifest: Manifest, roots: Roots, end: int, progress: Progress
) -> Manifest:
    """The manifest with every whole segment that the log has beyond it; written after each, so a killed one goes on."""
    size, start = manifest.segment_events, end_of(manifest.segments)
    until = end - end % size
    if start == until:
        return manifest
    events, keys = stored_events(connection, start, until), _Ahead(stored_keys(connection, start, until))
    for first in range(start + 1, until + 1, size):
        last, before = first + size - 1, manifest
        segment = _written(folder, first, last, roots, _until(events, last), keys.until(last))
        manifest = manifest.model_copy(update={"segments": [*manifest.segments, segment], "tail": None})
        write_manifest(folder, manifest)
        _drop_tail(folder, before)
        progress("events", last - start, until - start)
    return manifest


def _with_tail(
    connection: Connection, folder: Path, manifest: Manifest, roots: Roots, end: int, progress: Progress
) -> Manifest:
    """The manifest with a tail up to the log's end, in place of the one before."""
    start = end_of(manifest.segments)
    rows = stored_events(connection, start, end), stored_keys(connection, start, end)
    before = manifest
    segment = _written(folder, start + 1, end, roots, *rows)
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


def _written(folder: Path, first: int, last: int, roots: Roots, events: Iterable[Any], keys: Iterable[Any]) -> Segment:
    range_ = f"{first:012}-{last:012}"
    files = (
        _file(folder / f"events-{range_}.parquet", EVENTS, roots.of_events(events)),
        _file(folder / f"keys-{range_}.parquet", KEYS, roots.of_keys(keys)),
    )
    if files[0].rows != last - first + 1:
        raise ArchiveRefused(f"the log has {files[0].rows} events from {first} to {last}: positions are missing")
    keep_names(folder)
    return Segment.of(first, files, roots)


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


def _exhaust(rows: Iterable[Any]) -> None:
    """Has all rows pass by, none of which is kept."""
    deque(rows, maxlen=0)


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
