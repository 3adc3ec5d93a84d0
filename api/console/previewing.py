"""What a preview says, as HTML: the events that would be recorded, and what would be otherwise after them."""

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from api.console.fields import stated_fields
from api.console.pages.account_change import POSITION_PARTS
from api.console.writing import (
    Column,
    Markup,
    account_link,
    amount,
    band,
    card,
    event_link,
    joined,
    table,
    tag,
    text,
    wallet_name,
)

Answer = dict[str, Any]

_OF_THE_MOMENT = ("version", "effective_at", "correlation_id", "assessment", "assessments")
"""What an event states of when it is decided: prices tick on while somebody reads what they lead to."""
_CONFIRMED = ("price", "source")
_LEVELS = {"": "margin_level", ", of collateral": "collateral_margin_level"}
_PARTS = ("free", "locked", "borrowed", "interest")


def digest_of(events: list[Answer]) -> str:
    """The same for events that say the same, whenever they are previewed: 128 bits of SHA-256 as hex digits."""
    said = [{name: _lasting(name, event[name]) for name in event if name not in _OF_THE_MOMENT} for event in events]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def _lasting(name: str, value: Any) -> Any:
    """A field without what the feed changes in it: a held price that is said again is the same price."""
    if name != "confirmed":
        return value
    return {pair: {part: held.get(part) for part in _CONFIRMED} for pair, held in value.items()}


def events_card(events: list[Answer]) -> Markup:
    """Each event with all that it would state."""
    told = (
        joined(
            tag("h3", joined(event["topic"], " on ", _stream(event["account_id"]), f", version {event['version']}")),
            _fields(event),
        )
        for event in events
    )
    many = "one event" if len(events) == 1 else f"{len(events)} events"
    many += ", under the version and at the time that come next when the button is pressed"
    return card("Exactly this will be recorded", joined(*told), hint=many)


def changes_card(accounts: dict[str, Answer], otherwise: Markup) -> Markup:
    """Balances, levels, positions and blocks before and after, where they differ; `otherwise` where none does."""
    blocks, balances, levels, positions = ([*rows(accounts)] for rows in (_blocks, _balances, _levels, _positions))
    figures = [Column("Before", True), Column("After", True)]
    parts = [
        ("Blocked", [Column("Account"), Column("Before"), Column("After")], blocks),
        (
            "Balances",
            [Column("Account"), Column("Wallet"), Column("Of it"), *figures, Column("Change", True)],
            balances,
        ),
        ("Margin levels", [Column("Account"), Column("Wallet"), *figures, Column("Band")], levels),
        ("Positions", [Column("Account"), Column("Wallet"), Column("Pair"), *figures], positions),
    ]
    told = [joined(tag("h3", title), table(columns, rows, "")) for title, columns, rows in parts if rows]
    return card("What this changes", joined(*told) if told else tag("p", otherwise, class_="empty"))


def recorded_card(recorded: list[Answer]) -> Markup:
    """Where the events of a command stand that was recorded."""
    rows = [(event_link(one["position"]), one["topic"], _stream(one["account_id"]), one["version"]) for one in recorded]
    columns = [Column("Position", True), Column("Event"), Column("On"), Column("Version", True)]
    said = tag("p", "It is in the log; sending the same form again records nothing more.")
    return card("Recorded", joined(said, table(columns, rows, "")), hint=tag("span", "done", class_="good"))


def _stream(account_id: str) -> Markup:
    return text(account_id) if account_id.startswith("@") else account_link(account_id)


def _fields(event: Answer) -> Markup:
    if not event["account_id"].startswith("@"):
        event = {**event, "effective_at": "the moment it is recorded"}
    return stated_fields(event, ("topic", "account_id", "version", "correlation_id"))


def _blocks(accounts: dict[str, Answer]) -> Iterator[tuple[object, ...]]:
    for account_id, changed in accounts.items():
        before, after = (changed["blocks"][when] for when in ("before", "after"))
        if before != after:
            yield account_link(account_id), ", ".join(before) or "nothing", ", ".join(after) or "nothing"


def _balances(accounts: dict[str, Answer]) -> Iterator[tuple[object, ...]]:
    for account_id, changed in accounts.items():
        for row in changed["balances"]:
            for part in _PARTS:
                before, after = (row[when].get(part, "0") for when in ("before", "after"))
                if before != after:
                    of_it = f"{row['asset']} {part}"
                    change = amount(f"{Decimal(after) - Decimal(before):f}")
                    yield (
                        account_link(account_id),
                        wallet_name(row["wallet"]),
                        of_it,
                        amount(before),
                        amount(after),
                        change,
                    )


def _levels(accounts: dict[str, Answer]) -> Iterator[tuple[object, ...]]:
    for account_id, changed in accounts.items():
        for wallet, level in changed["margin_levels"].items():
            for title, name in _LEVELS.items():
                before, after = (level[when].get(name) for when in ("before", "after"))
                if before != after:
                    named = joined(wallet_name(wallet), title)
                    yield account_link(account_id), named, before, after, band(level["after"]["band"])


def _positions(accounts: dict[str, Answer]) -> Iterator[tuple[object, ...]]:
    for account_id, changed in accounts.items():
        for row in changed["positions"]:
            for name, title in POSITION_PARTS:
                before, after = (row[when][name] for when in ("before", "after"))
                if before != after:
                    named = f"{row['pair']} {title}"
                    yield account_link(account_id), wallet_name(row["wallet"]), named, amount(before), amount(after)
