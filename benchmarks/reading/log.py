"""The log that is read: made through the Ledger, of the mixed work, price vectors, and a few events to search for."""

import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import NamedTuple, Protocol

from benchmarks.driving import drive, read
from benchmarks.market import QUOTE, Asked
from benchmarks.reading.vectors import Vectors, more_listings
from benchmarks.screen import Told
from benchmarks.stage import COMMANDS_AT_ONCE, commands_of_stage, set_the_stage
from benchmarks.workload import Population, Script, Stream
from ledger import Ledger, Recorded, parse_command
from ledger.log import log_end
from ledger.postgres import connect

LONG, SHORT = "long", "short"
SHORT_HISTORY = 100
# Those who send requests of many commands, in turn; what an operator does himself is in requests of a few.
ACTORS = tuple(f"desk-{number}" for number in range(1, 9))
OPERATORS = ("operator-1", "operator-2", "operator-3")
CASE_COMMANDS = 10
# One deposit in so many is entered later than it counts.
DEPOSITS_PER_LATE_ONE = 100
MOST_MINUTES_LATE = 10
# Of 1,000 commands of the mixed work that many events come; what is not exact is made up for on the way.
EVENTS_PER_COMMAND = 1.24
VERSIONS = """
select originator_id, max(originator_version) from events where originator_id = any(%s) group by originator_id
"""


class LogSizes(Protocol):
    """How large a log is asked for."""

    @property
    def events(self) -> int: ...
    @property
    def accounts(self) -> int: ...
    @property
    def vectors(self) -> int: ...
    @property
    def long_history(self) -> int: ...
    @property
    def seed(self) -> int: ...


class MadeLog(NamedTuple):
    """The log as it was made, and what can be asked for in it."""

    url: str
    events: int
    long_account: str
    long_version: int
    short_account: str
    short_version: int
    actor: str
    correlation_id: str
    seconds: float


def make_log(plan: LogSizes, url: str, told: Told) -> MadeLog:
    """Records everything that the plan asks for; `told` hears of events."""
    with Ledger(url) as ledger:
        return _Making(plan, url, ledger, told).make()


class _Making:
    def __init__(self, plan: LogSizes, url: str, ledger: Ledger, told: Told) -> None:
        self._plan, self._url, self._ledger, self._told = plan, url, ledger, told
        self._population = Population(plan.accounts, plan.seed)
        self._rng = random.Random(plan.seed)
        self._vectors, self._marked = Vectors(plan.seed), 0
        self._cases = 0
        self._seconds = 0.0
        self._mixed = Stream("mixed", self._population, marks=False)
        self._only = {name: Stream(name, self._population, only=name, marks=False) for name in (LONG, SHORT)}
        self._wanted = {LONG: plan.long_history, SHORT: SHORT_HISTORY}
        self._position = 0
        self._versions = {LONG: 0, SHORT: 0}

    def make(self) -> MadeLog:
        stage = chain(commands_of_stage(self._population, 0, mixed=(LONG, SHORT)), more_listings())
        self._seconds += set_the_stage(self._ledger, stage, lambda _: self._see_how_far()).seconds
        while self._missing() > 0 or self._marked < self._plan.vectors:
            self._record_part()
        accounts = (LONG, self._versions[LONG], SHORT, self._versions[SHORT])
        return MadeLog(self._url, self._position, *accounts, OPERATORS[0], "case-1", self._seconds)

    def _missing(self) -> int:
        """How many events are missing, in the log or in an account that wants so many."""
        of_accounts = sum(self._lacking(name) for name in self._wanted)
        return max(self._plan.events - self._position, of_accounts)

    def _lacking(self, name: str) -> int:
        return max(0, self._wanted[name] - self._versions[name])

    def _record_part(self) -> None:
        """A part of the work, in which everything has its share of what is left."""
        missing = max(1, self._missing())
        vectors = self._plan.vectors - self._marked
        left = max(1.0, (missing - vectors) / EVENTS_PER_COMMAND)
        share = min(1.0, COMMANDS_AT_ONCE / left)
        lacking = {name: -(-self._lacking(name) * share // 1) for name in self._wanted}
        scripts = [self._only[name].script(int(events)) for name, events in lacking.items() if events]
        scripts.append(self._mixed.script(max(1, int(left * share - sum(lacking.values())))))
        script = self._with_vectors(_shuffled_together(self._rng, scripts), -(-vectors * share // 1))
        _enter_some_late(script)
        turn = drive(self._ledger, script, read(script), ACTORS)
        self._seconds += turn.seconds
        self._record_case()
        self._see_how_far()

    def _with_vectors(self, script: Script, vectors: float) -> Script:
        """The script with so many vectors spread evenly over it."""
        count = min(int(vectors), self._plan.vectors - self._marked)
        self._marked += count
        commands: list[Asked] = []
        bounds = [len(script.commands) * place // (count + 1) for place in range(count + 2)]
        for place in range(count + 1):
            commands += script.commands[bounds[place] : bounds[place + 1]]
            if place < count:
                commands.append(self._vectors.mark())
        return script._replace(commands=commands)

    def _record_case(self) -> None:
        """What an operator does by himself: a few commands in a request of their own."""
        self._cases += 1
        names = self._rng.choices(self._population.names, k=CASE_COMMANDS)
        asked = [_case_deposit(self._cases, place, name) for place, name in enumerate(names)]
        correlation_id, actor = f"case-{self._cases}", OPERATORS[self._cases % len(OPERATORS) - 1]
        commands = [parse_command(one) for one in asked]
        outcomes = self._ledger.submit(commands, actor=actor, correlation_id=correlation_id)
        refused = next((outcome for outcome in outcomes if not isinstance(outcome, Recorded)), None)
        if refused is not None:
            raise RuntimeError(f"a deposit of {correlation_id} was refused: {refused}")

    def _see_how_far(self) -> None:
        with connect(self._url) as connection:
            position = log_end(connection).position
            rows = connection.execute(VERSIONS, [list(self._versions)]).fetchall()
        self._versions |= dict(rows)
        self._told(position - self._position)
        self._position = position


def _shuffled_together(rng: random.Random, scripts: list[Script]) -> Script:
    """The commands of all, each script's in their own order."""
    sources: list[Iterator[Asked]] = [iter(script.commands) for script in scripts]
    order = [place for place, script in enumerate(scripts) for _ in script.commands]
    rng.shuffle(order)
    commands = [next(sources[place]) for place in order]
    return Script(commands, sum(script.replayed for script in scripts), sum(script.refused for script in scripts))


def _enter_some_late(script: Script) -> None:
    """Dates one deposit in so many back. By its key, as a deposit that is sent again must say the same again."""
    for asked in script.commands:
        if asked["type"] != "deposit" or "effective_at" in asked:
            continue
        drawn = zlib.crc32(asked["idempotency_key"].encode())
        if drawn % DEPOSITS_PER_LATE_ONE == 0:
            minutes = 1 + drawn // DEPOSITS_PER_LATE_ONE % MOST_MINUTES_LATE
            asked["effective_at"] = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def _case_deposit(case: int, place: int, account_id: str) -> Asked:
    named = {"account_id": account_id, "asset": QUOTE, "amount": "10.00"}
    return {"type": "deposit", **named, "idempotency_key": f"case-{case}-{place}"}
