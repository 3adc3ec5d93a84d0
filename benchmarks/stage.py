"""What stands before the first turn: the market, the accounts and what they have, all through the Ledger."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from benchmarks.driving import BATCH_COMMANDS, drive, read
from benchmarks.market import ISOLATED_PAIR, QUOTE, TRADED, Asked, Traded, listings
from benchmarks.measuring import Turn
from benchmarks.workload import CLASSES, CROSS_CLASS, ISOLATED_CLASS, Population, Script, Stream
from ledger import Ledger

HOT, COLD, WARMER = "hot", "cold", "warmer"
# So much of everything that no account runs dry, whatever the workload chooses.
FUNDS, MARGIN, BASE = "100000000", "10000000", "10000"
# Enough to be worth several batches at a time.
COMMANDS_AT_ONCE = 10 * BATCH_COMMANDS

Told = Callable[[int], None]


def fresh_name(number: int) -> str:
    """The id of an account with one event, that nothing else ever touches."""
    return f"fresh-{number:04d}"


def commands_of_stage(
    population: Population, fresh_accounts: int, mixed: Sequence[str] = (HOT, COLD)
) -> Iterator[Asked]:
    """Every command of the set-up in its order; `mixed` are further accounts that can do everything."""
    yield from listings()
    for rank, name in enumerate(population.names):
        yield from _funded(name, population.base_of(rank))
        if rank % CLASSES == ISOLATED_CLASS:
            yield from _on_isolated_margin(name)
        elif rank % CLASSES == CROSS_CLASS:
            yield _to_cross(name)
    for name in mixed:
        yield from _funded(name, *TRADED)
        yield from _on_isolated_margin(name)
        yield _to_cross(name)
    for name in (WARMER, *(fresh_name(number) for number in range(fresh_accounts))):
        yield {"type": "open_account", "account_id": name}


def set_the_stage(ledger: Ledger, commands: Iterator[Asked], told: Told) -> Turn:
    """Send the set-up; `told` hears how many commands were answered."""
    whole = Turn(0, 0.0, [])
    while part := list(islice(commands, COMMANDS_AT_ONCE)):
        script = Script(part, 0, 0)
        turn = drive(ledger, script, read(script))
        assert turn.tally is not None
        if turn.tally.refused:
            raise RuntimeError(f"the set-up was refused: {turn.tally.codes}")
        whole.commands += turn.commands
        whole.seconds += turn.seconds
        told(turn.commands)
    return whole


def warming(population: Population) -> Iterator[Script]:
    """Every account's first deposit once more, in parts: a Ledger that is asked for them has read every account.

    All are answered `replayed` and leave nothing; the library's aggregates are all in its cache, too.
    """
    for start in range(0, len(population.names), COMMANDS_AT_ONCE):
        part = [_moved("deposit", name, FUNDS, "first") for name in population.names[start : start + COMMANDS_AT_ONCE]]
        yield Script(part, len(part), 0)


def age(ledger: Ledger, population: Population, events: int, told: Told) -> None:
    """Give the cold account so many events, of the same mixed work as everywhere."""
    stream = Stream("aging", population, only=COLD)
    version = ledger.account(COLD).version
    while version < events:
        script = stream.script(min(COMMANDS_AT_ONCE, max(100, events - version)))
        drive(ledger, script, read(script))
        before, version = version, ledger.account(COLD).version
        told(version - before)


def _funded(name: str, *bases: Traded) -> Iterator[Asked]:
    yield {"type": "open_account", "account_id": name}
    yield _moved("deposit", name, FUNDS, "first")
    for traded in bases:
        yield {**_moved("deposit", name, BASE, f"first-{traded.base}"), "asset": traded.base}


def _on_isolated_margin(name: str) -> Iterator[Asked]:
    key = {"account_id": name, "idempotency_key": "mode"}
    yield {"type": "set_margin_mode", "pair": ISOLATED_PAIR, "mode": "isolated", **key}
    yield {**_moved("add_margin", name, MARGIN, "margin"), "pair": ISOLATED_PAIR}


def _to_cross(name: str) -> Asked:
    return {**_moved("transfer", name, MARGIN, "cross"), "from": "spot", "to": "cross"}


def _moved(kind: str, name: str, amount: str, key: str) -> Asked:
    return {"type": kind, "account_id": name, "asset": QUOTE, "amount": amount, "idempotency_key": key}
