"""A reader of server-sent events as a browser is one: it keeps the last id, and comes again with it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

PATIENCE_SECONDS = 30.0


class Told(NamedTuple):
    """An event that was dispatched; `id` is what it states itself, None where it states none."""

    id: int | None
    name: str
    content: dict[str, Any]


@dataclass
class Reader:
    """Reads one stream, maybe over several connections; `last_id` and `comments` are kept over all of them."""

    path: str
    key: str
    last_id: str | None = None
    comments: list[str] = field(default_factory=list)

    @contextmanager
    def connected(self, address: str, **options: Any) -> Iterator[Iterator[Told]]:
        """The events of one connection, which must be let in; they end where the server ends them well."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if self.last_id is not None:
            headers["Last-Event-ID"] = self.last_id
        timeout = httpx.Timeout(PATIENCE_SECONDS)
        with httpx.stream("GET", address + self.path, headers=headers, timeout=timeout, trust_env=False) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
            yield self._dispatched(answer.iter_lines())

    def _dispatched(self, lines: Iterator[str]) -> Iterator[Told]:
        fields: dict[str, str] = {}
        for line in lines:
            if line.startswith(":"):
                self.comments.append(line[1:].strip())
            elif line:
                name, _, value = line.partition(": ")
                assert name not in fields, "an event states each field once"
                fields[name] = value
            elif "data" in fields:
                stated = fields.get("id")
                self.last_id = stated if stated is not None else self.last_id
                yield Told(int(stated) if stated else None, fields["event"], json.loads(fields["data"]))
                fields = {}
            else:
                assert set(fields) <= {"retry"}
                fields = {}


def positions(told: list[Told]) -> list[int | None]:
    """The ids of the events of the log among what was told."""
    return [one.id for one in told if one.name != "position"]


def until(events: Iterator[Told], id: int) -> list[Told]:
    """What is told up to the event with this id."""
    found = []
    for one in events:
        found.append(one)
        if one.id is not None and one.id >= id:
            return found
    raise AssertionError(f"the stream ended before {id}: {found}")
