"""`ledger replay ACCOUNT`: its events one by one with what each changed, and its state at any position or time."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import psycopg
import typer

from api.command_line.database import readable_url
from api.command_line.history import BalanceChange, PositionChange, Step, dated_up_to, market_of, steps_of
from api.command_line.screen import Exit, out, say, stop, table_of
from api.command_line.standing import standing_of
from ledger.account import Account
from ledger.events import write_event
from ledger.log import Connection, RecordedEvent, log_end, position_at, read_positions, read_stream
from ledger.money import plain
from ledger.postgres import connect
from ledger.words import EXCHANGE, PRICES, Line

ENVELOPE = {"account_id", "version", "effective_at", "actor", "correlation_id", "idempotency_key", "reason"}

_PLACES = """
select notification_id, originator_version, topic from events
where originator_id = %s and notification_id <= %s order by originator_version
"""


class AsOf(NamedTuple):
    """Up to where events count: a position of the log, and within it a business time."""

    position: int
    effective_at: datetime | None
    words: str


def replay(
    account: Annotated[str, typer.Argument(help="An account; @exchange and @prices are streams of the exchange.")],
    position: Annotated[int | None, typer.Option(min=0, help="As of this position of the log.")] = None,
    recorded_at: Annotated[str | None, typer.Option(metavar="TIME", help="As of what was recorded by then.")] = None,
    effective_at: Annotated[str | None, typer.Option(metavar="TIME", help="As of what counted by then.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell an account's events with what each changed, and its state as of their end; read from the log alone.

    A time is RFC 3339, such as 2020-03-12T10:45:00Z; without offset it is UTC.
    """
    if sum(asked is not None for asked in (position, recorded_at, effective_at)) > 1:
        stop("give one of --position, --recorded-at and --effective-at: they ask for different things", Exit.USAGE)
    with connect(readable_url(), application_name="ledger replay") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        as_of = _as_of(connection, position, _time(recorded_at), _time(effective_at))
        recorded = _read(connection, account, as_of)
        if not recorded:
            stop(f"there is no event of account {account} as of {as_of.words}")
        state = Account.unopened(account)
        steps = list(steps_of(state, recorded))
        standing = None if account in (EXCHANGE, PRICES) else standing_of(state, _market(connection, as_of))
    _print_json(account, as_of, steps, standing) if as_json else _print(account, as_of, steps, standing)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        stop(f"{text!r} is no time such as 2020-03-12T10:45:00Z", Exit.USAGE)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _as_of(
    connection: Connection, position: int | None, recorded_at: datetime | None, effective_at: datetime | None
) -> AsOf:
    end = log_end(connection)[0]
    if position is not None and position > end:
        stop(f"the log ends at position {end}, {position} is yet to come")
    if position is not None:
        return AsOf(position, None, f"position {position}")
    if recorded_at is not None:
        found = position_at(connection, recorded_at)
        return AsOf(found, None, f"{recorded_at.isoformat()}, recorded by then (position {found})")
    if effective_at is not None:
        return AsOf(end, effective_at, f"{effective_at.isoformat()}, dated up to then (known at position {end})")
    return AsOf(end, None, f"position {end}, the log's end")


def _read(connection: Connection, stream: str, as_of: AsOf) -> list[RecordedEvent]:
    try:
        recorded = read_stream(connection, stream, until_position=as_of.position)
    except psycopg.Error:
        raise
    except Exception:
        recorded = _readable(connection, stream, as_of)
    return dated_up_to(recorded, as_of.effective_at)


def _readable(connection: Connection, stream: str, as_of: AsOf) -> list[RecordedEvent]:
    """The events one by one; ends the command with the first that cannot be read, where it counts."""
    recorded: list[RecordedEvent] = []
    for position, version, topic in connection.execute(_PLACES, [stream, as_of.position]).fetchall():
        try:
            recorded += read_positions(connection, [position])
        except psycopg.Error:
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            stop(f"event {position}, version {version} of {stream} ({topic}), cannot be read: {reason}")
    return recorded


def _market(connection: Connection, as_of: AsOf) -> Any:
    return market_of([*_read(connection, EXCHANGE, as_of), *_read(connection, PRICES, as_of)])


def _print_json(account: str, as_of: AsOf, steps: Sequence[Step], standing: dict[str, Any] | None) -> None:
    asked = {"position": as_of.position, "effective_at": as_of.effective_at and as_of.effective_at.isoformat()}
    events = [_step_json(step) for step in steps]
    say(json.dumps({"account_id": account, "as_of": asked, "events": events, "state": standing}, indent=2))


def _step_json(step: Step) -> dict[str, Any]:
    one = step.recorded
    return {
        "position": one.position,
        "recorded_at": one.recorded_at.isoformat(),
        "topic": one.event.TOPIC,
        "event": json.loads(write_event(one.event)),
        "postings": [
            {"book": line.book.path, "asset": line.asset, "amount": plain(line.amount)} for line in step.lines
        ],
        "balances": [
            {
                "wallet": change.wallet,
                "asset": change.asset,
                "before": _plain(change.before),
                "after": _plain(change.after),
            }
            for change in step.balances
        ],
        "positions": [
            {
                "wallet": change.wallet,
                "pair": change.pair,
                "before": _plain(change.before),
                "after": _plain(change.after),
            }
            for change in step.positions
        ],
    }


def _plain(amounts: NamedTuple) -> dict[str, str]:
    return {name: plain(amount) for name, amount in amounts._asdict().items()}


def _print(account: str, as_of: AsOf, steps: Sequence[Step], standing: dict[str, Any] | None) -> None:
    say(f"{account} as of {as_of.words}: {len(steps)} events\n")
    for step in steps:
        for line in _told(step):
            say(line)
    if standing is not None:
        say("\nthe state they leave\n")
        _print_standing(standing)


def _told(step: Step) -> Iterator[str]:
    event, own = step.recorded.event, step.recorded.event.account_id
    heading = (
        f"#{step.recorded.position} version {event.version}  {event.effective_at:%Y-%m-%d %H:%M:%S}  {event.TOPIC}"
    )
    yield f"{heading}  by {event.actor}{f': {event.reason}' if event.reason else ''}"
    yield from (f"      {text}" for text in _facts(event.model_dump(mode="json", exclude=ENVELOPE, exclude_none=True)))
    yield from (f"    + {_posted(line)}" for line in step.lines if line.book.account_id in (own, None))
    yield from (f"    = {change.wallet} {change.asset}: {_moved(change)}" for change in step.balances)
    yield from (f"    = position {change.pair} in {change.wallet}: {_moved(change)}" for change in step.positions)


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
    before, after = _plain(change.before), _plain(change.after)
    return ", ".join(f"{name} {before[name]} -> {after[name]}" for name in before if before[name] != after[name])


def _print_standing(standing: dict[str, Any]) -> None:
    rows = [
        (wallet, asset, *(balance[part] for part in ("free", "locked", "borrowed", "interest", "net")))
        for wallet, content in standing["wallets"].items()
        for asset, balance in content["assets"].items()
    ]
    columns = ["wallet", "asset", "free", "locked", "borrowed", "interest", "net"]
    out().print(table_of(None, columns, rows, right=range(2, 7)))
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
