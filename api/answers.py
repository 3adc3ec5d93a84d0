"""Answers as JSON: amounts as plain strings, times as RFC 3339 in UTC, rows without what is of no interest outside."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from api.problems import problem_of
from ledger import EventReference, Outcome, Refused
from ledger.money import plain


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; state is true at one moment, so nobody may keep it."""
    return written_answer(as_json(content), status, headers)


def as_json(content: Any) -> bytes:
    """JSON in one line, in UTF-8."""
    return json_of(content).encode(errors="backslashreplace")


def written_answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose JSON is written already."""
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def json_of(content: Any, indent: int | None = None) -> str:
    """An answer's JSON, in one line unless it is to be indented."""
    separators = (",", ":") if indent is None else None
    return json.dumps(content, ensure_ascii=False, separators=separators, indent=indent, default=_written)


def _written(value: Any) -> Any:
    match value:
        case Decimal():
            return amount(value)
        case datetime():
            return moment(value)
        case _ if hasattr(value, "_asdict"):
            return value._asdict()
        case _:
            raise TypeError(f"{type(value).__name__} has no form in an answer")


def moment(value: datetime) -> str:
    """A time as RFC 3339 in UTC."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def amount(value: Decimal) -> str:
    """An amount in plain notation."""
    return plain(value)


def results(outcomes: Sequence[Outcome]) -> bytes:
    """The results of commands as clients read them."""
    return f'{{"results":[{",".join(map(_result, outcomes))}]}}'.encode(errors="backslashreplace")


def word_of(outcome: Outcome) -> str:
    """What became of a command, in one word."""
    if isinstance(outcome, Refused):
        return "refused"
    return "replayed" if outcome.replayed else "recorded"


def _result(outcome: Outcome) -> str:
    """One result. What was recorded is written by hand, for ids and topics have no character that JSON escapes."""
    if isinstance(outcome, Refused):
        return json_of({"status": "refused", "problem": problem_of(outcome.refusal)})
    events = [
        f'{{"account_id":"{event.account_id}","topic":"{event.topic}",'
        f'"version":{event.version},"position":{event.position}{_pairs_of(event) if event.pairs else ""}}}'
        for event in outcome.events
    ]
    return (
        f'{{"status":"{word_of(outcome)}","account_id":"{outcome.account_id}",'
        f'"version":{outcome.version},"position":{outcome.position},"events":[{",".join(events)}]}}'
    )


def _pairs_of(event: EventReference) -> str:
    """The pairs whose prices are held; all others of the vector were marked."""
    return f',"pairs":{json_of(event.pairs)}'
