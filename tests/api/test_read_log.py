"""The log of reads: who may read it, in pages; and that nothing is answered which it has no line of."""

import asyncio
import signal
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.keys import create_key
from api.reads.log import ReadLog
from api.reads.read import Read
from ledger.postgres import SERVICE, connect
from tests.api.command_line import serving
from tests.api.house import House, open_house
from tests.api.test_reads import asked, total

ALICE, LOG = "/v1/accounts/alice", "/v1/reads"


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["reads"]]


@pytest.mark.parametrize(
    ("who", "of_all", "of_one"),
    [("auditor", 200, 200), ("admin", 200, 200), ("operator", 403, 403), ("service", 403, 403), ("alice", 403, 200)],
)
def test_auditors_read_the_log_and_customers_what_is_their_own(told: House, who: str, of_all: int, of_one: int) -> None:
    assert told.get(LOG, who=who).status_code == of_all
    assert told.get(f"{ALICE}/reads", who=who).status_code == of_one
    assert told.get("/v1/accounts/lucy/reads", who="alice").status_code == 403


def test_a_customer_is_told_by_which_role_and_not_by_whom_or_why(told: House) -> None:
    asked(told, f"{ALICE}/levels", who="operator", headers={"X-Purpose": "a secret inquiry"})
    answer = told.get(f"{ALICE}/reads", who="alice", params={"order": "desc"})
    newest = answer.json()["reads"][0]
    assert set(newest) == {"id", "read_at", "role", "what", "status"}
    assert (newest["role"], newest["what"], newest["status"]) == (
        "operator",
        "GET /v1/accounts/{account_id}/levels",
        200,
    )
    assert "secret" not in answer.text
    assert told.get(f"{ALICE}/reads", who="auditor", params={"order": "desc"}).json()["reads"][0]["purpose"] == (
        "a secret inquiry"
    )


def test_reading_the_log_is_in_the_log(told: House) -> None:
    _, left = asked(told, LOG, who="auditor", params={"actor": "operator:operator"})
    assert [(one[0], one[2], one[4]) for one in left] == [
        ("auditor:auditor", "GET /v1/reads", {"actor": "operator:operator"})
    ]


@pytest.mark.parametrize("only", [{}, {"account_id": "alice"}, {"actor": "service:service"}, {"account_id": "lucy"}])
def test_pages_in_both_directions_have_every_read_once(told: House, only: dict[str, str]) -> None:
    for name in ("alice", "lucy", "alice"):
        told.get(f"/v1/accounts/{name}", who="service")
    with told.pool.connection() as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    assert row is not None
    asked_with = {**only, "to": row[0].isoformat(), "limit": 1000}
    whole = ids(told.get(LOG, who="auditor", params=asked_with))
    assert len(whole) >= 1
    for order, cursor in [("asc", "after"), ("desc", "before")]:
        paged: list[str] = []
        place: dict[str, str] = {}
        while True:
            answer = told.get(LOG, who="auditor", params={**asked_with, **place, "order": order, "limit": 2})
            paged += ids(answer)
            if answer.json()["next"] is None:
                break
            place = {cursor: answer.json()["next"]}
        assert paged == (whole if order == "asc" else whole[::-1])


def test_the_bounds_of_time_are_part_of_what_is_asked_for(told: House) -> None:
    told.get(ALICE, who="auditor")
    newest = told.get(LOG, who="auditor", params={"order": "desc", "limit": 1}).json()["reads"][0]
    at = {"from": newest["read_at"], "to": newest["read_at"]}
    assert newest["id"] in ids(told.get(LOG, who="auditor", params=at))
    far = {"from": "1970-01-01T00:00:00Z", "to": "9998-12-31T23:59:59Z", "limit": 1}
    assert len(ids(told.get(LOG, who="auditor", params=far))) == 1


@pytest.mark.parametrize(
    "wrong", [{"after": "12"}, {"before": "x.1"}, {"actor": " "}, {"account_id": "a b"}, {"from": "soon"}]
)
def test_a_question_about_the_log_that_cannot_be_understood_is_malformed(told: House, wrong: dict[str, str]) -> None:
    assert told.get(LOG, who="auditor", params=wrong).status_code == 400


