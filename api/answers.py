"""Answers as JSON: amounts as plain strings, times as RFC 3339 in UTC, rows without what is of no interest outside."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from api.problems import problem_of
from ledger import Outcome, Refused
from ledger.money import plain


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; state is true at one moment, so nobody may keep it."""
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_written)
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(written.encode(errors="backslashreplace"), status, kept, "application/json")


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


def result_of(outcome: Outcome) -> dict[str, Any]:
    """One result of a command as clients read it."""
    if isinstance(outcome, Refused):
        return {"status": "refused", "problem": problem_of(outcome.refusal)}
    return {
        "status": "replayed" if outcome.replayed else "recorded",
        "account_id": outcome.account_id,
        "version": outcome.version,
        "position": outcome.position,
        "events": [event._asdict() for event in outcome.events],
    }
