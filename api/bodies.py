"""Bodies of requests: read up to a limit, and strictly, so that nobody's parser reads them otherwise than ours."""

import json
from typing import Any, NoReturn

from starlette.types import Receive

from api.problems import TooLarge
from ledger.errors import Malformed

MOST_BYTES = 10_000_000
MOST_COMMANDS = 10_000
NDJSON = "application/x-ndjson"

JsonObject = dict[str, Any]


async def read_body(receive: Receive, content_length: str) -> bytes:
    """The body of a request; TooLarge as soon as it is known to pass the limit."""
    if content_length.isdecimal() and int(content_length[:20]) > MOST_BYTES:
        _refuse_size()
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("the connection ended before the body did")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MOST_BYTES:
            _refuse_size()
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _refuse_size() -> NoReturn:
    raise TooLarge(f"the body has more than {MOST_BYTES} bytes; send it in parts")


def parse_commands(body: bytes, media_type: str) -> tuple[list[JsonObject], bool]:
    """The objects of a body, and whether it is one object alone; Malformed where it cannot be read as a whole."""
    if media_type == NDJSON:
        found = parse_lines(body)
    else:
        parsed = parse_json(body)
        if isinstance(parsed, dict):
            return [parsed], True
        if not isinstance(parsed, list):
            raise Malformed("the body is neither a JSON object nor an array of objects")
        found = _objects(parsed)
    if len(found) > MOST_COMMANDS:
        raise TooLarge(
            f"the body has {len(found)} commands, at most {MOST_COMMANDS} are taken at once; send it in parts"
        )
    return found, False


def _objects(elements: list[Any]) -> list[JsonObject]:
    for place, element in enumerate(elements):
        if not isinstance(element, dict):
            raise Malformed(f"element {place} of the array is no JSON object; nothing of the body was looked at")
    return elements


def parse_lines(body: bytes) -> list[JsonObject]:
    """The objects of NDJSON, one on each line; empty lines count for nothing."""
    found = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip():
            found.append(parse_line(line, f"line {number}"))
    return found


def parse_line(line: bytes, place: str) -> JsonObject:
    """The one object of a line; `place` is what a refusal calls the line."""
    try:
        parsed = parse_json(line)
    except Malformed as refusal:
        raise Malformed(f"{place}: {refusal.detail}") from None
    if not isinstance(parsed, dict):
        raise Malformed(f"{place} is no JSON object; nothing of the body was looked at")
    return parsed


def parse_object(body: bytes) -> JsonObject:
    """A body that is one object; an empty body is an empty object."""
    parsed = parse_json(body) if body.strip() else {}
    if not isinstance(parsed, dict):
        raise Malformed("the body is no JSON object")
    return parsed


def parse_json(body: bytes) -> Any:
    """JSON as RFC 8259 and I-JSON have it: UTF-8, each name once, no NaN, no lone surrogates, no endless digits."""
    try:
        parsed = _DECODER.decode(body.decode())
        if b"\\u" in body:
            json.dumps(parsed, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: byte {error.start} cannot be read") from None
    except UnicodeEncodeError:
        raise Malformed("the body has half of a surrogate pair, which is no character") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    except ValueError:
        raise Malformed("the body has a number with too many digits; amounts are strings of at most 38") from None
    return parsed


def _each_name_once(pairs: list[tuple[str, Any]]) -> JsonObject:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Malformed(f"the body names {twice[:100]!a} twice in one object; which of both is meant?")
    return parsed


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"the body has {name}, which is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_each_name_once, parse_constant=_no_constant)
