"""Two processes with a Ledger each on one database: on the same accounts, or each on its own half of them."""

from benchmarks.driving import BATCH_COMMANDS
from benchmarks.measuring import Pace, Turn, Wait
from benchmarks.processes.child import Child, Message
from benchmarks.tally import Tally
from benchmarks.workload import HALVES, Population, Script, Stream

GUESSED_RATE = 4_000.0


class Writers:
    """The two processes, started once; both contenders use them in turn."""

    def __init__(self, url: str) -> None:
        self.children = [Child(url, module="benchmarks.processes.writer") for _ in range(HALVES)]

    def work_off(self, *scripts: Script) -> Turn:
        """Both at one word, each its own script, or the same one where there is one only."""
        for child, script in zip(self.children, scripts * (HALVES // len(scripts)), strict=True):
            child.tell(script._asdict())
        for child in self.children:
            child.hear()
        for child in self.children:
            child.tell({"start": True})
        turns = [_read(child.hear()) for child in self.children]
        return turns[0] if len(scripts) == 1 else _together(turns)

    def close(self) -> None:
        for child in self.children:
            child.close()


class TwoWriters:
    """Both start at one word; the rate is of all commands over the time from the first start to the last end.

    One of the two marks prices, as one process does in a real house: two clocks would now and then disagree about
    which vector is the newer one.
    """

    def __init__(self, name: str, writers: Writers, population: Population, *, apart: bool) -> None:
        self.name = name
        self._writers = writers
        self._pace = Pace(GUESSED_RATE, HALVES * BATCH_COMMANDS)
        self._streams = [
            Stream(f"{name}-{place}", population, half=place if apart else None, marks=place == 0)
            for place in range(HALVES)
        ]

    def turn(self, seconds: float) -> Turn:
        commands = self._pace.commands(seconds) // HALVES
        scripts = [stream.script(commands) for stream in self._streams]
        return self._pace.learn(self._writers.work_off(*scripts))

    def close(self) -> None:
        """The processes are closed by who made them."""


def _read(message: Message) -> Turn:
    waits = [Wait(*wait) for wait in message["waits"]]
    tally = Tally.of_message(message["tally"])
    return Turn(tally.commands, message["seconds"], waits, tally, started=message["started"])


def _together(turns: list[Turn]) -> Turn:
    started = min(turn.started for turn in turns)
    ended = max(turn.started + turn.seconds for turn in turns)
    tally = Tally()
    for turn in turns:
        tally.add(turn.tally or Tally())
    return Turn(tally.commands, ended - started, [wait for turn in turns for wait in turn.waits], tally)
