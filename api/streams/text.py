"""Server-sent events as text, in the form of the WHATWG HTML standard."""

from collections.abc import Iterator
from typing import Any

from api.answers import as_json

MEDIA_TYPE = "text/event-stream"
CHUNK_BYTES = 65_536
"""About how much is written at once: what a reader that takes nothing holds of this process's memory."""
RETRY_MILLISECONDS = 1000
HEARTBEAT = b":\n\n"


def event(name: str, content: bytes, position: int | None = None) -> bytes:
    """One event; its JSON has no line break in it. Without a position the reader's last event id stays as it is."""
    identity = b"" if position is None else b"id: %d\n" % position
    return b"%bevent: %b\ndata: %b\n\n" % (identity, name.encode(), content)


def place(position: int, **more: Any) -> bytes:
    """An event that only says how far its reader has come.

    By the standard an id without data would do in browsers, but clients take it up for sure only with an event.
    """
    return event("position", as_json({"position": position, **more}), position)


def comment(text: str) -> bytes:
    """A line that readers pass over."""
    return f": {' '.join(text.split())}\n\n".encode(errors="backslashreplace")


def opening(text: str) -> bytes:
    """What a stream begins with: what it tells, and how soon to come back after a cut."""
    return comment(text) + b"retry: %d\n\n" % RETRY_MILLISECONDS


def pieces(text: bytes) -> Iterator[bytes]:
    """A long text in pieces of as much as is written at once."""
    for start in range(0, len(text), CHUNK_BYTES):
        yield text[start : start + CHUNK_BYTES]
