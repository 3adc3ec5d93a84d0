"""A whole run: the server, the set-up, the contenders, their rounds, and memory at the end."""

import time
from contextlib import ExitStack

from benchmarks.contenders.contender import Contender
from benchmarks.contenders.copying import Copying
from benchmarks.contenders.in_process import HotAccount, InProcess
from benchmarks.contenders.library import THREADS, Library, LibraryThreads
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.rounds import interleave
from benchmarks.screen import Screen
from benchmarks.server import Databases, benchmark_server, describe_machine
from benchmarks.stage import commands_of_stage, set_the_stage
from benchmarks.workload import Population
from ledger import Ledger


def run(plan: Plan, screen: Screen) -> Report:
    """Measure what the plan names, on a server of its own that is gone afterwards."""
    started = time.monotonic()
    population = Population(plan.accounts, plan.seed)
    with benchmark_server() as databases:
        machine = describe_machine(databases.first)
        set_up = _set_up(databases, population, screen)
        with ExitStack() as stack:
            contenders = _Entering(plan, databases, population, screen, stack).all()
            turns = interleave(contenders, plan.rounds, plan.seconds, screen)
        return Report(plan, machine, set_up, turns, None, time.monotonic() - started)


def _set_up(databases: Databases, population: Population, screen: Screen) -> dict[str, float]:
    commands = list(commands_of_stage(population, 0))
    with Ledger(databases.first) as ledger:
        turn = set_the_stage(ledger, iter(commands), screen.step("setting up accounts", len(commands)))
    return {"commands": turn.commands, "seconds": round(turn.seconds, 1), "rate_per_second": round(turn.rate, 1)}


class _Entering:
    """Makes the contenders that the plan names; all are closed with the stack."""

    def __init__(
        self, plan: Plan, databases: Databases, population: Population, screen: Screen, stack: ExitStack
    ) -> None:
        self._plan, self._databases, self._population = plan, databases, population
        self._screen, self._stack = screen, stack
        self._entered: list[Contender] = []

    def all(self) -> list[Contender]:
        """In the order of their turns; COPY has the rows of the turn before."""
        if self._plan.has("library"):
            self._library()
        if self._plan.has("in_process", "hot_account"):
            self._in_process()
        return self._entered

    def _enter(self, contender: Contender) -> None:
        self._stack.callback(contender.close)
        self._entered.append(contender)

    def _library(self) -> None:
        told = self._screen.step("setting up the library", len(self._population.names))
        library = Library(self._databases.empty("library"), self._population, told)
        self._stack.callback(library.close)
        for threads in (1, THREADS):
            self._enter(LibraryThreads(library, threads))

    def _in_process(self) -> None:
        url = self._databases.first
        ledger = self._stack.enter_context(Ledger(url))
        if self._plan.has("in_process"):
            in_process = InProcess(ledger, url, self._population)
            self._enter(in_process)
            if self._plan.has("copy"):
                self._enter(Copying(url, in_process))
        if self._plan.has("hot_account"):
            self._enter(HotAccount(ledger, self._population))
