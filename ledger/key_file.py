"""Files that hold secret keys: made once, whole and on the disk before they are used, and read by their owner alone."""

import fcntl
import glob
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 3.0
"""How long is waited for another process that changes key files in the same folder."""


def is_open_to_others(file: Path) -> bool:
    """Whether anybody but the owner may read or write a file."""
    return bool(stat.S_IMODE(file.stat().st_mode) & 0o077)


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """While no other process changes a key file of the same folder; what killed ones left half is removed.

    The folder is made if need be. Refuses with BlockingIOError where another does not end in PATIENCE_SECONDS.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file.parent, os.O_RDONLY)
    try:
        _lock(descriptor)
        _remove_unfinished(file)
        try:
            yield
        finally:
            _remove_unfinished(file)
    finally:
        os.close(descriptor)


def made_once(file: Path, make: Callable[[], bytes]) -> bytes:
    """What a key file holds, which is made if nothing is there yet; where another process was quicker, its content."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written beside its place and linked there when it is whole, so that nobody reads half a key.
    unfinished = _written_beside(file, make())
    try:
        os.link(unfinished, file)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    _keep_entry(file.parent)
    return file.read_bytes()


def replace_whole(file: Path, content: bytes) -> None:
    """Puts other content in a file's place: who reads it gets all of the one or all of the other."""
    unfinished = _written_beside(file, content)
    try:
        os.replace(unfinished, file)
    except OSError:
        unfinished.unlink()
        raise
    _keep_entry(file.parent)


def _written_beside(file: Path, content: bytes) -> Path:
    # Under a name that nobody else takes: processes of two containers may have the same number.
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    with os.fdopen(descriptor, "wb") as output:
        output.write(content)
        output.flush()
        os.fsync(output.fileno())
    return Path(name)


def _lock(descriptor: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _remove_unfinished(file: Path) -> None:
    """Removes what was written beside a file; other files' names may begin as its name does, and then go on."""
    prefix = f".{file.name}."
    for one in file.parent.glob(f"{glob.escape(prefix)}*"):
        if "." not in one.name.removeprefix(prefix):
            one.unlink(missing_ok=True)


def _keep_entry(folder: Path) -> None:
    """A file's name is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
