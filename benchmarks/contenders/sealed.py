"""The Ledger in this process while the log is sealed and signed in it, as in `ledger serve`."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contenders.in_process import GUESSED_RATE
from benchmarks.driving import BATCH_COMMANDS, drive, read
from benchmarks.measuring import Pace, Turn
from benchmarks.workload import Population, Stream
from ledger import Ledger
from ledger.log import log_end
from ledger.sealer import SealSettings, open_sealing, seal_log, seal_to_end
from ledger.sealing import sealed_size

CHECKPOINT_SECONDS = 1.0
"""Far more often than the default, so that a turn has checkpoints in it."""


class Sealed:
    """As `InProcess`, with a sealer beside it; what others recorded meanwhile is sealed before its clock runs."""

    name = "in_process_sealed"

    def __init__(self, ledger: Ledger, url: str, population: Population) -> None:
        self._ledger, self._url = ledger, url
        self._stream = Stream("in-process-sealed", population)
        self._pace = Pace(GUESSED_RATE, BATCH_COMMANDS)
        self._folder = tempfile.TemporaryDirectory(prefix="ledger-sealed-")

    def turn(self, seconds: float) -> Turn:
        script = self._stream.script(self._pace.commands(seconds))
        commands = read(script)
        self._ledger.market()
        with open_sealing(self._url) as connection:
            seal_to_end(connection)
            with self._sealing():
                turn = self._pace.learn(drive(self._ledger, script, commands))
                # What is left to seal when the last command is answered: it must not grow with the turn.
                turn.further["unsealed_events"] = log_end(connection).position - sealed_size(connection)
        return turn

    def close(self) -> None:
        self._folder.cleanup()

    @contextmanager
    def _sealing(self) -> Iterator[None]:
        settings = SealSettings(signing_key=Path(self._folder.name) / "key.pem", checkpoint_seconds=CHECKPOINT_SECONDS)
        stop = threading.Event()
        thread = threading.Thread(target=seal_log, args=(self._url, stop, settings), name="sealing")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
