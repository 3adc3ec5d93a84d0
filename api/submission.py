"""Commands on their way in: each read, allowed, decided, and answered in the order asked."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from api import jobs
from api.answers import results, word_of
from api.bodies import JsonObject
from api.doors import Doors, run_in_order
from api.roles import Caller, require_may_send
from ledger import Command, Malformed, Outcome, Refusal, Refused, Unavailable, parse_command
from ledger.errors import BatchRefused

READ_INLINE = 50
"""Up to so many commands are read at once; more would keep other requests waiting, and are read in a thread."""


class Sender(NamedTuple):
    """Who sends commands, and how: all or none where `atomic`."""

    caller: Caller
    correlation_id: str
    atomic: bool = False


def with_key(contents: list[JsonObject], key: str | None) -> list[JsonObject]:
    """The one object with the key of the header Idempotency-Key; Malformed for several, or with another of its own."""
    if key is None:
        return contents
    if len(contents) != 1:
        raise Malformed(
            f"a header Idempotency-Key serves for one command, the body has {len(contents)}; key each in the body"
        )
    stated = contents[0].get("idempotency_key")
    if stated is not None and stated != key:
        raise Malformed("the header Idempotency-Key and the idempotency_key of the body differ; state one of them")
    return [{**contents[0], "idempotency_key": key}]


async def answer_one(doors: Doors, content: JsonObject, sender: Sender) -> bytes:
    """The answer to one object alone: results of one; raises its refusal."""
    outcomes = await _decide(doors, [read_command(content, sender.caller)], sender)
    if isinstance(outcomes[0], Refused):
        raise outcomes[0].refusal
    return results(outcomes)


async def answer_all(doors: Doors, contents: list[JsonObject], sender: Sender) -> bytes:
    """The answer to a list: results in the order asked, refused ones too; raises only if the house was not there."""
    outcomes = await _submit(doors, contents, sender)
    lost = [one.refusal for one in outcomes if isinstance(one, Refused) and isinstance(one.refusal, Unavailable)]
    if lost and len(lost) == len(outcomes):
        raise lost[0]
    return results(outcomes)


async def _submit(doors: Doors, contents: list[JsonObject], sender: Sender) -> Sequence[Outcome]:
    """The outcome of each object; one that is malformed or not allowed keeps no other from being decided."""
    if len(contents) <= READ_INLINE:
        read = _read_all(contents, sender.caller)
    else:
        read = await run_in_order(_read_all, contents, sender.caller)
    commands = [command for command in read if not isinstance(command, Refused)]
    if len(commands) == len(read):
        return await _decide(doors, commands, sender)
    if sender.atomic:
        return [one if isinstance(one, Refused) else Refused(_batch_refused(read)) for one in read]
    decided = iter(await _decide(doors, commands, sender))
    return [one if isinstance(one, Refused) else next(decided) for one in read]


def _read_all(contents: list[JsonObject], caller: Caller) -> list[Command | Refused]:
    return [_read_or_refuse(content, caller) for content in contents]


def _read_or_refuse(content: JsonObject, caller: Caller) -> Command | Refused:
    try:
        return read_command(content, caller)
    except Refusal as refusal:
        # What it came from leads to frames that come to hold the refusal, a cycle that only the collector would free.
        refusal.__context__ = None
        return Refused(refusal.with_traceback(None))


def read_command(content: JsonObject, caller: Caller) -> Command:
    """The command that an object is; raises its refusal, also where the caller may not send it."""
    command = parse_command(content)
    require_may_send(caller, command)
    return command


def _batch_refused(read: Sequence[Command | Refused]) -> BatchRefused:
    place = next(place for place, one in enumerate(read, 1) if isinstance(one, Refused))
    return BatchRefused(
        f"command {place} of {len(read)} in this atomic batch was refused, so none was recorded; "
        "correct it or leave it out"
    )


async def _decide(doors: Doors, commands: Sequence[Command], sender: Sender) -> Sequence[Outcome]:
    outcomes = await _outcomes(doors, commands, sender) if commands else []
    doors.decided.update(map(word_of, outcomes))
    return outcomes


async def _outcomes(doors: Doors, commands: Sequence[Command], sender: Sender) -> Sequence[Outcome]:
    actor, correlation_id, atomic = sender.caller.actor, sender.correlation_id, sender.atomic
    if not any(map(jobs.is_job, commands)):
        return await doors.crossing.submit(commands, actor=actor, correlation_id=correlation_id, atomic=atomic)
    return await run_in_threadpool(
        jobs.submit,
        doors.ledger,
        doors.pool,
        commands,
        actor=actor,
        correlation_id=correlation_id,
        atomic=atomic,
        wait_seconds=doors.wait_seconds,
    )
