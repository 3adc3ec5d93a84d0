"""Whoever is killed while texts are erased leaves the event and the destroyed key, or neither."""

import random
import time
from typing import Any

import pytest

from ledger.events import TextsErased
from ledger.log import read_log
from ledger.postgres import connect
from tests.ledger.submitting import depositing, open_ledger
from tests.ledger.texts import shown_log
from tests.ledger.write_process import answers_of, hand_over, start

ERASING = {"type": "erase_texts", "account_id": "alice", "reason_code": "retention_ended"}


def requests(run: int) -> list[list[dict[str, Any]]]:
    """Deposits with a reference, and after every third an erasure."""
    return [
        [
            *(depositing("1", f"d-{run}-{number}-{place}", reference=f"text {number}") for place in range(3)),
            {**ERASING, "idempotency_key": f"e-{run}-{number}"},
        ]
        for number in range(300)
    ]


def erasures_and_texts(url: str) -> tuple[list[int], dict[int, dict[str, Any]]]:
    """The positions of the erasures, and what is told of each text."""
    with connect(url) as connection:
        erased = [one.position for one in read_log(connection, 0, 100_000) if type(one.event) is TextsErased]
    return erased, shown_log(url)


@pytest.mark.parametrize("run", range(3))
def test_a_text_is_readable_exactly_where_no_erasure_of_its_account_was_recorded_after_it(
    database: str, run: int
) -> None:
    with open_ledger(database):
        pass
    writer = start("submit", database, 2)
    hand_over(writer, requests(run))
    answers = answers_of(writer)
    next(answers)
    time.sleep(random.Random(run).uniform(0.05, 0.6))
    writer.kill()
    writer.wait()
    erased, texts = erasures_and_texts(database)
    assert erased
    assert len(texts) >= len(erased)
    last = erased[-1]
    assert all(("erased" in told) == (position < last) for position, told in texts.items())
    assert all(told["reference"].startswith("text ") for position, told in texts.items() if position > last)
