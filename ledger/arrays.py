"""Arrays as PostgreSQL takes them in its binary form, written whole: element by element costs more than a decision."""

from collections.abc import Sequence
from struct import pack
from typing import Any, ClassVar, cast

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_NULL = pack(">i", -1)
# The length that stands before an element, for the lengths that are usual.
_LENGTHS = [pack(">i", length) for length in range(2048)]


class Array(bytes):
    """An array of one dimension, in binary; its class says of what."""

    oid: ClassVar[int]
    element_oid: ClassVar[int]

    @classmethod
    def _of(cls, elements: Sequence[bytes | None]) -> "Array":
        """Each element after its length."""
        parts: list[bytes] = [b""] * (2 * len(elements))
        parts[0::2] = [_NULL if one is None else _length(len(one)) for one in elements]
        parts[1::2] = [one or b"" for one in elements]
        return cls(_head(cls.element_oid, len(elements)) + b"".join(parts))


class Texts(Array):
    """An array of text."""

    oid, element_oid = 1009, 25

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Array:
        return cls._of([None if text is None else text.encode() for text in texts])


class Blobs(Array):
    """An array of bytea."""

    oid, element_oid = 1001, 17

    @classmethod
    def of(cls, blobs: Sequence[bytes]) -> Array:
        return cls._of(blobs)


class Integers(Array):
    """An array of bigint."""

    oid, element_oid = 1016, 20

    @classmethod
    def of(cls, numbers: Sequence[int]) -> Array:
        interleaved = [8] * (2 * len(numbers))
        interleaved[1::2] = numbers
        return cls(_head(cls.element_oid, len(numbers)) + pack(">" + "iq" * len(numbers), *interleaved))


def _head(element_oid: int, length: int) -> bytes:
    """One dimension that counts from 1, with nulls allowed; none at all where there is no element."""
    return pack(">iiiii", 1, 1, element_oid, length, 1) if length else pack(">iii", 0, 0, element_oid)


def _length(length: int) -> bytes:
    return _LENGTHS[length] if length < len(_LENGTHS) else pack(">i", length)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> Buffer:
        return cast(Buffer, obj)


def _dumper_of(kind: type[Array]) -> type[Dumper]:
    return type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": kind.oid})


for _kind in (Texts, Blobs, Integers):
    psycopg.adapters.register_dumper(_kind, _dumper_of(_kind))
