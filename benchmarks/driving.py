"""Commands through a Ledger of this process, with a few requests under way so that its writer is never idle."""

import gc
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import cycle

from benchmarks.measuring import Turn, Wait
from benchmarks.tally import tally_outcomes
from benchmarks.workload import Script
from ledger import Command, Ledger, Outcome, parse_command

ACTOR = "benchmark"
BATCH_COMMANDS = 1_000
REQUESTS_UNDER_WAY = 4

Asking = tuple[float, int, "Future[list[Outcome]]"]


def read(script: Script) -> list[Command]:
    """The script's commands, parsed before any clock runs, and no garbage left from it."""
    commands = [parse_command(asked) for asked in script.commands]
    gc.collect()
    return commands


def drive(ledger: Ledger, script: Script, commands: Sequence[Command], actors: Sequence[str] = (ACTOR,)) -> Turn:
    """One turn: every command is answered when it ends; `actors` send a request each, in turn."""
    asking = cycle(actors)
    waiting: deque[Asking] = deque()
    waits: list[Wait] = []
    outcomes: list[list[Outcome]] = []
    started = time.perf_counter()
    for start in range(0, len(commands), BATCH_COMMANDS):
        if len(waiting) == REQUESTS_UNDER_WAY:
            outcomes.append(_answered(waiting.popleft(), waits))
        part = commands[start : start + BATCH_COMMANDS]
        waiting.append((time.perf_counter(), len(part), ledger.submit_async(part, actor=next(asking))))
    while waiting:
        outcomes.append(_answered(waiting.popleft(), waits))
    seconds = time.perf_counter() - started
    tally = tally_outcomes(outcome for part in outcomes for outcome in part).planned(script)
    return Turn(len(commands), seconds, waits, tally, started=started)


def _answered(asking: Asking, waits: list[Wait]) -> list[Outcome]:
    asked_at, commands, future = asking
    outcomes = future.result()
    waits.append(Wait(1000 * (time.perf_counter() - asked_at), commands))
    return outcomes
