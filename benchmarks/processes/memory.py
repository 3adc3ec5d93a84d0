"""The resident size of a process whose Ledger touched many accounts: each is opened, and one deposit is made to it."""

import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import islice

from benchmarks.driving import ACTOR, BATCH_COMMANDS, REQUESTS_UNDER_WAY
from benchmarks.market import QUOTE, Asked, listings
from benchmarks.processes.child import answer
from benchmarks.server import resident_mb
from ledger import Ledger, Outcome, Recorded, WriterSettings, collect_seldom, parse_command

REPORTS = 20


def commands_of(accounts: int) -> Iterator[Asked]:
    """Two commands for each account."""
    for number in range(accounts):
        name = f"acct-{number:07d}"
        yield {"type": "open_account", "account_id": name}
        deposit = {"type": "deposit", "account_id": name, "asset": QUOTE, "amount": "100.00"}
        yield {**deposit, "idempotency_key": "first"}


def main(url: str, accounts: int) -> None:
    """Tells how many were touched and the resident size, again and again, until all were."""
    settings = WriterSettings()
    collect_seldom()
    with Ledger(url) as ledger:
        ledger.submit([parse_command(asked) for asked in listings()], actor=ACTOR)
        _tell(0, settings)
        asked = commands_of(accounts)
        under_way: deque[Future[list[Outcome]]] = deque()
        touched = told = 0
        while commands := [parse_command(one) for one in islice(asked, BATCH_COMMANDS)]:
            if len(under_way) == REQUESTS_UNDER_WAY:
                _require_recorded(under_way.popleft().result())
            under_way.append(ledger.submit_async(commands, actor=ACTOR))
            touched += len(commands) // 2
            if (touched - told) * REPORTS >= accounts and touched < accounts:
                _tell(touched, settings)
                told = touched
        while under_way:
            _require_recorded(under_way.popleft().result())
        _tell(accounts, settings)


def _tell(touched: int, settings: WriterSettings) -> None:
    answer({"touched": touched, "resident_mb": resident_mb(), "cached_accounts": settings.cached_accounts})


def _require_recorded(outcomes: list[Outcome]) -> None:
    refused = next((outcome for outcome in outcomes if not isinstance(outcome, Recorded)), None)
    if refused is not None:
        raise RuntimeError(f"a command was refused: {refused}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
