"""Idempotency keys: what a command claims when it is recorded, and what it says of a request that comes again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ledger.arrays import Texts
from ledger.commands import Command, parse_kept
from ledger.errors import IdempotencyKeyReused, Malformed
from ledger.outcomes import EventReference
from ledger.private_texts import is_same_text, private_fields
from ledger.wire import Call, Row, Statement

# An account (or stream) id, and a key that is unique on it.
Key = tuple[str, str]

# Each position is looked up by itself: of a range, a plan made before the tables are analysed may compare all with all.
FIND_KEYS = Statement(
    "find_keys",
    """
select account_id, key, content::text, originator_id, topic, originator_version, notification_id,
    case topic when 'prices.held' then (
        select string_agg(pair, ' ' order by place)
        from json_object_keys(convert_from(state, 'UTF8')::json -> 'prices') with ordinality as held (pair, place)
    ) end as pairs_held
from unnest($1, $2) as asked (account_id, key)
join idempotency_keys using (account_id, key)
cross join generate_series(first_position, last_position) as position
join events on notification_id = position
order by notification_id
""",
    (Texts, Texts),
)


# What a request may state otherwise when it comes again: another file may hold the same line of a statement.
_NOT_COMPARED = {"idempotency_key", "source_line"}


class UsedKey(NamedTuple):
    """A key that was used, or is claimed by a decision: the command's content, and the events recorded then, in order.

    A further key of the command (of its trade, of its deposit) has no content: no request is ever sent by it.
    """

    content: str | None
    events: list[EventReference]


def content_of(command: Command, sealed: Mapping[str, str] | None = None) -> str:
    """What is kept with a key: the command's JSON without the key itself and its line, its private texts sealed."""
    kept = command.model_copy(update=sealed) if sealed else command
    content: bytes = kept.__pydantic_serializer__.to_json(kept, by_alias=True, exclude_none=True, exclude=_NOT_COMPARED)
    return content.decode()


def require_same_content(command: Command, account_id: str, used: UsedKey, sealed: Mapping[str, str]) -> None:
    """IdempotencyKeyReused unless the key was used with the same content; amounts are compared by value.

    `sealed` are the command's private texts as they would be stored. The refusal tells none of these.
    """
    content = content_of(command, sealed)
    if used.content is None or used.content == content:
        return
    was, asked = json.loads(used.content), json.loads(content)
    field = _first_difference(command, was, asked)
    if field is None:
        return
    raise IdempotencyKeyReused(
        f"idempotency key {command.key} of {account_id} was used with {_told(command, field, was, asked)}; "
        "send what was sent then, or this under another key",
        field=field,
    )


def _told(command: Command, field: str, was: dict[str, Any], asked: dict[str, Any]) -> str:
    if field in private_fields(type(command)):
        return f"another {field}"
    return f"{field} {_shown(was.get(field))}, this request says {field} {_shown(asked.get(field))}"


def _first_difference(command: Command, was: dict[str, Any], asked: dict[str, Any]) -> str | None:
    """The name of the first field that differs in value."""
    stored = _parse_stored(command, was)
    if stored is None:
        return next((field for field in ("type", *asked, *was) if was.get(field) != asked.get(field)), None)
    private = private_fields(type(command))
    for name, field in type(command).model_fields.items():
        kept, stated = getattr(stored, name), getattr(command, name)
        same = is_same_text(kept, stated, asked.get(name)) if name in private else kept == stated
        if name not in _NOT_COMPARED and not same:
            return field.alias or name
    return None


def _parse_stored(command: Command, content: dict[str, Any]) -> Command | None:
    """The stored content as a command of the same kind; None if it is of another kind, or of one no longer taken."""
    if content.get("type") != command.type:
        return None
    try:
        return parse_kept(content, command.key)
    except Malformed:
        return None


def _shown(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)


def asked_keys(keys: Sequence[Key]) -> Call:
    """The question which of the keys were used; `used_keys` reads the answer."""
    account_ids, texts = zip(*keys, strict=True)
    return Call(FIND_KEYS, [Texts.of(account_ids), Texts.of(texts)])


def used_keys(rows: Iterable[Row]) -> dict[Key, UsedKey]:
    """The answer to `asked_keys`: those that were used."""
    found: dict[Key, UsedKey] = {}
    for account_id, key, content, *event, pairs_held in rows:
        reference = EventReference(*event)
        if pairs_held is not None:
            reference = reference._replace(pairs=tuple(pairs_held.split()))
        found.setdefault((account_id, key), UsedKey(content, [])).events.append(reference)
    return found
