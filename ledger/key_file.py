"""Files that hold secret keys: made once, whole and on the disk before they are used, and read by their owner alone."""

import os
import stat
from collections.abc import Callable
from pathlib import Path


def is_open_to_others(file: Path) -> bool:
    """Whether anybody but the owner may read or write a file."""
    return bool(stat.S_IMODE(file.stat().st_mode) & 0o077)


def made_once(file: Path, make: Callable[[], bytes]) -> bytes:
    """A new key file's content; where another process was quicker, that one's."""
    content = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written beside its place and linked there when it is whole, so that nobody reads half a key.
    unfinished = _written_beside(file, content)
    try:
        os.link(unfinished, file)
    except FileExistsError:
        return file.read_bytes()
    finally:
        unfinished.unlink()
    _keep_entry(file.parent)
    return content


def replace_whole(file: Path, content: bytes) -> None:
    """Puts other content in a file's place: who reads it gets all of the one or all of the other."""
    os.replace(_written_beside(file, content), file)
    _keep_entry(file.parent)


def _written_beside(file: Path, content: bytes) -> Path:
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        output.write(content)
        output.flush()
        os.fsync(output.fileno())
    return unfinished


def _keep_entry(folder: Path) -> None:
    """A file's name is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
