"""What an event or an answer states, field by field: amounts, times, and tables of what has parts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.console.writing import Column, Markup, account_link, amount, joined, moment, table, tag, text, wallet_name

HIDDEN = {
    "erased": "its key was destroyed: nobody can read it any more",
    "unreadable": "its key is not here, as after a log was restored without its keys",
}
"""Why a text that is null cannot be shown, as the API names it beside the text, and what that means."""
ENVELOPE = (
    *("position", "topic", "recorded_at", "account_id", "version", "effective_at", "actor", "reason"),
    *("correlation_id", "idempotency_key", "reversed_by", "reverses"),
)
"""What every event states, and its page tells by itself."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_OF_THE_ASSET = {"amount", "taken", "borrow_limit"}
_OF_THE_DEBT = {"interest", "principal"}
_AS_WRITTEN = {"reason", "reference", "source_line", "idempotency_key", "actor"}
"""What somebody wrote: digits in it are no amount."""
_NAMES = {"asset", "fee_asset", "debt_asset", "pair", "scope", "source", "proposed_by", "reversed_topic"}
"""What things are called, which may be digits too, as are all ids."""
_TIMES = {"execute_by", "first_hour", "next_hour"}
"""Times whose fields do not end in _at."""
_WALLETS = {"wallet", "source", "target"}


def pairs_of(rows: Iterable[tuple[object, object]]) -> Markup:
    """Names with their values, one below the other."""
    written = (joined(tag("dt", name), tag("dd", value)) for name, value in rows)
    return tag("dl", joined(*written), class_="fields")


def free_text(told: Mapping[str, Any], name: str) -> Markup:
    """What somebody wrote, or why it cannot be shown."""
    for why, meaning in HIDDEN.items():
        if name in told.get(why, ()):
            return tag("span", why, class_="none", title=meaning)
    return text(told.get(name))


def stated_fields(event: Mapping[str, Any], left_out: Sequence[str] = ENVELOPE) -> Markup:
    """What an event states, by default beyond what every event does; what it means that there is nothing."""
    rows = [
        (said_name(name), _told(event, name, _asset_of(name, event)))
        for name in event
        if name not in left_out and name not in HIDDEN
    ]
    return pairs_of(rows) if rows else tag("p", "That it happened is all that this event states.", class_="empty")


def _told(stated: Mapping[str, Any], name: str, asset: str | None = None) -> Markup:
    is_text = name in _AS_WRITTEN or any(name in stated.get(why, ()) for why in HIDDEN)
    return free_text(stated, name) if is_text else shown(stated.get(name), asset, name)


def said_name(name: str) -> str:
    """A field's name as words."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def shown(value: Any, asset: str | None = None, name: str = "") -> Markup:
    """A value of whatever shape: what has parts as a table of them."""
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list):
        return _list(value)
    if isinstance(value, bool):
        return text("yes" if value else "no")
    if isinstance(value, str):
        return _word(value, asset, name)
    return text(value)


def _word(value: str, asset: str | None, name: str) -> Markup:
    """A value by what its field is, not by what it looks like alone."""
    if name.endswith("account_id"):
        return account_link(value)
    if (name.endswith("_at") or name in _TIMES) and _TIME.fullmatch(value):
        return moment(value)
    if not _is_name(name) and _NUMBER.fullmatch(value):
        return amount(value, asset)
    return text(wallet_name(value) if name in _WALLETS else value)


def _is_name(name: str) -> bool:
    return name.endswith("_id") or name in _NAMES or name in _AS_WRITTEN


def _asset_of(name: str, event: Mapping[str, Any]) -> Any:
    base, _, quote = str(event.get("pair", "")).partition("/")
    if name in _OF_THE_ASSET:
        return event.get("asset")
    if name in _OF_THE_DEBT:
        return event.get("debt_asset", event.get("asset"))
    trade = {"fee": event.get("fee_asset"), "quantity": base, "price": quote, "quote_amount": quote}
    return trade.get(name) if event.get("topic") == "trade.booked" else None


def _mapping(value: Mapping[str, Any]) -> Markup:
    """Parts of one shape as a table with a row for each; others by name."""
    if value and all(isinstance(part, Mapping) for part in value.values()):
        return _rows([("", name, part) for name, part in value.items()])
    return pairs_of((said_name(name), _told(value, name)) for name in value if name not in HIDDEN)


def _list(value: Sequence[Any]) -> Markup:
    if value and all(isinstance(part, Mapping) for part in value):
        return _rows([(None, "", part) for part in value])
    return text(", ".join(map(str, value)) or None)


def _rows(parts: Sequence[tuple[object, str, Mapping[str, Any]]]) -> Markup:
    names = list(dict.fromkeys(name for _, _, part in parts for name in part if name not in HIDDEN))
    first = [] if parts[0][0] is None else [Column("")]
    columns = [*first, *(Column(said_name(name), _is_figure(name, parts)) for name in names)]
    rows = ([*([title] if first else []), *(_told(part, name) for name in names)] for _, title, part in parts)
    return table(columns, rows, "")


def _is_figure(name: str, parts: Sequence[tuple[object, str, Mapping[str, Any]]]) -> bool:
    if _is_name(name):
        return False
    values = [part[name] for _, _, part in parts if part.get(name) is not None]
    return bool(values) and all(isinstance(one, int) or _NUMBER.fullmatch(str(one)) is not None for one in values)
