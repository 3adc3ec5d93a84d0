"""The OpenAPI document: what FastAPI makes of the questions, and every command with its fields and problems."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.bodies import MOST_BYTES, MOST_COMMANDS
from api.examples import PROBLEM, RESULTS
from api.examples_of_risk import WHAT_IF_BODY
from api.problems import FAMILIES, MEDIA_TYPE, STATUS
from api.roles import MAY_SEND
from ledger.commands import COMMANDS, Command

DESCRIPTION = """
An event-sourced ledger for an exchange with spot, cross-margin and isolated-margin wallets.

Every change is a **command** (`POST /v1/commands`, or the same command at its resource), every question a `GET`.
Amounts are strings, times RFC 3339 in UTC. State a key as `Authorization: Bearer KEY`. A refused command leaves no
trace, and its problem (RFC 9457) says what was asked, what stands in the way, and what can be done. Repeat a request
whose answer was lost with the same `idempotency_key`: it is recorded once.
"""

SCHEMAS: dict[str, Any] = {
    "EventReference": {
        "type": "object",
        "required": ["account_id", "topic", "version", "position"],
        "properties": {
            "account_id": {"type": "string"},
            "topic": {"type": "string", "examples": ["loan.borrowed"]},
            "version": {"type": "integer", "description": "Of the account."},
            "position": {"type": "integer", "description": "In the log."},
            "pairs": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Of `prices.held` only: the pairs whose prices are held. All others were marked.",
            },
        },
    },
    "Recorded": {
        "type": "object",
        "title": "Recorded",
        "required": ["status", "account_id", "version", "position", "events"],
        "properties": {
            "status": {"enum": ["recorded", "replayed"], "description": "`replayed`: it was recorded before."},
            "account_id": {"type": "string", "description": "Of a job: the account of its last event."},
            "version": {"type": "integer", "description": "Of the account's last event of this decision."},
            "position": {"type": "integer", "description": "Of the account's last event of this decision."},
            "events": {"type": "array", "items": {"$ref": "#/components/schemas/EventReference"}},
        },
    },
    "RefusedResult": {
        "type": "object",
        "title": "Refused",
        "required": ["status", "problem"],
        "properties": {"status": {"const": "refused"}, "problem": {"$ref": "#/components/schemas/Problem"}},
    },
    "Results": {
        "type": "object",
        "required": ["results"],
        "properties": {
            "results": {
                "type": "array",
                "items": {
                    "oneOf": [{"$ref": "#/components/schemas/Recorded"}, {"$ref": "#/components/schemas/RefusedResult"}]
                },
            }
        },
        "example": RESULTS,
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457, with a stable `code`; a problem may have members of its own.",
        "required": ["type", "code", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "code": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What was asked, what stands in the way, what can be done."},
        },
        "example": PROBLEM,
    },
    "WhatIf": WHAT_IF_BODY,
    "NewKey": {
        "type": "object",
        "required": ["name", "role"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string"},
            "role": {"enum": ["customer", "service", "operator", "auditor", "admin"]},
            "account_id": {"type": "string", "description": "Of a customer only: the account the key is bound to."},
        },
    },
}
PROBLEM_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEM_ANSWER = {
    "description": "A problem (RFC 9457): 400 malformed, 401 and 403, 404 unknown, 409 refused by a rule or by the "
    "account's state, 412 version, 413 too large, 422 the key was used with other content, 429, 503.",
    "content": PROBLEM_CONTENT,
}
COMMAND_PROBLEMS = (400, 401, 403, 404, 409, 412, 413, 422, 429, 503)
RESULTS_ANSWER = {
    "description": "What came of each command, in the order asked.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Results"}}},
}
OPEN_PATHS = ("/health", "/metrics", "/problems")
BORROW = {
    "type": "borrow",
    "account_id": "alice",
    "idempotency_key": "loan-1",
    "wallet": "cross",
    "asset": "USDT",
    "amount": "100",
}
DEPOSIT = {"type": "deposit", "account_id": "alice", "deposit_id": "d-1", "asset": "USDT", "amount": "100"}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        words = made.get("components", {}).get("schemas", {})
        schemas = {**words, **_command_schemas(), **SCHEMAS}
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)  # Such answers are problems here.
        for path, operations in made["paths"].items():
            for operation in operations.values():
                _complete(path, operation, schemas)
        made["paths"] = {"/v1/commands": {"post": _post_commands()}, **made["paths"]}
        made["components"] = {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
        }
        made["security"] = [{"key": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _command_schemas() -> dict[str, Any]:
    kinds = [(kind, "validation") for kind in COMMANDS.values()]
    _, made = models_json_schema(kinds, by_alias=True, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    schemas: dict[str, Any] = made["$defs"]
    for name, kind in COMMANDS.items():
        schema = schemas[kind.__name__]
        schema["required"] = sorted({"type", *schema.get("required", []), *_say_who_needs_a_key(name, kind, schema)})
        senders = ", ".join([*sorted(MAY_SEND.get(name, ())), "admin"])
        schema["description"] = f"{schema.get('description', '')}\n\nSent by: {senders}.".strip()
    return schemas


def _say_who_needs_a_key(name: str, kind: type[Command], schema: dict[str, Any]) -> list[str]:
    """Describes a command's idempotency_key, and names it where the command cannot do without."""
    field = schema["properties"]["idempotency_key"]
    if kind.OWN_ID is not None:
        field["description"] = f"May be left out: `{name}:{kind.OWN_ID.upper()}`, of its own id, then serves as key."
        return []
    if kind.KEY_MAY_BE_LEFT_OUT:
        field["description"] = "May be left out: a repeated request is then decided anew."
        return []
    (text,) = (one for one in field.pop("anyOf") if one.get("type") != "null")
    del field["default"]
    field |= {**text, "description": "A repeated request is recorded once. The header Idempotency-Key may state it."}
    return ["idempotency_key"]


