"""What is stored in a database and in an archive, as tests compare it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.export.checkpoints import CHECKPOINTS
from api.export.manifest import MANIFEST, ArchivedFile, Segment, required_manifest, sha256_of, write_manifest
from api.export.parquet import EVENTS, read_events, read_keys, write_parquet
from api.export.roots import Roots
from ledger.merkle import Growing
from ledger.postgres import connect
from ledger.stored import StoredEvent, stored_events, stored_keys
from tests.ledger.sealed import SIZES, seal_log_of
from tests.projections.logs import random_log, record, record_keys

END = len(random_log())
SEGMENT = 150
WHOLE = END - END % SEGMENT
"""Where the last whole segment ends."""
SIGNED = SIZES[-1]
"""How many events the last checkpoint has."""
Stored = tuple[list[Any], list[Any], list[Any], list[Any]]


def sealed_log(url: str) -> None:
    """Puts the random log into a database, with its keys, and checkpoints of all but its end."""
    seal_log_of(url)
    record(url, random_log()[SIGNED:])
    record_keys(url)


def stored(url: str) -> Stored:
    """Every row of the log, every key, and every checkpoint with who signed it."""
    with connect(url) as connection:
        return (
            list(stored_events(connection, 0, 2**62)),
            list(stored_keys(connection, 0, 2**62)),
            connection.execute("select * from checkpoints order by size").fetchall(),
            connection.execute("select key_id, public_key from checkpoint_keys order by key_id").fetchall(),
        )


NOTHING: Stored = ([], [], [], [])


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def note(archive: Path, size: int) -> Path:
    """The file of a checkpoint."""
    return archive / CHECKPOINTS / f"{size:016}.checkpoint"


def forge(archive: Path, change: Callable[[list[StoredEvent]], list[StoredEvent]]) -> None:
    """Puts other events into an archive, with files, roots and a manifest that are right then; segments may be lost."""
    manifest, roots, parts = required_manifest(archive), Roots(Growing()), []
    events = change([event for part in manifest.parts for event in read_events(archive / part.events.name)])
    for part in manifest.parts:
        path = archive / part.events.name
        rows = write_parquet(
            path, EVENTS, roots.of_events(one for one in events if part.first <= one.position <= part.last)
        )
        list(roots.of_keys(read_keys(archive / part.keys.name)))
        file = ArchivedFile(name=path.name, rows=rows, sha256=sha256_of(path))
        parts += [Segment.of(part.first, (file, part.keys), roots)] if rows else []
    write_manifest(archive, manifest.model_copy(update={"segments": parts[:-1], "tail": parts[-1]}))


def rewritten(archive: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((archive / MANIFEST).read_text())
    change(manifest)
    (archive / MANIFEST).write_text(json.dumps(manifest))
