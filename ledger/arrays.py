"""Parameters in PostgreSQL's binary form; arrays are written whole, as a driver that goes element by element takes as
long as the decisions do."""

from collections.abc import Sequence
from struct import pack
from typing import ClassVar

_NULL = pack(">i", -1)
# The length that stands before an element, for the lengths that are usual.
_LENGTHS = [pack(">i", length) for length in range(2048)]


class Parameter(bytes):
    """A value in binary; its class says of what type."""

    oid: ClassVar[int]


class Integer(Parameter):
    """A bigint."""

    oid = 20

    @classmethod
    def of(cls, number: int) -> "Integer":
        return cls(pack(">q", number))


class Text(Parameter):
    """A text."""

    oid = 25

    @classmethod
    def of(cls, text: str) -> "Text":
        return cls(text.encode())


class Texts(Parameter):
    """An array of text."""

    oid = 1009

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> "Texts":
        return cls(_array(Text.oid, [None if text is None else text.encode() for text in texts]))


class Blobs(Parameter):
    """An array of bytea."""

    oid = 1001

    @classmethod
    def of(cls, blobs: Sequence[bytes]) -> "Blobs":
        return cls(_array(17, blobs))


class Integers(Parameter):
    """An array of bigint."""

    oid = 1016

    @classmethod
    def of(cls, numbers: Sequence[int]) -> "Integers":
        interleaved = [8] * (2 * len(numbers))
        interleaved[1::2] = numbers
        return cls(_head(Integer.oid, len(numbers)) + pack(">" + "iq" * len(numbers), *interleaved))


def _array(element_oid: int, elements: Sequence[bytes | None]) -> bytes:
    """An array of one dimension: each element after its length."""
    parts: list[bytes] = [b""] * (2 * len(elements))
    try:
        parts[0::2] = [_NULL if one is None else _LENGTHS[len(one)] for one in elements]
    except IndexError:
        parts[0::2] = [_NULL if one is None else pack(">i", len(one)) for one in elements]
    parts[1::2] = [one or b"" for one in elements]
    return _head(element_oid, len(elements)) + b"".join(parts)


def _head(element_oid: int, length: int) -> bytes:
    """One dimension that counts from 1, with nulls allowed; none at all where there is no element."""
    return pack(">iiiii", 1, 1, element_oid, length, 1) if length else pack(">iii", 0, 0, element_oid)
