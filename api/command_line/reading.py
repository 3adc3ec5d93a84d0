"""Commands from NDJSON: each line read strictly, and given a key of its own where it brings none."""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from api.bodies import parse_json
from ledger.commands import COMMANDS, Command, parse_command
from ledger.errors import Malformed, Refusal

STANDARD_INPUT = "-"
LONGEST_LINE_BYTES = 1_000_000
DIGEST_CHARACTERS = 32
BYTE_ORDER_MARK = "\ufeff".encode()


class Line(NamedTuple):
    """One line: its number from 1, its text, how many bytes lie up to its end, and its command or why it has none."""

    number: int
    text: str
    end: int
    command: Command | None
    refusal: Refusal | None


@dataclass
class Source:
    """An open file of commands. Its digest belongs to the whole content: keys that are derived from it are the same
    whenever the same file is imported again, and no other file's."""

    name: str
    file: BinaryIO

    @cached_property
    def digest(self) -> str:
        place = self.file.tell()
        self.file.seek(0)
        digest = hashlib.sha256()
        while content := self.file.read(LONGEST_LINE_BYTES):
            digest.update(content)
        self.file.seek(place)
        return digest.hexdigest()[:DIGEST_CHARACTERS]

    @cached_property
    def size_bytes(self) -> int:
        place = self.file.tell()
        size = self.file.seek(0, 2)
        self.file.seek(place)
        return size

    def lines(self) -> Iterator[Line]:
        """Every line that is not blank, in order."""
        number = 0
        while content := self.file.readline(LONGEST_LINE_BYTES + 1):
            number += 1
            if len(content) > LONGEST_LINE_BYTES:
                content += self._rest_of_line()
            if content.strip():
                yield self._line(number, content)

    def _rest_of_line(self) -> bytes:
        """Skips what is left of an overlong line; its beginning is enough to refuse it."""
        while (content := self.file.readline(LONGEST_LINE_BYTES)) and not content.endswith(b"\n"):
            pass
        return b""

    def _line(self, number: int, content: bytes) -> Line:
        text = content.decode(errors="replace").strip()
        try:
            command = parse_command(self._with_key(number, _object(content)))
        except Refusal as refusal:
            return Line(number, text, self.file.tell(), None, refusal)
        return Line(number, text, self.file.tell(), command, None)

    def _with_key(self, number: int, content: dict[str, Any]) -> dict[str, Any]:
        """The content with a key from this file and line, unless it states one or names a thing of its own.

        Also where a key may be left out: a line that is imported twice must be recorded once.
        """
        name = content.get("type")
        kind = COMMANDS.get(name) if isinstance(name, str) else None
        if content.get("idempotency_key") is not None or kind is None:
            return content
        if kind.OWN_ID is not None and content.get(kind.OWN_ID) is not None:
            return content
        return {**content, "idempotency_key": f"import:{self.digest}:{number}"}


@contextmanager
def open_source(name: str) -> Iterator[Source]:
    """The file of that name, or standard input, which is copied aside first: it can be read only once."""
    if name != STANDARD_INPUT:
        with Path(name).open("rb") as file:
            yield Source(name, file)
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
        yield Source("standard input", cast(BinaryIO, copy))


def _object(content: bytes) -> dict[str, Any]:
    if len(content) > LONGEST_LINE_BYTES:
        raise Malformed(f"the line is longer than {LONGEST_LINE_BYTES:,} bytes")
    try:
        found = parse_json(content.removeprefix(BYTE_ORDER_MARK))
    except Malformed as refusal:
        raise Malformed(refusal.detail.replace("the body", "the line", 1)) from None
    if not isinstance(found, dict):
        raise Malformed("the line is JSON, but no object: a command is an object with a type")
    return found
