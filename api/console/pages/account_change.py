"""What one event changed of an account: before and after, per wallet and asset, of positions, levels and settings."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from api.console.fields import free_text
from api.console.pages.account_figures import signed
from api.console.pages.account_moment import Moment
from api.console.writing import Column, Markup, amount, card, event_link, joined, link, moment, query, table, tag
from api.console.writing import wallet_name as name_of

Answer = Mapping[str, Any]
Row = tuple[object, ...]
SETTINGS = (("status", "Status"), ("blocks", "Freeze blocks"), ("margin_modes", "Margin modes"))
OWED = ("borrowed", "interest")
POSITION_PARTS = (("quantity", "quantity"), ("cost", "cost"), ("realised_profit", "realised profit"))
COLUMNS = [
    *(Column("Wallet"), Column("What"), Column("Before", True), Column("After", True), Column("Change", True)),
]


def change_shown(shown: Moment) -> Markup:
    """The event that led to the moment, who asked for it, and all that it changed."""
    rows = [] if shown.change is None else list(changes(shown.change))
    if shown.is_dated:
        empty = "Business times order events otherwise than the log does; go to the event for what it changed."
    elif shown.change is None:
        empty = "The account was opened; nothing was there before."
    else:
        empty = "No balance, position, level or setting changed."
    event = shown.event
    title = joined("What event ", f"{shown.version:,}", " changed: ", tag("span", event["topic"], class_="topic"))
    hint = joined("position ", event_link(event["position"]), " · ", moment(event["effective_at"]))
    changed = tag("div", table(COLUMNS, rows, empty), class_="stack")
    return card(title, joined(_who(event), changed), wide=True, hint=hint)


def _who(event: Answer) -> Markup:
    by_request = link("its request", f"/events{query(correlation_id=event['correlation_id'])}")
    why = joined(" — ", free_text(event, "reason")) if "reason" in event else ""
    return tag("p", joined("by ", event["actor"], why, " · ", by_request), class_="note")


def changes(change: Answer) -> Iterator[Row]:
    """Every figure that is not as it was before."""
    for wallet, found in change["wallets"].items():
        yield from _balances(wallet, found["assets"])
    for position in change["positions"]:
        yield from _position(position)
    for event in change["events"]:
        for wallet, level in event["margin_levels"].items():
            if level["before"] != level["after"]:
                yield name_of(wallet), "margin level", level["before"], level["after"], _moved(level)
    yield from _settings(change["from"], change["to"])


def _balances(wallet: str, assets: Answer) -> Iterator[Row]:
    for asset, parts in assets.items():
        for part, moved in parts.items():
            if moved["change"].strip("-0."):
                changed = signed(moved["change"], owed=part in OWED)
                yield name_of(wallet), f"{asset} {part}", amount(moved["from"]), amount(moved["to"]), changed


def _moved(level: Answer) -> Markup | None:
    """How far a level moved; None where it began or ended."""
    if level["before"] is None or level["after"] is None:
        return None
    return signed(f"{Decimal(level['after']) - Decimal(level['before']):f}")


def _position(position: Answer) -> Iterator[Row]:
    for part, title in POSITION_PARTS:
        moved = position[part]
        if moved["change"].strip("-0."):
            changed = signed(moved["change"]) if part == "realised_profit" else amount(moved["change"])
            what = f"position {position['pair']}, {title}"
            yield name_of(position["wallet"]), what, amount(moved["from"]), amount(moved["to"]), changed


def _settings(before: Answer, after: Answer) -> Iterator[Row]:
    for name, title in SETTINGS:
        if before[name] != after[name]:
            yield "account", title, _said(before[name]), _said(after[name]), None
    if before["cross"]["max_leverage"] != after["cross"]["max_leverage"]:
        yield "cross", "leverage", f"{before['cross']['max_leverage']}x", f"{after['cross']['max_leverage']}x", None
    for pair, bucket in after["isolated"].items():
        # A bucket that nothing was done with is not listed: it had the leverage that its pair gives.
        was = before["isolated"].get(pair, {}).get("max_leverage")
        if was != bucket["max_leverage"]:
            yield pair, "leverage", was and f"{was}x", f"{bucket['max_leverage']}x", None


def _said(value: Any) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{pair} {mode}" for pair, mode in value.items()) or None
    return ", ".join(value) or None if isinstance(value, list) else value
