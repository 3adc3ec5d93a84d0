"""Decisions made once more: the same command on the account and the market of then must give the very same bytes."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from psycopg.rows import tuple_row

from ledger import account as rules
from ledger import events as e
from ledger.account import Account, AccountCommand
from ledger.commands import Command, parse_kept
from ledger.decision import Context
from ledger.errors import Malformed, Refusal
from ledger.log import Connection, RecordedEvent, StoredRow, read_rows
from ledger.market import Market
from ledger.words import Execution
from projections.questions.explanation_checks import Check
from projections.questions.explanation_prices import LoggedMark, newest_time

CONTENT = "select content::text from idempotency_keys where account_id = %s and key = %s"
NOT_SHOWN = "(none)"


class Standing(NamedTuple):
    """What a decision was made on: the account just before it, the market with the prices of its position."""

    account: Account
    market: Market


class Asked(NamedTuple):
    """A command that may have led to a decision, and how it is known: by its idempotency key or by its events."""

    command: Command
    known_by: str


def market_with(market: Market, marks: dict[str, LoggedMark]) -> Market:
    """The market as a decision saw it that was made at these prices."""
    prices = {pair: logged.mark for pair, logged in marks.items()}
    return replace(market, prices=prices, newest_prices_at=newest_time(prices.values()))


class Again(NamedTuple):
    """A decision made once more: what was asked, and each event compared."""

    first: RecordedEvent
    asked: Asked | None
    checks: list[Check]

    def told(self) -> dict[str, Any]:
        asked = self.asked
        return {
            "position": self.first.position,
            "command": None if asked is None else asked.command.type,
            "known_by": None if asked is None else asked.known_by,
            "events": sum(check.name.endswith(" decided again") for check in self.checks),
            "agrees": all(check.agrees for check in self.checks),
        }


def decide_again(connection: Connection, group: Sequence[RecordedEvent], standing: Standing, known: int) -> Again:
    """Decides what led to these events; of several commands that it may have been, the first that leads to them."""
    found: Again | None = None
    for asked in _asked(connection, group):
        again = Again(group[0], asked, list(_compared(connection, group, asked, standing, known)))
        if all(check.agrees for check in again.checks):
            return again
        found = found or again
    if found is not None:
        return found
    first = group[0]
    why = f"what was asked for is not kept under the key {first.event.idempotency_key} and its events do not tell it"
    return Again(first, None, [_lacking(first, f"{first.event.TOPIC} decided again", why)])


def _lacking(recorded: RecordedEvent, name: str, why: str) -> Check:
    return Check(name, recorded.position, "recorded", why, agrees=False)


def _asked(connection: Connection, group: Sequence[RecordedEvent]) -> Iterator[Asked]:
    kept = _kept(connection, group[0].event)
    if kept is not None:
        yield Asked(kept, "its idempotency key")
        return
    for content in _contents(group):
        yield Asked(parse_kept(content, group[0].event.idempotency_key), "its events")


def _kept(connection: Connection, event: e.AnyEvent) -> Command | None:
    """The command as it is kept with its key; None without a key, or of a kind that is taken no more."""
    cursor = connection.cursor(row_factory=tuple_row)
    row = cursor.execute(CONTENT, [event.account_id, event.idempotency_key]).fetchone()
    if row is None or row[0] is None:
        return None
    try:
        return parse_kept(json.loads(row[0]), event.idempotency_key)
    except Malformed:
        return None


def _contents(group: Sequence[RecordedEvent]) -> Iterator[dict[str, Any]]:
    """The commands that end in such events, the likelier first."""
    first = group[0].event
    asked = {
        "account_id": first.account_id,
        "effective_at": first.effective_at.isoformat(),
        "reason": first.reason,
    }
    for one in group:
        match one.event:
            case e.MarginCalled(wallet=wallet):
                yield {**asked, "type": "examine", "wallet": wallet}
                return
            case e.LiquidationStarted(wallet=wallet, execution=execution):
                examine = {**asked, "type": "examine", "wallet": wallet}
                # A decision without a key is an examination's: to liquidate needs one.
                liquidate = {**asked, "type": "liquidate", "wallet": wallet, "execution": str(execution)}
                likely = [examine, liquidate] if execution is Execution.HOUSE else [liquidate, examine]
                yield from (one for one in likely if one["type"] == "examine" or first.idempotency_key is not None)
                return
            case e.LiquidationCompleted(liquidation_id=liquidation_id) if first.idempotency_key is not None:
                yield {**asked, "type": "complete_liquidation", "liquidation_id": liquidation_id}
                return
            case _:
                pass


def _compared(
    connection: Connection, group: Sequence[RecordedEvent], asked: Asked, standing: Standing, known: int
) -> Iterator[Check]:
    first = group[0]
    try:
        decided = _decided(asked.command, first.event, standing)
    except Refusal as refusal:
        yield _lacking(first, f"{first.event.TOPIC} decided again", f"refused: {refusal.detail}")
        return
    rows = [row for row in read_rows(connection, first.position - 1, len(decided)) if row.position <= known]
    for row, event in zip(rows, decided, strict=False):
        yield from _same(row, event)
    if len(decided) < len(group):
        missing = group[len(decided)]
        yield _lacking(missing, f"{missing.event.TOPIC} decided again", f"the decision has {len(decided)} events")
    elif len(rows) < len(decided) and first.position + len(rows) <= known:
        topic = decided[len(rows)].TOPIC
        yield Check(f"{topic} decided again", first.position + len(rows), NOT_SHOWN, "decided", agrees=False)


def _decided(command: Command, event: e.AnyEvent, standing: Standing) -> list[e.AccountEvent]:
    context = Context(event.effective_at, event.actor, event.correlation_id)
    accounts = {standing.account.id: standing.account}
    return list(rules.decide(cast(AccountCommand, command), accounts, standing.market, context).events)


def _same(row: StoredRow, event: e.AccountEvent) -> Iterator[Check]:
    """An event by the SHA-256 of its bytes; where these differ, each field that does."""
    written = e.write_event(event)
    topics = (row.originator_id, row.topic) == (event.account_id, event.TOPIC)
    name = f"{row.topic} decided again"
    if topics and row.state == written:
        digest = hashlib.sha256(written).hexdigest()
        yield Check(name, row.position, digest, digest, agrees=True)
        return
    stated, found = hashlib.sha256(row.state).hexdigest(), hashlib.sha256(written).hexdigest()
    yield Check(name, row.position, stated, f"{event.TOPIC} {found}", agrees=False)
    if topics:
        yield from _fields(row, json.loads(row.state), json.loads(written))


def _fields(row: StoredRow, stated: Any, found: Any, path: str = "") -> Iterator[Check]:
    if isinstance(stated, dict) and isinstance(found, dict):
        for name in {**stated, **found}:
            yield from _fields(row, stated.get(name), found.get(name), f"{path}.{name}" if path else name)
    elif stated != found:
        yield Check(f"{row.topic} {path}", row.position, _text(stated), _text(found), agrees=False)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
