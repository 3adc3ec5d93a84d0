"""`ledger replay ACCOUNT`: its events one by one with what each changed, and its state at any position or time."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple

import psycopg
import typer

from api.answers import json_of
from api.command_line.conditions import Condition, read_condition
from api.command_line.history import Replay, Span, Stopped
from api.command_line.looking import logged_url
from api.command_line.points import POINT, POINT_HELP, point_of, time_of
from api.command_line.screen import Exit, note, say, stop
from api.command_line.stepping import keys, require_terminal, step_through
from api.command_line.telling import print_standing, step_json, told
from ledger.log import Connection, log_end, position_at
from ledger.postgres import SERVICE, connect
from projections.questions.points import LAST_TIME
from projections.snapshot import AsOf

UNTIL_HELP = (
    "Stop where this first holds, after an event or a price vector: 'cross.level < 1.3', 'isolated:BTC/USDT.level <= "
    "1.1', 'cross.USDT.free < 100', 'cross.band = margin_call'."
)


class Asked(NamedTuple):
    """What is replayed, in words beside: the points as they were asked for."""

    account: str
    span: Span
    words: str
    until: Condition | None


def replay(
    account: Annotated[str, typer.Argument(help="An account; @exchange and @prices are streams of the exchange.")],
    position: Annotated[int | None, typer.Option(min=0, help="As of this position of the log.")] = None,
    recorded_at: Annotated[str | None, typer.Option(metavar="TIME", help="As of what was recorded by then.")] = None,
    effective_at: Annotated[str | None, typer.Option(metavar="TIME", help="As of what counted by then.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar=POINT, help=f"Show what came after {POINT_HELP}.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar=POINT, help="Show what came up to a point.")] = None,
    effective: Annotated[
        bool, typer.Option("--effective", help="Times of --from and --to are business times.")
    ] = False,
    until: Annotated[str | None, typer.Option(metavar="CONDITION", help=UNTIL_HELP)] = None,
    step: Annotated[bool, typer.Option("--step", help="Show one event at a time, at each key the next.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell an account's events with what each changed, and its state as of their end; read from the log alone.

    A time is RFC 3339, such as 2020-03-12T10:45:00Z; without offset it is UTC. Ends with 1 where CONDITION never held.
    """
    condition = None if until is None else read_condition(until)
    start, end = _points(position, recorded_at, effective_at, first, last, effective=effective)
    if step and as_json:
        stop("--step shows one event at a time, --json prints all of them at once; give one of the two", Exit.USAGE)
    if step:
        require_terminal()
    with connect(logged_url("replay", [account]), application_name="ledger replay", role=SERVICE) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        asked = _asked(connection, account, start, end, condition)
        found = Replay(connection, account, asked.span)
    if not found.is_known:
        stop(f"there is no event of account {account} as of {asked.words}")
    if step:
        _step(asked, found)
    else:
        _tell_json(asked, found) if as_json else _tell(asked, found)
    if condition is not None and found.stopped is None and not step:
        _stop_where_it_never_held(condition, found)


def _stop_where_it_never_held(condition: Condition, found: Replay) -> None:
    condition.require_listed(found.walk.market)
    stop(f"{condition.text} did not hold anywhere; at the end {_subject(condition)} is {condition.told(found.walk)}")


def _points(
    position: int | None,
    recorded_at: str | None,
    effective_at: str | None,
    first: str | None,
    last: str | None,
    *,
    effective: bool,
) -> tuple[AsOf | None, AsOf | None]:
    """The first and the last point; each says by its kind in which order things are told."""
    ends = [
        AsOf("position", position) if position is not None else None,
        AsOf("recorded_at", time_of(recorded_at)) if recorded_at is not None else None,
        AsOf("effective_at", time_of(effective_at)) if effective_at is not None else None,
        point_of(last, effective=effective),
    ]
    stated = [end for end in ends if end is not None]
    if len(stated) > 1:
        stop("give one of --position, --recorded-at, --effective-at and --to: they ask for different ends", Exit.USAGE)
    end = stated[0] if stated else None
    by_business_time = effective or (end is not None and end.kind == "effective_at")
    start = point_of(first, effective=by_business_time)
    if by_business_time and (end or start) is None:
        stop("--effective says what the times of --from and --to are, and neither is given", Exit.USAGE)
    if end is not None and (end.kind == "effective_at") != by_business_time:
        stop(f"--effective orders events by business time, and a {end.kind} is none; give --to a time", Exit.USAGE)
    return start, end


