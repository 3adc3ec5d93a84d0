"""The first command on an account with a long history in a Ledger just started, beside that on a fresh account."""

import statistics
import time

from benchmarks.driving import ACTOR
from benchmarks.market import QUOTE
from benchmarks.measuring import Turn, Wait
from benchmarks.stage import COLD, WARMER, fresh_name
from ledger import Ledger, Recorded, parse_command

STARTS_PER_TURN = 3
LONGEST_TURNS = 2


class ColdAccount:
    """Each start is a new Ledger, warmed by a command on a third account: it is connected and has read the market.

    The cold account goes first in every other start. Milliseconds are of one submit, from call to answer.
    """

    name = "cold_account_ms"

    def __init__(self, url: str) -> None:
        self._url = url
        self._starts = 0

    def turn(self, seconds: float) -> Turn:
        """Up to three starts, fewer where these take far longer than a turn."""
        measured: list[tuple[float, float]] = []
        ends_at = time.monotonic() + LONGEST_TURNS * seconds
        while not measured or (len(measured) < STARTS_PER_TURN and time.monotonic() < ends_at):
            measured.append(self._start())
        cold = statistics.median(cold for cold, _ in measured)
        fresh = statistics.median(fresh for _, fresh in measured)
        waits = [Wait(cold, 1) for cold, _ in measured]
        return Turn(
            len(waits),
            sum(cold for cold, _ in measured) / 1000,
            waits,
            ratio=statistics.median(cold / fresh for cold, fresh in measured),
            further={"cold_ms": cold, "fresh_ms": fresh},
        )

    def close(self) -> None:
        """Nothing stays open between turns."""

    def _start(self) -> tuple[float, float]:
        """The milliseconds of the cold and of the fresh account's first command."""
        self._starts += 1
        with Ledger(self._url) as ledger:
            self._first_command(ledger, WARMER)
            fresh = fresh_name(self._starts)
            first, second = (COLD, fresh) if self._starts % 2 else (fresh, COLD)
            took = {first: self._first_command(ledger, first), second: self._first_command(ledger, second)}
        return took[COLD], took[fresh]

    def _first_command(self, ledger: Ledger, account_id: str) -> float:
        named = {"account_id": account_id, "asset": QUOTE, "amount": "1.00"}
        command = parse_command({"type": "deposit", **named, "idempotency_key": f"start-{self._starts}"})
        started = time.perf_counter()
        (outcome,) = ledger.submit([command], actor=ACTOR)
        milliseconds = 1000 * (time.perf_counter() - started)
        assert isinstance(outcome, Recorded), outcome
        assert not outcome.replayed
        return milliseconds


def fresh_accounts_needed(rounds: int) -> int:
    """How many accounts with one event so many rounds use, each once; the warm-up round is one more."""
    return STARTS_PER_TURN * (rounds + 1) + 1
