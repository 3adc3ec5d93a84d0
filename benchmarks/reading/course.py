"""A whole run of the read side: the server, the log, the rounds, the live projections, and questions to them."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.reading.copying import Copying
from benchmarks.reading.library_runner import LibraryRunner
from benchmarks.reading.live import catch_up_live, measure_lag
from benchmarks.reading.log import MadeLog, make_log
from benchmarks.reading.plan import ReadPlan
from benchmarks.reading.questions import QUESTIONS, QUICKLY, THOROUGHLY
from benchmarks.reading.rebuild import Rebuild
from benchmarks.reading.report import ReadReport
from benchmarks.reading.turn import ReadTurn
from benchmarks.screen import Screen
from benchmarks.server import PREFIX, Databases, benchmark_server, describe_machine
from ledger import collect_seldom


def run(plan: ReadPlan, screen: Screen) -> ReadReport:
    """Measure what the plan says, on a server of its own that is gone afterwards."""
    started = time.monotonic()
    collect_seldom()
    with benchmark_server() as databases:
        machine = describe_machine(databases.first)
        log = make_log(plan, databases.first, screen.step("recording events", plan.events))
        turns = _take_turns(plan, databases, log, screen)
        turns["live"] = [catch_up_live(log, screen.step("catching up live", log.events))]
        answers = _ask(log, plan, screen)
        # Last, as it lets the log grow.
        lag = measure_lag(log, plan.asked, screen.step("following commands", plan.asked))
    return ReadReport(plan, machine, log, turns, lag, answers, time.monotonic() - started)


def _take_turns(plan: ReadPlan, databases: Databases, log: MadeLog, screen: Screen) -> dict[str, list[ReadTurn]]:
    """The turns of each contender by its name, one for each round."""
    library_events = min(plan.library_events, log.events)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        contenders = (
            Rebuild(databases.first, log.events, screen),
            Copying(databases.first, Path(folder), screen),
            LibraryRunner(databases, library_events, screen, waits=True),
            LibraryRunner(databases, library_events, screen, waits=False),
        )
        turns: dict[str, list[ReadTurn]] = {contender.name: [] for contender in contenders}
        for number in range(plan.rounds):
            screen.say(f"round {number + 1} of {plan.rounds}")
            for contender in contenders:
                turns[contender.name].append(contender.turn())
    if [turn.rows for turn in turns["rebuild"]] != [turn.rows for turn in turns["copy"]]:
        raise RuntimeError(f"COPY wrote other rows than the rebuild did: {turns['rebuild']}, {turns['copy']}")
    return turns


def _ask(log: MadeLog, plan: ReadPlan, screen: Screen) -> dict[str, Mapping[str, float]]:
    told = screen.step("asking", len(QUESTIONS))
    answers = {}
    for name, ask in QUESTIONS:
        answers[name] = ask(log, QUICKLY if plan.is_quick else THOROUGHLY)
        told(1)
    return answers
