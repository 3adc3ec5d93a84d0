"""A batch is decided while the one before it is committed; whatever becomes of that one, every answer is true."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest

from ledger import Ledger, Outcome, Recorded, WriterSettings, parse_command
from ledger.log import read_log
from ledger.postgres import connect
from tests.ledger.cutting_proxy import CuttingProxy, Moment
from tests.ledger.submitting import ask, ask_one, code, depositing, end_of, free, open_ledger, opening, sending

ONE_EACH = WriterSettings(batch_commands=1)


@pytest.fixture
def singly(database: str) -> Iterator[Ledger]:
    """A ledger that records every command in a batch of its own, with alice and bob."""
    with open_ledger(database), Ledger(database, ONE_EACH) as ledger:
        settle(ledger)
        yield ledger


def settle(ledger: Ledger) -> None:
    """Have so many batches recorded that the ledger knows itself to be alone."""
    for _ in range(10):
        ask(ledger)


def ask_all(ledger: Ledger, commands: Sequence[dict[str, Any]]) -> list[Outcome]:
    """Submit commands at once, each as a request of its own, and wait for all."""
    futures: list[Future[list[Outcome]]] = [ledger.submit_async([parse_command(one)], actor="test") for one in commands]
    return [future.result()[0] for future in futures]


def require_true(url: str, outcomes: Sequence[Outcome]) -> None:
    """Each event that an answer names stands where it says."""
    with connect(url) as connection:
        log = {one.position: one.event for one in read_log(connection, 0, 1_000_000)}
    for outcome in outcomes:
        if isinstance(outcome, Recorded):
            for told in outcome.events:
                event = log[told.position]
                assert (event.account_id, event.TOPIC, event.version) == told[:3]


def test_each_batch_is_decided_on_what_the_one_before_it_leaves(singly: Ledger, database: str) -> None:
    halt = {"type": "set_pair_status", "pair": "BTC/USDT", "status": "halted", "idempotency_key": "h"}
    outcomes = ask_all(
        singly,
        [
            depositing("40", "d1"),
            sending("15", "s1"),
            sending("26", "s2"),
            depositing("40", "d1"),
            depositing("41", "d1"),
            halt,
            {**halt, "idempotency_key": "h2"},
            sending("25", "s3"),
            sending("40", "s4", "bob", "alice"),
        ],
    )
    assert [code(outcome) for outcome in outcomes] == [
        "recorded",
        "recorded",
        "insufficient_funds",
        "replayed",
        "idempotency_key_reused",
        "recorded",
        "nothing_to_do",
        "recorded",
        "recorded",
    ]
    assert outcomes[3] == outcomes[0]._replace(replayed=True)  # type: ignore[call-arg]
    require_true(database, outcomes)
    assert [free(singly, "alice"), free(singly, "bob")] == [Decimal(40), Decimal(0)]


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_batch_whose_ground_is_in_doubt_is_decided_anew(database: str, moment: Moment) -> None:
    with open_ledger(database), CuttingProxy(database) as proxy, Ledger(proxy.url, ONE_EACH) as ledger:
        settle(ledger)
        for number in range(5):
            proxy.cut_next(moment)
            outcomes = ask_all(
                ledger,
                [
                    depositing("40", f"d{number}"),
                    sending("40", f"s{number}"),
                    sending("40", f"t{number}"),
                    sending("40", f"u{number}", "bob", "alice"),
                    sending("40", f"v{number}"),
                    depositing("40", f"d{number}"),
                ],
            )
            answers = [code(outcome) for outcome in outcomes]
            assert answers == ["recorded", "recorded", "insufficient_funds", "recorded", "recorded", "replayed"]
            require_true(database, outcomes)
        assert proxy.cuts == 5
        assert [free(ledger, "alice"), free(ledger, "bob")] == [Decimal(0), Decimal(200)]
    assert end_of(database) == 5 + 5 * 7


def test_accounts_that_do_not_stay_in_memory_are_decided_on_rightly(database: str) -> None:
    with open_ledger(database), Ledger(database, WriterSettings(batch_commands=3, cached_accounts=2)) as ledger:
        names = [f"account-{number}" for number in range(7)]
        ask(ledger, *map(opening, names))
        turns = [depositing("1", f"{turn}", name) for turn in range(20) for name in names]
        outcomes = ask_all(ledger, turns)
        require_true(database, outcomes)
        assert {code(outcome) for outcome in outcomes} == {"recorded"}
        assert {free(ledger, name) for name in names} == {20}


def test_ledgers_on_other_accounts_do_not_disturb_each_other(database: str) -> None:
    with open_ledger(database), ExitStack() as stack:
        ledgers = [stack.enter_context(Ledger(database, WriterSettings(batch_commands=20))) for _ in range(3)]
        names = [[f"account-{place}-{number}" for number in range(5)] for place in range(3)]
        outcomes: list[list[Outcome]] = [[], [], []]

        def write(place: int) -> None:
            ask(ledgers[place], *map(opening, names[place]))
            for turn in range(40):
                deposits = [depositing("1", f"{turn}", name) for name in names[place]]
                sends = [sending("0.5", f"s{turn}", names[place][0], names[place][1])]
                outcomes[place] += ask_all(ledgers[place], [*deposits, *sends, *deposits[:1]])

        run_together(write)
        for place in range(3):
            answers = [code(outcome) for outcome in outcomes[place]]
            assert answers == (["recorded"] * 6 + ["replayed"]) * 40
            require_true(database, outcomes[place])
            assert [free(ledgers[place], name) for name in names[place]] == [20, 60, 40, 40, 40]


def test_ledgers_on_the_same_accounts_refuse_nothing_that_they_should_not(database: str) -> None:
    with open_ledger(database) as first, Ledger(database) as second, Ledger(database) as third:
        ledgers = [first, second, third]
        ask_one(first, depositing("1000", "d"))
        outcomes: list[list[Outcome]] = [[], [], []]

        def write(place: int) -> None:
            for turn in range(60):
                there, back = sending("1", f"{place}-{turn}"), sending("1", f"{place}-{turn}", "bob", "alice")
                outcomes[place] += ask(ledgers[place], there, back)

        run_together(write)
        assert {code(outcome) for each in outcomes for outcome in each} == {"recorded"}
        require_true(database, [outcome for each in outcomes for outcome in each])
        assert [free(first, "alice"), free(first, "bob")] == [Decimal(1000), Decimal(0)]


def run_together(write: Any) -> None:
    threads = [Thread(target=write, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