def _command_answers() -> dict[str, Any]:
    """What a command is answered: its results, or a problem with the status of its family."""
    told = {
        status: " ".join(FAMILIES[kind] for kind, of_kind in STATUS.items() if of_kind == status)
        for status in COMMAND_PROBLEMS
    }
    problems = {str(status): {"description": text, "content": PROBLEM_CONTENT} for status, text in told.items()}
    return {"200": RESULTS_ANSWER, **problems}


def _complete(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Gives an operation its body, its answers and, where it is open to all, no need of a key."""
    command = operation.pop("x-command", None)
    body, preview = operation.pop("x-body", None), operation.pop("x-preview", False)
    responses = operation["responses"]
    responses.pop("422", None)
    if command is not None:
        schema = _without_path_fields(schemas[COMMANDS[command].__name__], path)
        operation["description"] = schema["description"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        operation["parameters"] = [*_path_parameters(path), _key_header(), *([_purpose_header()] if preview else [])]
        # A preview is answered by what would be recorded, and refused like its command.
        responses |= {**_command_answers(), **({"200": responses["200"]} if preview else {})}
    if body is not None:
        reference = {"$ref": f"#/components/schemas/{body}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    if path.startswith(OPEN_PATHS):
        operation["security"] = []
    if path not in ("/health", "/metrics"):
        responses["default"] = PROBLEM_ANSWER


def _without_path_fields(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """The body of a resource route: the command without its type and without what the path says."""
    left = {name: field for name, field in schema["properties"].items() if name != "type" and f"{{{name}}}" not in path}
    return {**schema, "properties": left, "required": [name for name in schema["required"] if name in left]}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    notation = {
        "pair": "Written `BTC-USDT`.",
        "wallet": "`cross` or `isolated:BTC-USDT`.",
        "scope": "`cross` or `BTC-USDT`.",
    }
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": notation.get(name, ""),
        }
        for name in names
    ]


def _key_header() -> dict[str, Any]:
    text = "Serves for the idempotency_key of a single command."
    return {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}, "description": text}


def _purpose_header() -> dict[str, Any]:
    text = "Why customers' data is read; the log of reads keeps it."
    return {"name": "X-Purpose", "in": "header", "schema": {"type": "string"}, "description": text}


def _post_commands() -> dict[str, Any]:
    one_of = {
        "title": "Command",
        "oneOf": [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in COMMANDS.values()],
        "discriminator": {
            "propertyName": "type",
            "mapping": {name: f"#/components/schemas/{kind.__name__}" for name, kind in COMMANDS.items()},
        },
    }
    one_or_many = {"oneOf": [one_of, {"type": "array", "maxItems": MOST_COMMANDS, "items": one_of}]}
    examples = {"one command": {"value": BORROW}, "several": {"value": [DEPOSIT, BORROW]}}
    atomic = {"name": "atomic", "in": "query", "schema": {"type": "boolean", "default": False}}
    return {
        "operationId": "post_commands",
        "summary": "Send one command or many",
        "description": f"One command, an array, or NDJSON; up to {MOST_COMMANDS} commands and {MOST_BYTES} bytes. One "
        "object is answered alone: `results` of one, or the bare problem with its status. A list is answered 200 with "
        "`results` in the order asked, refused ones too. With `atomic=true` one refusal refuses all.",
        "tags": ["commands"],
        "parameters": [{**atomic, "description": "All or none."}, _key_header()],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": one_or_many, "examples": examples},
                "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"type": "deposit", ...}\n'},
            },
        },
        "responses": {**_command_answers(), "default": PROBLEM_ANSWER},
    }
