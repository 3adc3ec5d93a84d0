"""Audit queries in every way they are filtered, beside reading one row of the same log by its primary key."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from benchmarks.beside import ASKED_PER_ROUND, ROUNDS, Ask, Beside, measured_beside
from ledger.log import RecordedEvent, log_end, read_positions
from ledger.postgres import Connection, connect
from projections.audit_trail.queries import Filter, events
from projections.journal.queries import statement

SAMPLE, PAGE = 200, 20
SPAN = timedelta(seconds=5)


def audit_query_ratios(
    url: str, long_id: str, *, rounds: int = ROUNDS, asked_per_round: int = ASKED_PER_ROUND
) -> list[Beside]:
    """Each kind of audit query for events chosen from all over the log, and the pages of the account `long_id`.

    Every query reads the bodies of a page of 20 events; the baseline reads one event by its primary key.
    """
    with connect(url, autocommit=True) as connection:
        connection.execute("set search_path to projections, public")
        end = log_end(connection).position
        chance = random.Random(end)
        sample = read_positions(connection, sorted(chance.sample(range(1, end + 1), min(SAMPLE, end))))
        baseline = _baseline(connection, end, chance)
        queries = {
            name: _asking(connection, end, only, sample, newest_first, chance)
            for name, (only, newest_first) in _filters(long_id).items()
        }
        queries["last page of a long statement"] = lambda: statement(
            connection, end, long_id, limit=PAGE, newest_first=True
        )
        return measured_beside(
            {name: (ask, baseline) for name, ask in queries.items()}, rounds=rounds, asked_per_round=asked_per_round
        )


def audit_query_ratio(found: list[Beside]) -> float:
    """The worst ratio of all queries: p99 by the p99 of a primary-key read."""
    return max(one.p99_ratio for one in found)


def _filters(long_id: str) -> dict[str, tuple[Callable[[RecordedEvent], Filter], bool]]:
    """Each kind of query by name: the filter that finds an event, and whether the newest page is asked for."""
    return {
        "account": (lambda one: Filter(account_id=one.event.account_id), False),
        "request": (lambda one: Filter(correlation_id=one.event.correlation_id), False),
        "actor and time": (lambda one: _around(one, Filter(actor=one.event.actor)), False),
        "topic and time": (lambda one: _around(one, Filter(topic=one.event.TOPIC)), False),
        "topic, from the last back": (lambda one: Filter(topic=one.event.TOPIC), True),
        "account and topic": (lambda one: Filter(account_id=long_id, topic=one.event.TOPIC), True),
        "time": (lambda one: _around(one, Filter()), False),
        "last page of a long history": (lambda _: Filter(account_id=long_id), True),
    }


def _around(one: RecordedEvent, only: Filter) -> Filter:
    return replace(only, recorded_from=one.recorded_at - SPAN, recorded_to=one.recorded_at + SPAN)


def _asking(
    connection: Connection,
    end: int,
    filter_for: Callable[[RecordedEvent], Filter],
    sample: Sequence[RecordedEvent],
    newest_first: bool,
    chance: random.Random,
) -> Ask:
    def ask() -> None:
        events(connection, end, filter_for(chance.choice(sample)), limit=PAGE, newest_first=newest_first)

    return ask


def _baseline(connection: Connection, end: int, chance: random.Random) -> Ask:
    def ask() -> None:
        read_positions(connection, [chance.randint(1, end)])

    return ask
