"""The Ledger in this process: the mixed work over all accounts, and the same on one hot account."""

from dataclasses import dataclass

from benchmarks.driving import BATCH_COMMANDS, drive, read
from benchmarks.measuring import Pace, Turn
from benchmarks.stage import HOT
from benchmarks.workload import Population, Stream
from ledger import Ledger
from ledger.log import log_end
from ledger.postgres import connect

GUESSED_RATE = 8_000.0


@dataclass(frozen=True)
class Written:
    """The part of the log that a turn wrote: positions after `after` up to `until`, by so many commands."""

    after: int
    until: int
    commands: int
    recorded: int


class InProcess:
    """Requests of 1,000 commands, four under way; `written` is what its last turn left in the log."""

    name = "in_process"

    def __init__(self, ledger: Ledger, url: str, population: Population) -> None:
        self._ledger, self._url = ledger, url
        self._stream = Stream("in-process", population)
        self._pace = Pace(GUESSED_RATE, BATCH_COMMANDS)
        self.written = Written(0, 0, 0, 0)

    def turn(self, seconds: float) -> Turn:
        script = self._stream.script(self._pace.commands(seconds))
        commands = read(script)
        # Has the log read to its end: others may have written to it meanwhile.
        self._ledger.market()
        after = self._log_end()
        turn = self._pace.learn(drive(self._ledger, script, commands))
        assert turn.tally is not None
        self.written = Written(after, self._log_end(), turn.commands, turn.tally.recorded)
        turn.rows = count_rows(self._url, self.written)
        return turn

    def close(self) -> None:
        """The Ledger is closed by who made it."""

    def _log_end(self) -> int:
        with connect(self._url) as connection:
            return log_end(connection).position


class HotAccount:
    """One account takes everything; it trades with all the others."""

    name = "hot_account"

    def __init__(self, ledger: Ledger, population: Population) -> None:
        self._ledger = ledger
        self._stream = Stream("hot-account", population, only=HOT)
        self._pace = Pace(GUESSED_RATE, BATCH_COMMANDS)

    def turn(self, seconds: float) -> Turn:
        script = self._stream.script(self._pace.commands(seconds))
        commands = read(script)
        self._ledger.market()
        return self._pace.learn(drive(self._ledger, script, commands))

    def close(self) -> None:
        """The Ledger is closed by who made it."""


def count_rows(url: str, written: Written) -> int:
    """How many rows a turn wrote: its events and its idempotency keys."""
    keys = "select count(*) from idempotency_keys where first_position > %s and first_position <= %s"
    with connect(url) as connection:
        row = connection.execute(keys, [written.after, written.until]).fetchone()
    return written.until - written.after + int(row[0] if row else 0)
