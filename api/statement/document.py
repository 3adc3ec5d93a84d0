"""A statement written whole into a file of no name, with the digest of its bytes, before any of it is given out."""

import hashlib
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

from api.statement.as_csv import write_csv
from api.statement.as_json import write_json
from api.statement.page import write_page
from projections.questions.statement import Statement

CHARACTERS_AT_ONCE = 65_536
IN_MEMORY_BYTES = 1_000_000


class Form(NamedTuple):
    """A form of the document: its media type, with its parameters, and what writes it in parts."""

    media_type: str
    parameters: str
    write: Callable[[Statement], Iterator[str]]

    @property
    def content_type(self) -> str:
        return self.media_type + self.parameters


FORMS = {
    "json": Form("application/json", "", write_json),
    "csv": Form("text/csv", "; charset=utf-8; header=present", write_csv),
    "html": Form("text/html", "; charset=utf-8", write_page),
}


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a statement: how many, their SHA-256, and the file that has them."""

    file: IO[bytes]
    size_bytes: int
    digest: bytes

    @property
    def etag(self) -> str:
        """The strong validator of RFC 9110."""
        return f'"{self.digest.hex()}"'

    @property
    def content_digest(self) -> str:
        """The digest as the header Content-Digest has it (RFC 9530)."""
        return f"sha-256=:{b64encode(self.digest).decode()}:"

    def parts(self) -> Iterator[bytes]:
        """The bytes in order, once; the file is closed with them."""
        with self.file as file:
            file.seek(0)
            while part := file.read(CHARACTERS_AT_ONCE):
                yield part


def write_document(statement: Statement, form: Form) -> Document:
    """The document, of which no more than IN_MEMORY_BYTES are held in memory; nobody else can open its file."""
    file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - who reads it closes it.
    try:
        size, digest = write_parts(form.write(statement), file)
    except BaseException:
        file.close()
        raise
    return Document(file, size, digest)


def write_parts(parts: Iterable[str], file: IO[bytes]) -> tuple[int, bytes]:
    """Writes a document in UTF-8; returns how many bytes it has, and their SHA-256."""
    size, digest = 0, hashlib.sha256()
    for text in _gathered(parts):
        content = text.encode(errors="backslashreplace")
        file.write(content)
        digest.update(content)
        size += len(content)
    return size, digest.digest()


def _gathered(parts: Iterable[str]) -> Iterator[str]:
    """The same text in parts that are worth a call."""
    held: list[str] = []
    length = 0
    for part in parts:
        held.append(part)
        length += len(part)
        if length >= CHARACTERS_AT_ONCE:
            yield "".join(held)
            held, length = [], 0
    yield "".join(held)
