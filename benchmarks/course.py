"""A whole run: the server, the set-up, the contenders, their rounds, and memory at the end."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from benchmarks.contenders.cold_account import ColdAccount, fresh_accounts_needed
from benchmarks.contenders.contender import Contender
from benchmarks.contenders.copying import Copying
from benchmarks.contenders.http import HttpBulk, HttpEmpty, HttpSingle, Sender, send_bulk, serve_empty, serve_ledger
from benchmarks.contenders.in_process import HotAccount, InProcess
from benchmarks.contenders.library import THREADS, Library, LibraryThreads
from benchmarks.contenders.sealed import Sealed
from benchmarks.contenders.two_writers import TwoWriters, Writers
from benchmarks.driving import drive, read
from benchmarks.measuring import Turn
from benchmarks.memory import measure_memory
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.rounds import interleave
from benchmarks.screen import Screen
from benchmarks.server import Databases, benchmark_server, describe_machine
from benchmarks.stage import age, commands_of_stage, set_the_stage, warming
from benchmarks.workload import Population, Script
from ledger import Ledger, collect_seldom


def run(plan: Plan, screen: Screen) -> Report:
    """Measure what the plan names, on a server of its own that is gone afterwards."""
    started = time.monotonic()
    collect_seldom()
    population = Population(plan.accounts, plan.seed)
    with benchmark_server() as databases:
        machine = describe_machine(databases.first)
        set_up = _set_up(plan, databases, population, screen)
        with ExitStack() as stack:
            contenders = _Entering(plan, databases, population, screen, stack).all()
            turns = interleave(contenders, plan.rounds, plan.seconds, screen)
        memory = _measure_memory(plan, databases, screen)
        return Report(plan, machine, set_up, turns, memory, time.monotonic() - started)


def _measure_memory(plan: Plan, databases: Databases, screen: Screen) -> dict[str, Any] | None:
    if plan.memory_accounts == 0:
        return None
    told = screen.step("touching accounts", plan.memory_accounts)
    return measure_memory(databases.migrated("memory"), plan.memory_accounts, told)


def _set_up(plan: Plan, databases: Databases, population: Population, screen: Screen) -> dict[str, float]:
    commands = list(commands_of_stage(population, fresh_accounts_needed(plan.rounds)))
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
        """In the order of their turns: COPY has the rows of the turn before, the empty handler its bodies."""
        two_writers = [name for name in ("two_writers_same", "two_writers_apart") if self._plan.has(name)]
        # Copies first: nobody may be connected to what is copied, and the work of others is not to be in them.
        writers_url = self._databases.copied("writers") if two_writers else ""
        http_url = self._databases.copied("http") if self._plan.has("http_bulk", "http_single") else ""
        if self._plan.has("library"):
            self._library()
        if self._plan.has("in_process", "hot_account"):
            self._in_process()
        if two_writers:
            self._two_writers(writers_url, two_writers)
        if http_url:
            self._http(http_url)
        if self._plan.has("cold_account_ms"):
            self._cold_account()
        return self._entered

    def _enter(self, contender: Contender) -> None:
        self._stack.callback(contender.close)
        self._entered.append(contender)

    def _library(self) -> None:
        told = self._screen.step("setting up the library", len(self._population.names))
        library = Library(self._databases.empty("library"), self._population, told)
        self._stack.callback(library.close)
        # Its aggregates live as long as the run: nobody's turn, its own neither, is to look through them for garbage.
        collect_seldom()
        for threads in (1, THREADS):
            self._enter(LibraryThreads(library, threads))

    def _in_process(self) -> None:
        url = self._databases.first
        ledger = self._stack.enter_context(Ledger(url))
        self._warm("the Ledger", lambda script: drive(ledger, script, read(script)))
        if self._plan.has("in_process"):
            in_process = InProcess(ledger, url, self._population)
            self._enter(in_process)
            if self._plan.has("copy"):
                self._enter(Copying(url, in_process))
        if self._plan.has("in_process_sealed"):
            self._enter(Sealed(ledger, url, self._population))
        if self._plan.has("hot_account"):
            self._enter(HotAccount(ledger, self._population))

    def _warm(self, what: str, send: Callable[[Script], Turn]) -> None:
        """Have every account in memory before the first turn."""
        told = self._screen.step(f"warming {what} up", len(self._population.names))
        for script in warming(self._population):
            turn = send(script)
            if turn.tally is None or turn.tally.replayed != len(script.commands):
                raise RuntimeError(f"not all was replayed: {turn.tally}")
            told(len(script.commands))

    def _two_writers(self, url: str, names: list[str]) -> None:
        writers = Writers(url)
        self._stack.callback(writers.close)
        self._warm("two writers", writers.work_off)
        for name in names:
            self._enter(TwoWriters(name, writers, self._population, apart=name == "two_writers_apart"))

    def _http(self, url: str) -> None:
        sender, server = Sender(), serve_ledger(url)
        self._stack.callback(sender.close)
        self._stack.callback(server.close)
        self._warm("the server", lambda script: send_bulk(sender, server, script))
        if self._plan.has("http_bulk"):
            self._enter(HttpBulk(sender, server, self._population))
        if self._plan.has("http_single"):
            single = HttpSingle(sender, server, self._population)
            self._enter(single)
            if self._plan.has("http_empty"):
                empty = serve_empty()
                self._stack.callback(empty.close)
                self._enter(HttpEmpty(sender, empty, single))

    def _cold_account(self) -> None:
        told = self._screen.step("giving one account a long history", self._plan.cold_events)
        with Ledger(self._databases.first) as ledger:
            age(ledger, self._population, self._plan.cold_events, told)
        self._enter(ColdAccount(self._databases.first))
