"""A refusal as an HTTP answer (RFC 9457): the one place that knows status codes."""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from ledger.errors import (
    EventUnreadable,
    IdempotencyKeyReused,
    Malformed,
    ProjectionsBehind,
    Refusal,
    RuleRefusal,
    StateRefusal,
    TooManyRequests,
    Unavailable,
    Unknown,
    VersionMismatch,
)
from ledger.liability_secret import LiabilitySecretMissing
from ledger.money import plain

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
LONGEST_DETAIL = 4000
"""Characters kept of a detail: one that quotes what was sent may be as long as what was sent."""


class Unauthenticated(Refusal):
    code, title = "unauthenticated", "The request carries no valid key"


class Forbidden(Refusal):
    code, title = "forbidden", "The key does not allow it"


class UnknownRoute(Unknown):
    code, title = "unknown_route", "There is nothing at this path"


class MethodNotAllowed(Refusal):
    code, title = "method_not_allowed", "The path does not take this method"


class TooLarge(Malformed):
    code, title = "too_large", "The body is larger than is taken"


class ServerFailed(Refusal):
    code, title = "server_failed", "The server failed"


STATUS: dict[type[Refusal], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    Unknown: 404,
    MethodNotAllowed: 405,
    StateRefusal: 409,
    RuleRefusal: 409,
    EventUnreadable: 409,
    VersionMismatch: 412,
    TooLarge: 413,
    IdempotencyKeyReused: 422,
    TooManyRequests: 429,
    ServerFailed: 500,
    Unavailable: 503,
    LiabilitySecretMissing: 503,
    ProjectionsBehind: 503,
}
"""The status of each class of refusal; a class that is not listed has that of the nearest class above it."""

FAMILIES: dict[type[Refusal], str] = {
    Malformed: "The request itself is wrong and was not looked at further; correct it as the detail says.",
    Unauthenticated: "State a valid key as `Authorization: Bearer KEY`.",
    Forbidden: "Another role, or the key of another account, is needed; nothing was looked up.",
    Unknown: "What the request names does not exist; check its spelling, or create it first.",
    MethodNotAllowed: "Use one of the methods that the header Allow names.",
    StateRefusal: "The account is in a state that stands in the way; the detail says which and how it ends.",
    RuleRefusal: "A rule stands in the way; the detail gives the values on both sides and what can be done.",
    EventUnreadable: "The log was changed, or is of a newer ledger; `ledger verify` names what differs from it.",
    VersionMismatch: "Something was recorded on the account since it was read; read it again and decide anew.",
    TooLarge: "Send less in one request.",
    IdempotencyKeyReused: "The key belongs to another request, with other content; use a new key.",
    TooManyRequests: "Wait as long as Retry-After says, then repeat with the same idempotency key.",
    ServerFailed: "Repeat with the same idempotency key: what was recorded is answered, what was not is done now.",
    Unavailable: "Nothing was recorded, or the answer is unknown: repeat with the same idempotency key.",
    LiabilitySecretMissing: "Whoever runs the ledger gives this process the file that LEDGER_LIABILITY_SECRET names.",
    ProjectionsBehind: "Ask again, or with `stale=true` for what the projections have; /health says who is behind.",
}
"""What may be done about each class of refusal, in the same order."""


def kinds(root: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Every class of refusal there is, those above before those below."""
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def status_of(kind: type[Refusal]) -> int:
    """The HTTP status of a class of refusal."""
    return STATUS[_family(kind)]


def _family(kind: type[Refusal]) -> type[Refusal]:
    """The nearest class at or above this one that has a status; one without any is a failure of the server."""
    return next((above for above in kind.__mro__ if above in STATUS), ServerFailed)


def problem_of(refusal: Refusal) -> dict[str, Any]:
    """The problem object of a refusal, its own members last; they never hide one of the standard's."""
    own = {
        "type": f"/problems/{refusal.code}",
        "code": refusal.code,
        "title": refusal.title,
        "status": status_of(type(refusal)),
        "detail": _short(refusal.detail),
    }
    return own | {name: _plainly(value) for name, value in refusal.members.items() if name not in own}


def answer_problem(refusal: Refusal) -> Response:
    """The bare problem as a response, with the headers that its status asks for."""
    status, headers = status_of(type(refusal)), {}
    if status in (429, 503):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    elif status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="ledger"'
    elif status == 405 and "allow" in refusal.members:
        headers["Allow"] = str(refusal.members["allow"])
    content = json.dumps(problem_of(refusal), ensure_ascii=False).encode(errors="backslashreplace")
    return Response(content, status, headers, MEDIA_TYPE)


def describe(code: str) -> dict[str, Any]:
    """What a problem's type stands for; UnknownRoute where no refusal has this code."""
    for kind in kinds():
        if kind.code == code:
            return description_of(kind)
    raise UnknownRoute("no problem has this code; GET /problems lists those there are")


def description_of(kind: type[Refusal]) -> dict[str, Any]:
    """A class of refusal as data: its code, title and status, and what to do about it."""
    return {
        "type": f"/problems/{kind.code}",
        "code": kind.code,
        "title": kind.title,
        "status": status_of(kind),
        "what_to_do": FAMILIES[_family(kind)],
    }


def _short(detail: str) -> str:
    return detail if len(detail) <= LONGEST_DETAIL else f"{detail[:LONGEST_DETAIL]}..."


def _plainly(value: Any) -> Any:
    """A member as JSON holds it: amounts as plain strings, times as RFC 3339, whatever else as its text."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return plain(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dict():
            return {str(name): _plainly(part) for name, part in value.items()}
        case list() | tuple():
            return [_plainly(part) for part in value]
        case _:
            return str(value)