@pytest.fixture
def unwritable(told: House) -> Iterator[House]:
    """The house while its log of reads takes no line."""
    with connect(told.url, autocommit=True) as connection:
        connection.execute("revoke insert on reads from ledger_service")
        yield told
        connection.execute("grant insert on reads to ledger_service")


def test_what_cannot_be_logged_is_not_answered(unwritable: House) -> None:
    for path in (ALICE, f"{ALICE}/events/stream", "/v1/accounts/nobody"):
        answer, left = asked(unwritable, path, who="auditor")
        assert (answer.status_code, answer.json()["code"]) == (503, "read_not_logged")
        assert answer.headers["retry-after"] == "1"
        assert "x-correlation-id" in answer.headers
        assert "spot" not in answer.text
        assert left == []


def test_what_needs_no_line_is_answered_all_the_same(unwritable: House) -> None:
    for path, who in [(ALICE, "alice"), ("/v1/market", "auditor"), ("/health", "auditor")]:
        assert unwritable.get(path, who=who).status_code == 200


def test_reads_go_on_when_the_connection_of_the_log_was_lost(told: House) -> None:
    told.get(ALICE, who="auditor")
    with connect(told.url, autocommit=True) as connection:
        ended = connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'ledger reads' and datname = current_database()"
        ).fetchall()
    assert ended == [(True,)]
    answer, left = asked(told, ALICE, who="auditor")
    assert answer.status_code == 200
    assert len(left) == 1


def test_many_reads_at_once_leave_a_line_each(told: House) -> None:
    before = total(told)
    with ThreadPoolExecutor(16) as readers:
        answers = list(readers.map(lambda _: told.get(ALICE, who="auditor").status_code, range(200)))
    assert answers == [200] * 200
    assert total(told) == before + 200


def test_every_answer_that_came_before_a_kill_is_in_the_log(database: str) -> None:
    with connect(database, role=SERVICE, autocommit=True) as connection:
        key = create_key(connection, "killer", "auditor")
    answered: list[str] = []
    with serving(database) as (process, address, _):

        def read_until_killed(_: int) -> None:
            with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as http:
                for _ in range(1000):
                    correlation_id = uuid.uuid4().hex
                    try:
                        answer = http.get("/v1/reads?limit=1", headers={"X-Correlation-Id": correlation_id})
                    except httpx.TransportError:
                        return
                    assert answer.status_code == 200, answer.text
                    answered.append(correlation_id)
                    if len(answered) == 300:
                        process.kill()

        with ThreadPoolExecutor(8) as readers:
            list(readers.map(read_until_killed, range(8)))
        assert process.wait(20) == -signal.SIGKILL
    with connect(database) as connection:
        logged = {row[0] for row in connection.execute("select correlation_id from reads").fetchall()}
    assert len(answered) >= 300
    assert set(answered) <= logged


@pytest.fixture
def strict(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house where staff must say why they read."""
    monkeypatch.setenv("LEDGER_PURPOSE_REQUIRED", "true")
    with open_house(database) as house:
        yield house


def test_where_a_purpose_is_required_staff_is_refused_without_one(strict: House) -> None:
    strict.send({"type": "open_account", "account_id": "alice"})
    for who in ("service", "operator", "auditor", "admin"):
        answer, left = asked(strict, ALICE, who=who)
        assert (answer.status_code, answer.json()["code"]) == (400, "purpose_missing")
        assert "X-Purpose" in answer.json()["detail"]
        assert [one[7] for one in left] == [400]
        assert asked(strict, ALICE, who=who, headers={"X-Purpose": "ticket 1"})[0].status_code == 200
    assert strict.get(ALICE, who="alice").status_code == 200
    assert strict.get("/v1/market", who="auditor").status_code == 200
    assert strict.http.get("/problems/purpose_missing").status_code == 200


def test_a_line_that_cannot_be_written_takes_no_other_along(told: House) -> None:
    async def both() -> list[BaseException | None]:
        log = ReadLog(told.url)
        lines = [Read("auditor:one", "GET /v1/market"), Read("auditor:\0", "GET /v1/market")]
        return await asyncio.gather(*(log.record(line) for line in lines), return_exceptions=True)

    written, refused = asyncio.run(both())
    assert written is None
    assert isinstance(refused, Exception)
