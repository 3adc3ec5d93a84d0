"""Many requests at once: each gets its own answer, the loop is woken once for many, and too many are told so."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from api.crossing import Crossing
from ledger import Ledger, Outcome, parse_command
from ledger.postgres import connect
from ledger.storage import lock_log
from tests.api.house import House, deposit, open_account, open_house, opened_market, wait_until

MOST_WAITING = 4


@contextmanager
def writer_held_up(url: str) -> Iterator[None]:
    """Nobody records anything meanwhile."""
    with connect(url, autocommit=True) as connection, connection.transaction():
        lock_log(connection)
        yield


@contextmanager
def sent_meanwhile(house: House, contents: list[Any]) -> Iterator[list["Future[httpx.Response]"]]:
    """Requests that are all under way at once while the writer is held up; at the end all are answered."""
    house.key("admin")
    with ThreadPoolExecutor(len(contents)) as senders, writer_held_up(house.url):
        yield [senders.submit(house.post, content) for content in contents]


def test_each_of_many_requests_gets_its_own_answer(house: House) -> None:
    there, not_there = [f"there-{number}" for number in range(20)], [f"not-there-{number}" for number in range(20)]
    house.send(*(open_account(name) for name in there))
    with sent_meanwhile(house, [deposit(name, "1", "d1") for name in (*there, *not_there)]) as answers:
        time.sleep(0.2)
    for name, answer in zip(there, answers[:20], strict=True):
        assert answer.result().json()["results"][0]["account_id"] == name
    for name, answer in zip(not_there, answers[20:], strict=True):
        assert answer.result().status_code == 404
        assert name in answer.result().json()["detail"]


class CountedWakes(asyncio.SelectorEventLoop):
    """An event loop that counts how often another thread wakes it."""

    wakes = 0

    def call_soon_threadsafe(self, *args: Any, **named: Any) -> asyncio.Handle:  # type: ignore[override]
        self.wakes += 1
        return super().call_soon_threadsafe(*args, **named)


def test_all_outcomes_of_a_batch_wake_the_event_loop_once(database: str) -> None:
    commands = [parse_command(open_account(f"many-{number}")) for number in range(100)]

    async def ask(ledger: Ledger) -> list[list[Outcome]]:
        crossing = Crossing(ledger)
        # While the writer is held up all of them come to wait, so that they are decided in a batch or two.
        with writer_held_up(database):
            asked = [crossing.submit([one], actor="test", correlation_id="many", atomic=False) for one in commands]
            await asyncio.sleep(0.2)
        return await asyncio.gather(*asked)

    with Ledger(database) as ledger, asyncio.Runner(loop_factory=CountedWakes) as runner:
        answered = runner.run(ask(ledger))
        loop = runner.get_loop()
    assert [outcome.account_id for (outcome,) in answered] == [one.stream for one in commands]  # type: ignore[union-attr]
    assert isinstance(loop, CountedWakes)
    assert 1 <= loop.wakes <= 10


def test_who_hangs_up_leaves_the_decision_to_the_writer(house: House) -> None:
    house.send(open_account("gone"))
    end = house.log_end()
    with writer_held_up(house.url):
        _send_and_hang_up(
            house, b'{"type":"deposit","account_id":"gone","asset":"USDT","amount":"1","deposit_id":"d1"}'
        )
    wait_until(lambda: house.log_end() == end + 1)
    assert house.post(deposit("gone", "1", "d1")).json()["results"][0]["status"] == "replayed"


def _send_and_hang_up(house: House, body: bytes) -> None:
    """The request is read for sure before the line is cut: another on a line of its own has been answered since."""
    head = f"POST /v1/commands HTTP/1.1\r\nHost: ledger\r\nAuthorization: Bearer {house.key('admin')}\r\n"
    with socket.create_connection((house.http.base_url.host, house.http.base_url.port or 80)) as line:
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert house.get("/v1/nothing").status_code == 404


def _raises(error: Exception) -> Callable[..., Any]:
    def submit_async(*_: object, **__: object) -> Any:
        raise error

    return submit_async


def _fails(error: Exception) -> Callable[..., Any]:
    def submit_async(*_: object, **__: object) -> "Future[list[Outcome]]":
        answer: Future[list[Outcome]] = Future()
        answer.set_exception(error)
        return answer

    return submit_async


@pytest.mark.parametrize("broken", [_raises(RuntimeError("broken")), _fails(RuntimeError("broken"))])
@pytest.mark.parametrize("content", [open_account("fault"), [open_account("fault")]])
def test_a_fault_of_ours_is_a_problem_that_names_its_correlation_id(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: Any, content: Any
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(house.ledger, "submit_async", broken)
        answer = house.post(content, headers={"X-Correlation-Id": "fault-1"})
    assert (answer.status_code, answer.json()["code"]) == (500, "server_failed")
    assert answer.headers["x-correlation-id"] == "fault-1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "fault-1" in answer.json()["detail"]
    assert "broken" not in answer.text
    assert "RuntimeError: broken" in caplog.text


@pytest.fixture
def narrow(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house where hardly any commands may wait."""
    monkeypatch.setenv("LEDGER_WAITING_COMMANDS", str(MOST_WAITING))
    with open_house(database, projecting=False) as house:
        opened_market(house)
        house.send(open_account("alice"))
        yield house


def test_a_flood_is_told_to_wait_and_nothing_of_it_is_half_done(narrow: House) -> None:
    end = narrow.log_end()
    flood = [deposit("alice", "1", f"d{number}") for number in range(30)]
    with sent_meanwhile(narrow, flood) as answers:
        wait_until(lambda: sum(answer.done() for answer in answers) > 0)
        of_a_list = narrow.post([deposit("alice", "1", f"e{number}") for number in range(2 * MOST_WAITING)])
    refused = [answer.result() for answer in answers if answer.result().status_code != 200]
    assert refused
    for answer in (*refused, of_a_list):
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
        assert int(answer.headers["retry-after"]) >= 1
    assert narrow.log_end() == end + len(flood) - len(refused)
    repeated = narrow.post(flood[:MOST_WAITING]).json()["results"]
    assert {result["status"] for result in repeated} <= {"recorded", "replayed"}


def test_a_list_longer_than_all_places_is_taken_whole_while_there_is_a_free_one(narrow: House) -> None:
    several = [deposit("alice", "1", f"d{number}") for number in range(3 * MOST_WAITING)]
    assert {result["status"] for result in narrow.post(several).json()["results"]} == {"recorded"}
