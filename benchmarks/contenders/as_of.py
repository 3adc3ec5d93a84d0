"""Questions as of points of the past on an account with a long history, beside the same on one with a short history."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from benchmarks.beside import ASKED_PER_ROUND, ROUNDS, Ask, Beside, measured_beside
from benchmarks.market import QUOTE
from ledger.errors import Refusal
from ledger.log import read_stream
from ledger.postgres import Connection, connect
from projections.audit_trail.queries import Filter, events
from projections.journal.queries import statement
from projections.loans.queries import loans
from projections.margin_levels.queries import assessments
from projections.questions.account import account_answer
from projections.questions.known import known_of_account, known_of_trail
from projections.questions.levels import levels
from projections.questions.limits import limits_answer
from projections.questions.loans import dated_loans
from projections.snapshot import Snapshot, open_snapshot

POINTS = 50
PAGE = 50


def as_of_ratios(
    url: str, long_id: str, short_id: str, *, rounds: int = ROUNDS, asked_per_round: int = ASKED_PER_ROUND
) -> list[Beside]:
    """Every question about an account as of a position, a recorded time, a business time, and of both kinds at once.

    The baseline of each is the same question about the account with the short history, at points of its own past.
    """
    with connect(url, autocommit=True) as connection:
        long, short = ({kind: _points(connection, name, kind) for kind in KINDS} for name in (long_id, short_id))
        questions: dict[str, tuple[Ask, Ask]] = {
            f"{name} as of {kind}": (
                _asking(connection, question, long_id, long[kind]),
                _asking(connection, question, short_id, short[kind]),
            )
            for name, question in QUESTIONS.items()
            for kind in KINDS
        }
        return measured_beside(questions, rounds=rounds, asked_per_round=asked_per_round)


def as_of_ratio(found: list[Beside]) -> float:
    """The worst ratio of all questions: p50 on the long history by p50 on the short one."""
    return max(one.p50_ratio for one in found)


Question = Callable[[Snapshot, str], object]
KINDS = ("position", "recorded_at", "effective_at", "position and effective_at")


def _points(connection: Connection, account_id: str, kind: str) -> list[dict[str, Any]]:
    """Points all over an account's past; the same for the same history."""
    chance = random.Random(kind)
    recorded = read_stream(connection, account_id)
    found = []
    for one in chance.choices(recorded, k=POINTS):
        point: dict[str, int | datetime] = {
            "position": one.position,
            "recorded_at": one.recorded_at,
            "effective_at": one.event.effective_at,
        }
        found.append({name: point[name] for name in kind.split(" and ")})
    return found


def _asking(connection: Connection, question: Question, account_id: str, points: list[dict[str, Any]]) -> Ask:
    chance = random.Random(account_id)

    def ask() -> None:
        with open_snapshot(connection, **chance.choice(points)) as snapshot:
            question(snapshot, account_id)

    return ask


def _account(snapshot: Snapshot, account_id: str) -> object:
    connection, position, effective_at = snapshot
    return account_answer(connection, position, account_id, effective_at=effective_at)


def _limits(snapshot: Snapshot, account_id: str) -> object:
    connection, position, effective_at = snapshot
    try:
        return limits_answer(connection, position, account_id, "cross", QUOTE, effective_at=effective_at)
    except Refusal as refusal:
        return refusal


def _statement(snapshot: Snapshot, account_id: str) -> object:
    known = known_of_account(snapshot, account_id)
    return statement(snapshot.connection, known, account_id, limit=PAGE, newest_first=True)


def _loans(snapshot: Snapshot, account_id: str) -> object:
    connection, position, effective_at = snapshot
    if effective_at is None:
        return loans(connection, position, account_id=account_id)
    return dated_loans(connection, position, effective_at, account_id=account_id)


def _levels(snapshot: Snapshot, account_id: str) -> object:
    connection, position, effective_at = snapshot
    return levels(connection, position, account_id=account_id, effective_at=effective_at)


def _assessments(snapshot: Snapshot, account_id: str) -> object:
    return assessments(snapshot.connection, known_of_account(snapshot, account_id), account_id, limit=PAGE)


def _trail(snapshot: Snapshot, account_id: str) -> object:
    known = known_of_trail(snapshot, account_id)
    only = Filter(account_id=account_id, dated_to=snapshot.effective_at)
    return events(snapshot.connection, known, only, limit=PAGE, newest_first=True)


QUESTIONS: Mapping[str, Question] = {
    "account": _account,
    "limits": _limits,
    "statement": _statement,
    "loans": _loans,
    "margin levels": _levels,
    "levels of decisions": _assessments,
    "audit trail": _trail,
}