def _asked(
    connection: Connection, account: str, first: AsOf | None, last: AsOf | None, until: Condition | None
) -> Asked:
    end = log_end(connection)[0]
    start = None if first is None else _place(connection, first, end)
    until_place, words = _end(connection, first, last, end)
    if start is not None and start > until_place:  # type: ignore[operator]  # Both are positions, or both times.
        stop(f"--from lies at {start}, after the end at {until_place}: there is nothing between", Exit.USAGE)
    known = until_place if isinstance(until_place, int) else end
    return Asked(account, Span(known, start, until_place), words, until)


def _place(connection: Connection, point: AsOf, end: int) -> int | datetime:
    """Where a point lies: a position of the log, or a business time."""
    if point.kind == "effective_at":
        return point.value
    if isinstance(point.value, datetime):
        return position_at(connection, point.value)
    if point.value > end:
        stop(f"the log ends at position {end}, {point.value} is yet to come")
    return point.value


def _end(connection: Connection, first: AsOf | None, last: AsOf | None, end: int) -> tuple[int | datetime, str]:
    if last is None:
        place = LAST_TIME if first is not None and first.kind == "effective_at" else end
        return place, f"position {end}, the log's end"
    place = _place(connection, last, end)
    if isinstance(place, datetime):
        return place, f"{place.isoformat()}, dated up to then (known at position {end})"
    if isinstance(last.value, datetime):
        return place, f"{last.value.isoformat()}, recorded by then (position {place})"
    return place, f"position {place}"


def _tell_json(asked: Asked, found: Replay) -> None:
    before = found.standing() if asked.span.first is not None else None
    events = [step_json(passage.step, passage.event) for passage in found.passages(asked.until)]
    last = asked.span.last
    dated = last if isinstance(last, datetime) and last != LAST_TIME else None
    as_of = {"position": asked.span.position, "effective_at": dated}
    stopped = None if found.stopped is None else _stopped_json(found.stopped)
    told_first = {"from": asked.span.first, "before": before}
    everything = {"account_id": asked.account, "as_of": as_of, **told_first, "events": events, "stopped": stopped}
    say(json_of({**everything, "state": found.standing()}, indent=2))


def _stopped_json(stopped: Stopped) -> dict[str, Any]:
    one = stopped.recorded
    return {
        "condition": stopped.condition.text,
        "value": stopped.value,
        "position": one and one.position,
        "recorded_at": one and one.recorded_at,
        "effective_at": one and one.event.effective_at,
        "topic": one and one.event.TOPIC,
    }


def _tell(asked: Asked, found: Replay) -> None:
    before = found.standing() if asked.span.first is not None else None
    passages = list(found.passages(asked.until))
    after = "" if asked.span.first is None else f" after {asked.span.first}"
    say(f"{asked.account} as of {asked.words}: {len(passages)} events{after}\n")
    if before is not None:
        say("the state before them\n")
        print_standing(before)
        say("")
    for passage in passages:
        for line in told(passage.step, passage.event):
            say(line)
    _tell_end(found)


def _tell_end(found: Replay) -> None:
    if found.stopped is not None:
        say(f"\n{_stop_told(found.stopped)}")
    standing = found.standing()
    if standing is not None:
        say("\nthe state they leave\n")
        print_standing(standing)


def _stop_told(stopped: Stopped) -> str:
    one, condition = stopped.recorded, stopped.condition
    where = (
        "at the first point already"
        if one is None
        else f"at #{one.position} {one.event.TOPIC}, of {one.event.effective_at:%Y-%m-%d %H:%M:%S}"
    )
    return f"stopped {where}: {_subject(condition)} is {stopped.value}, and {condition.text} holds"


def _subject(condition: Condition) -> str:
    return ".".join(part for part in (condition.wallet, condition.asset, condition.figure) if part is not None)


def _step(asked: Asked, found: Replay) -> None:
    say(f"{asked.account} as of {asked.words}, step by step\n")
    with keys() as read_key:
        came_to_the_end = step_through(found.passages(asked.until, whole=True), read_key)
    if came_to_the_end:
        if found.stopped is not None:
            say(_stop_told(found.stopped))
        elif asked.until is not None:
            note(f"{asked.until.text} did not hold anywhere")
        say("-- that was the last step")
