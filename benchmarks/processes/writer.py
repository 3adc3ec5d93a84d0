"""One of several writer processes: a Ledger of its own that reads, waits for the start, and works its script off."""

import signal
import sys

from benchmarks.driving import drive, read
from benchmarks.processes.child import answer, messages
from benchmarks.workload import Script
from ledger import Ledger, collect_seldom


def main(url: str) -> None:
    """For each script: ready when its commands are parsed and the log is read; starts at the word, tells its turn."""
    # A Ctrl-C at the terminal is for the parent, which then closes the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = messages()
    collect_seldom()
    with Ledger(url) as ledger:
        for message in asked:
            script = Script(**message)
            commands = read(script)
            ledger.market()
            answer({"is_ready": True})
            next(asked)
            turn = drive(ledger, script, commands)
            assert turn.tally is not None
            answer(
                {
                    "started": turn.started,
                    "seconds": turn.seconds,
                    "waits": turn.waits,
                    "tally": turn.tally.message(),
                }
            )


if __name__ == "__main__":
    main(sys.argv[1])
