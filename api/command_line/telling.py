"""The steps and states of a replay in words, and as JSON."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from api.command_line.screen import out, say, table_of
from ledger.margin import Margin
from ledger.money import plain
from ledger.words import Line, pair_of
from projections.questions.margin_wallet import band, collateral_level, level, sums
from projections.questions.walk import BalanceChange, MarginChange, PositionChange, Step

ENVELOPE = {"account_id", "version", "effective_at", "actor", "correlation_id", "idempotency_key", "reason"}
PARTS = ("free", "locked", "borrowed", "interest")


def step_json(step: Step, event: dict[str, Any]) -> dict[str, Any]:
    """One event, its lines, and what it changed: balances, positions, and how margin wallets stood at its prices."""
    one = step.recorded
    return {
        "position": one.position,
        "recorded_at": one.recorded_at.isoformat(),
        "topic": one.event.TOPIC,
        "event": event,
        "postings": [
            {"book": line.book.path, "asset": line.asset, "amount": plain(line.amount)} for line in step.lines
        ],
        "balances": [{"wallet": one.wallet, "asset": one.asset, **_both(one)} for one in step.balances],
        "positions": [{"wallet": one.wallet, "pair": one.pair, **_both(one)} for one in step.positions],
        "margins": [
            {"wallet": name, "before": _margin(name, change.before), "after": _margin(name, change.after)}
            for name, change in step.margins.items()
        ],
    }


def _both(change: BalanceChange | PositionChange) -> dict[str, Any]:
    return {"before": _plain(change.before), "after": _plain(change.after)}


def _plain(amounts: NamedTuple) -> dict[str, str]:
    return {name: plain(amount) for name, amount in amounts._asdict().items()}


def _margin(name: str, margin: Margin | None) -> dict[str, str | None]:
    """A margin wallet's figures at the prices of the moment; None where nothing is owed or a price is lacking."""
    pooled = {"collateral_margin_level": collateral_level(margin)} if pair_of(name) is None else {}
    return {"equity": sums(margin)["equity"], "margin_level": level(margin), **pooled, "band": band(margin)}


def told(step: Step, content: dict[str, Any]) -> Iterator[str]:
    """A step in lines: who did what, what was posted (+), what changed (=), and how levels moved (~).

    `content` is its event as JSON, with texts as they can be shown.
    """
    event, own = step.recorded.event, step.recorded.event.account_id
    heading = (
        f"#{step.recorded.position} version {event.version}  {event.effective_at:%Y-%m-%d %H:%M:%S}  {event.TOPIC}"
    )
    reason = content.get("reason")
    yield f"{heading}  by {event.actor}{f': {reason}' if reason else ''}"
    facts = {name: value for name, value in content.items() if name not in ENVELOPE and value is not None}
    yield from (f"      {text}" for text in _facts(facts))
    yield from (f"    + {_posted(line)}" for line in step.lines if line.book.account_id in (own, None))
    yield from (f"    = {change.wallet} {change.asset}: {_moved(change)}" for change in step.balances)
    yield from (f"    = position {change.pair} in {change.wallet}: {_moved(change)}" for change in step.positions)
    for name, margin in step.margins.items():
        if figures := _levels(name, margin):
            yield f"    ~ {name}: {figures}"


def _facts(content: dict[str, Any]) -> Iterator[str]:
    """What an event states: what is short in one line, each longer part in one of its own."""
    short = {name: value for name, value in content.items() if not isinstance(value, dict | list)}
    if short:
        yield "  ".join(f"{name} {value}" for name, value in short.items())
    for name, value in content.items():
        if name not in short and value:
            yield f"{name} {json.dumps(value)}"


def _posted(line: Line) -> str:
    return f"{line.book.path} {line.amount:+f} {line.asset}"


def _moved(change: BalanceChange | PositionChange) -> str:
    return _arrows(_plain(change.before), _plain(change.after))


def _levels(name: str, change: MarginChange) -> str:
    return _arrows(_margin(name, change.before), _margin(name, change.after))


def _arrows(before: dict[str, Any], after: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {_named(before[name])} -> {_named(after[name])}" for name in before if before[name] != after[name]
    )


def _named(value: str | None) -> str:
    return "none" if value is None else value


def print_standing(standing: dict[str, Any]) -> None:
    """A state: balances as a table, levels, positions and settings as lines."""
    rows = [
        (wallet, asset, *(balance[part] for part in (*PARTS, "net")))
        for wallet, content in standing["wallets"].items()
        for asset, balance in content["assets"].items()
    ]
    out().print(table_of(None, ["wallet", "asset", *PARTS, "net"], rows, right=range(2, 7)))
    for wallet, content in standing["wallets"].items():
        levels = {name: value for name, value in content.items() if name != "assets" and value is not None}
        if levels:
            say(f"{wallet}: {'  '.join(f'{name} {value}' for name, value in levels.items())}")
    for position in standing["positions"]:
        say(f"position {'  '.join(f'{name} {value}' for name, value in position.items())}")
    settings = {name: standing[name] for name in ("status", "blocks", "margin_modes", "leverages", "holds")}
    say(
        "  ".join(
            f"{name} {json.dumps(value) if isinstance(value, dict | list) else value}"
            for name, value in settings.items()
            if value
        )
    )
    if standing["backdated"]:
        say("backdated: a balance is below zero, since what covers it counts only later")
