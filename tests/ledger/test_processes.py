"""Several processes write the same accounts and settings at once, and one may be killed: every key is used once."""

import itertools
import json
import signal
from collections import Counter
from decimal import Decimal
from typing import Any

from ledger import Ledger, parse_command
from ledger.log import read_log
from ledger.postgres import connect
from tests.ledger.submitting import USDT, ask, depositing, free, open_ledger, sending
from tests.ledger.write_process import answers_of, hand_over, show, start


def setting(number: int) -> dict[str, Any]:
    rate = {"type": "set_interest_rate", "asset": "USDT", "daily_rate": f"0.000{number}"}
    return {**rate, "idempotency_key": f"rate-{number}"}


def requests_of(name: str, count: int) -> list[list[dict[str, Any]]]:
    """Requests on two accounts and on settings: those of different names differ in their keys alone."""
    requests = []
    for number in range(count):
        key = f"{name}-{number}"
        account_id, other = ("alice", "bob") if number % 2 else ("bob", "alice")
        requests.append([depositing("2", f"d-{key}", account_id), sending("1", f"s-{key}", account_id, other)])
        if number % 10 == 0:
            rate = f"0.000{1 + number // 10}{sum(map(ord, name))}"  # Another than whoever set one before.
            requests.append([{**setting(1), "daily_rate": rate, "idempotency_key": f"r-{key}"}])
    return requests


def answers_by_key(answers: list[Any]) -> dict[str, Any]:
    return {
        command["idempotency_key"]: outcome
        for request, outcomes in answers
        for command, outcome in zip(request, outcomes, strict=True)
    }


def test_two_processes_with_the_same_keys_record_each_once(database: str) -> None:
    shared = requests_of("shared", 60)
    with open_ledger(database) as ledger:
        processes = [start("submit", database, 4) for _ in range(2)]
        for name, process in zip(("left", "right"), processes, strict=True):
            own = requests_of(name, 60)
            hand_over(process, itertools.chain.from_iterable(zip(shared, own, strict=True)))
        left, right = (answers_by_key(list(answers_of(process))) for process in processes)
        assert [process.wait(60) for process in processes] == [0, 0]
        assert not [outcome for outcome in (*left.values(), *right.values()) if "refused" in outcome]
        for key in left.keys() & right.keys():
            assert left[key]["replayed"] != right[key]["replayed"], key
            assert left[key] | {"replayed": True} == right[key] | {"replayed": True}
        assert not any(outcome["replayed"] for key, outcome in left.items() if key not in right)
        assert free(ledger, "alice") + free(ledger, "bob") == 3 * 60 * 2
    keys = Counter(one.event.idempotency_key for one in log_of(database) if one.event.TOPIC != "transfer.received")
    assert set(keys) - {None} >= left.keys() | right.keys()
    assert all(count == 1 for key, count in keys.items() if key)


def log_of(url: str) -> list[Any]:
    with connect(url) as connection:
        return read_log(connection, 0, 1_000_000)


def test_a_killed_writer_loses_nothing_it_acknowledged(database: str) -> None:
    requests = [[depositing("1", f"d-{number}-{step}") for step in range(7)] for number in range(300)]
    with open_ledger(database) as ledger:
        process = start("submit", database, 8)
        hand_over(process, requests)
        acknowledged = list(itertools.islice(answers_of(process), 40))
        process.send_signal(signal.SIGKILL)
        acknowledged += answers_of(process)
        process.wait(60)
        assert 40 <= len(acknowledged) < len(requests)
        before = {outcome["position"] for _, outcomes in acknowledged for outcome in outcomes}
        assert before <= {one.position for one in log_of(database)}
        for request, first in acknowledged:
            again = ledger.submit([parse_command(one) for one in request], actor="test")
            # What crossed to the other side as JSON has lists where there were tuples.
            assert [plainly(show(one)) for one in again] == [one | {"replayed": True} for one in first]
        for request in requests:
            ledger.submit([parse_command(one) for one in request], actor="test")
        assert free(ledger, "alice") == Decimal(7 * 300)
        assert ledger.account("alice").version == 1 + 7 * 300


def plainly(answer: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(answer))
    return plain


def test_processes_that_only_refuse_do_so_on_what_others_recorded(database: str) -> None:
    with open_ledger(database) as ledger, Ledger(database) as other:
        for number in range(30):
            ask(ledger, depositing("1", f"d{number}"), sending("1", f"s{number}"))
            (outcome,) = ask(other, depositing("2", f"d{number}"))
            assert show(outcome)["refused"] == "idempotency_key_reused"
        assert show(ask(other, {**USDT, "idempotency_key": "again"})[0])["refused"] == "asset_exists"
