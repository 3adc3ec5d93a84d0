"""What is stored in a database and in an archive, as tests compare it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.export.manifest import MANIFEST
from ledger.postgres import connect
from ledger.stored import stored_events, stored_keys
from tests.projections.logs import random_log

END = len(random_log())

SEGMENT = 150

WHOLE = END - END % SEGMENT

"""Where the last whole segment ends."""
Stored = tuple[list[Any], list[Any]]


def stored(url: str) -> Stored:
    """Every row of the log and every key."""
    with connect(url) as connection:
        return list(stored_events(connection, 0, 2**62)), list(stored_keys(connection, 0, 2**62))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rewritten(archive: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((archive / MANIFEST).read_text())
    change(manifest)
    (archive / MANIFEST).write_text(json.dumps(manifest))
