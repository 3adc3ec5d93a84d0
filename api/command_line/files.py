"""Files that commands write: whole or not there, or standard output."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from api.command_line.screen import Exit, stop


@contextmanager
def opened_file(path: Path | None) -> Iterator[BinaryIO]:
    """The file to write, which gets its name once it is whole; a device or a pipe as it is; or standard output."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    is_special = path.exists() and not path.is_file() and not path.is_dir()
    # Of two that write the same file at once, each writes its own, and the last one's stays.
    unfinished = path if is_special else path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        file = unfinished.open("wb")
    except (OSError, ValueError) as error:
        stop(f"--out {path} cannot be written: {getattr(error, 'strerror', None) or error}", Exit.USAGE)
    try:
        with file:
            yield file
        if not is_special:
            os.replace(unfinished, path)
    finally:
        if not is_special:
            unfinished.unlink(missing_ok=True)
