"""Asking what changed between two points, and the story that it is mostly asked of."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from ledger.postgres import Connection
from projections.questions.differences import differences_answer
from projections.questions.tally import Shown
from projections.snapshot import AsOf, Snapshot, open_snapshot
from tests.ledger.happenings import accrued, borrowed, deposited, line, marked, opened, repaid, traded, transferred
from tests.projections.story import Story

BORROWED, TRADED, END = 13, 14, 19
EVERYTHING = Shown()


def long_of_alice(story: Story) -> None:
    """Alice borrows 10,000 USDT on 10,000 and buys 0.2 BTC at 50,100, 100 above the mark, for a fee of 20.

    BTC goes to 52,000, 51,000 and, after 10 of interest, to 40,000. Then 4,990 and the interest are repaid.
    """
    story.of("alice", opened(), deposited("10000", "USDT"), transferred("10000", "USDT"), borrowed("10000", "USDT"))
    story.of("alice", traded("buy", "0.2", "50100", fee="20"))
    story.on_exchange(marked(BTC="52000"), marked(BTC="51000"))
    story.of("alice", accrued(line("10", "USDT", "10000", "0.024")))
    story.on_exchange(marked(BTC="40000"))
    story.of("alice", repaid("10", "4990", "USDT"))
    assert story.position == END


@contextmanager
def snapshot_of(connection: Connection, **as_of: Any) -> Iterator[Snapshot]:
    """A snapshot on a connection that was used before."""
    connection.commit()
    with open_snapshot(connection, **as_of) as snapshot:
        yield snapshot


def asked(
    connection: Connection,
    account_id: str,
    first: int | None = None,
    last: int | None = None,
    shown: Shown = EVERYTHING,
    **options: Any,
) -> dict[str, Any]:
    """What changed between two positions; None: the opening, and now."""
    start = None if first is None else AsOf("position", first)
    with snapshot_of(connection, position=last) as snapshot:
        end = None if last is None else AsOf("position", last)
        return differences_answer(snapshot, account_id, start, shown, last=end, **options)


def between_times(connection: Connection, account_id: str, first: datetime | None, last: datetime) -> dict[str, Any]:
    """What changed between two business times."""
    with snapshot_of(connection, effective_at=last) as snapshot:
        start = None if first is None else AsOf("effective_at", first)
        return differences_answer(snapshot, account_id, start, last=AsOf("effective_at", last))


def moved(parts: dict[str, str]) -> dict[str, str]:
    """The causes that moved something."""
    return {cause: amount for cause, amount in parts.items() if amount != "0"}
